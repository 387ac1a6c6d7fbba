package kube

import (
	"context"
	"encoding/json"

	authenticationv1 "k8s.io/api/authentication/v1"
)

// Me is who the API server takes the caller for.
type Me struct {
	Username string
	Groups   []string
	// ARN is what the EKS authenticator says of an AWS identity; "" for others.
	ARN string
}

// WhoAmI asks the API server who the caller is: the authenticator's own
// answer. Everybody who is let in may ask.
func (c *Client) WhoAmI(ctx context.Context) (Me, error) {
	body := []byte(`{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`)
	data, err := c.core.Post().AbsPath("/apis/authentication.k8s.io/v1/selfsubjectreviews").
		SetHeader("Content-Type", "application/json").SetHeader("Accept", "application/json").Body(body).Do(ctx).Raw()
	if err != nil {
		return Me{}, wrap("ask who you are", err)
	}
	var review authenticationv1.SelfSubjectReview
	if err := json.Unmarshal(data, &review); err != nil {
		return Me{}, wrap("ask who you are", err)
	}
	me := Me{Username: review.Status.UserInfo.Username, Groups: review.Status.UserInfo.Groups}
	if arns := review.Status.UserInfo.Extra["arn"]; len(arns) > 0 {
		me.ARN = arns[0]
	}
	return me, nil
}
