package backend

import (
	"context"
	"net/url"
	"strconv"
)

// Instance is the little that the front has to know of an EC2 instance.
type Instance struct {
	ID, State, PrivateIP, PrivateDNSName, ImageID, Zone string
}

// Instances describes instances by filters, such as {"tag:Name": {"a"}}; no
// filter means all.
func (c *Client) Instances(ctx context.Context, filters map[string][]string) ([]Instance, error) {
	form := url.Values{"Action": {"DescribeInstances"}, "Version": {"2016-11-15"}}
	n := 0
	for name, values := range filters {
		n++
		prefix := "Filter." + strconv.Itoa(n)
		form.Set(prefix+".Name", name)
		for i, v := range values {
			form.Set(prefix+".Value."+strconv.Itoa(i+1), v)
		}
	}
	var x struct {
		Items []struct {
			ID    string `xml:"instanceId"`
			State string `xml:"instanceState>name"`
			IP    string `xml:"privateIpAddress"`
			DNS   string `xml:"privateDnsName"`
			Image string `xml:"imageId"`
			Zone  string `xml:"placement>availabilityZone"`
		} `xml:"reservationSet>item>instancesSet>item"`
	}
	if err := c.Query(ctx, "ec2", "", form, &x); err != nil {
		return nil, err
	}
	out := make([]Instance, 0, len(x.Items))
	for _, i := range x.Items {
		out = append(out, Instance{ID: i.ID, State: i.State, PrivateIP: i.IP, PrivateDNSName: i.DNS, ImageID: i.Image, Zone: i.Zone})
	}
	return out, nil
}
