// Package awsapi recognises AWS API calls on the wire and writes answers and
// errors in the protocol of their service.
package awsapi

import (
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Protocol is one of the wire protocols that AWS services speak.
type Protocol int

// The protocols, named as in the Smithy documentation "AWS protocols".
const (
	RESTJSON Protocol = iota
	JSON              // awsJson1_0 and awsJson1_1
	Query             // awsQuery
	EC2Query          // ec2Query
	RESTXML           // restXml
)

// Call is one recognised request.
type Call struct {
	// Service is the signing name of the service: "ec2", "eks", "sts".
	Service string
	// Operation is the operation's name. For REST protocols it is empty until
	// the service's own routes are asked.
	Operation string
	Protocol  Protocol
	// Region is the region of the credential scope, or else of the host name;
	// empty when neither says.
	Region string
	// HostService and HostRegion are what the host name alone says; empty for
	// addresses and for names outside AWS's domains.
	HostService, HostRegion string
	// Path holds the parameters of a REST path, by the names of its route.
	Path map[string]string
	// Form holds the parameters of the query string and of a form body.
	Form url.Values
	// Body is the complete request body.
	Body []byte
	// WantJSON says that a query-protocol caller asked for JSON answers, as
	// token verifiers do at STS.
	WantJSON bool
	// RequestID identifies the call in answers and in the call log.
	RequestID string
}

// Recognise finds out which call a request is. scopeService and scopeRegion
// come from the credential scope of its signature; they are empty for unsigned
// requests.
func Recognise(r *http.Request, body []byte, scopeService, scopeRegion string) Call {
	c := Call{Body: body, RequestID: NewID()}
	c.HostService, c.HostRegion = splitHost(r.Host)
	c.Service, c.Region = scopeService, scopeRegion
	if c.Service == "" {
		c.Service = c.HostService
	}
	if c.Region == "" {
		c.Region = c.HostRegion
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		c.Protocol = JSON
		_, c.Operation, _ = strings.Cut(target, ".")
		if c.Service == "" {
			c.Service, _, _ = strings.Cut(target, ".")
		}
		return c
	}
	c.Form = formOf(r, body)
	if action := c.Form.Get("Action"); action != "" {
		c.Operation = action
		c.Protocol = Query
		if c.Service == "ec2" {
			c.Protocol = EC2Query
		}
		c.WantJSON = strings.Contains(r.Header.Get("Accept"), "application/json")
		return c
	}
	switch c.Service {
	case "ec2":
		c.Protocol = EC2Query
	case "sts", "iam", "autoscaling", "cloudformation":
		c.Protocol = Query
	case "ssm", "servicequotas", "ec2-instance-connect":
		c.Protocol = JSON
	case "s3", "route53", "cloudfront":
		c.Protocol = RESTXML
	}
	return c
}

// formOf returns the query parameters together with those of a form body.
func formOf(r *http.Request, body []byte) url.Values {
	form := r.URL.Query()
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return form
	}
	// A malformed body yields the parameters before the fault, as AWS's own
	// parsers do; the signature check has the last word on the bytes.
	posted, err := url.ParseQuery(string(body))
	if err != nil && len(posted) == 0 {
		return form
	}
	for k, v := range posted {
		form[k] = append(form[k], v...)
	}
	return form
}

var regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)

// splitHost reads service and region from an AWS host name. Global hosts such
// as iam.amazonaws.com have no region.
func splitHost(host string) (service, region string) {
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	domain := ""
	for _, d := range Domains {
		if strings.HasSuffix(name, "."+d) {
			domain = d
			break
		}
	}
	if domain == "" {
		return "", ""
	}
	labels := strings.Split(strings.TrimSuffix(name, "."+domain), ".")
	for _, l := range labels {
		if regionName.MatchString(l) {
			region = l
			break
		}
	}
	service = strings.TrimSuffix(labels[0], "-fips")
	return service, region
}

// Domains are the DNS domains of AWS endpoints, longest first.
var Domains = []string{"amazonaws.com.cn", "amazonaws.com", "api.aws"}

// ServiceHost reports whether a host name lies in one of the Domains.
func ServiceHost(host string) bool {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	for _, d := range Domains {
		if strings.HasSuffix(name, "."+d) {
			return true
		}
	}
	return false
}

var readPrefixes = []string{
	"Describe", "List", "Get", "Head", "Search", "Lookup", "Simulate",
	"Validate", "Estimate", "Check", "Detect", "Preview",
}

// Write reports whether the call changes something. AssumeRole and the other
// calls that only hand out sessions count as reads, as CloudTrail's readOnly
// field has it, and so does everything with EC2's DryRun.
func (c Call) Write() bool {
	if strings.HasPrefix(c.Operation, "Assume") || strings.EqualFold(c.Form.Get("DryRun"), "true") {
		return false
	}
	for _, p := range readPrefixes {
		if strings.HasPrefix(c.Operation, p) {
			return false
		}
	}
	return true
}
