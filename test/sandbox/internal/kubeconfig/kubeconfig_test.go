package kubeconfig

import (
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/pki"
)

const arn = "arn:aws:eks:us-west-2:111122223333:cluster/demo"

func TestUser(t *testing.T) {
	text, err := User(arn, "demo", "us-west-2", "https://endpoint.example", []byte("CA"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := clientcmd.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	if c.CurrentContext != arn || c.Contexts[arn].Cluster != arn || c.Contexts[arn].AuthInfo != arn {
		t.Errorf("names are not the cluster's ARN: %s", text)
	}
	exec := c.AuthInfos[arn].Exec
	if got := exec.Command + " " + strings.Join(exec.Args, " "); got != "aws --region us-west-2 eks get-token --cluster-name demo --output json" {
		t.Errorf("command %q", got)
	}
	if got := c.Clusters[arn]; got.Server != "https://endpoint.example" || string(got.CertificateAuthorityData) != "CA" {
		t.Errorf("cluster %+v", got)
	}
}

func TestCertificate(t *testing.T) {
	text, err := Certificate("break-glass", "https://10.20.0.10", []byte("CA"), pki.Pair{Cert: []byte("CERT"), Key: []byte("KEY")})
	if err != nil {
		t.Fatal(err)
	}
	c, err := clientcmd.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	if u := c.AuthInfos["break-glass"]; string(u.ClientCertificateData) != "CERT" || string(u.ClientKeyData) != "KEY" || u.Exec != nil {
		t.Errorf("user %+v", u)
	}
}

func TestWebhook(t *testing.T) {
	text, err := Webhook("https://127.0.0.1:21362/authenticate", []byte("CA"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := clientcmd.Load(text)
	if err != nil || c.Clusters["webhook"].Server != "https://127.0.0.1:21362/authenticate" {
		t.Errorf("%s, %v", text, err)
	}
}
