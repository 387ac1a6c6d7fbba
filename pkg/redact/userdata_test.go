package redact

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestUserDataKeepsWhatNodesJoinBy(t *testing.T) {
	ca := base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUDk3v0sXk5oJc2m\n-----END CERTIFICATE-----\n"))
	data := `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="//"

--//
Content-Type: application/node.eks.aws

---
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster:
    name: demo
    apiServerEndpoint: https://0123456789ABCDEF0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com
    certificateAuthority: ` + ca + `
    cidr: 172.20.0.0/16
  kubelet:
    flags:
    - --node-labels=team=a,eksnodes.io/group=workers
--//--
`
	if got := UserData(data); got != data {
		t.Errorf("changed:\n%s", got)
	}
	script := "#!/bin/bash\nset -ex\n/etc/eks/bootstrap.sh demo --b64-cluster-ca " + ca + " --apiserver-endpoint https://ABC.gr7.us-west-2.eks.amazonaws.com --kubelet-extra-args '--max-pods=110'\n"
	if got := UserData(script); got != script {
		t.Errorf("changed:\n%s", got)
	}
}

func TestUserDataLosesSecrets(t *testing.T) {
	for name, text := range map[string]string{
		"assignment":    "export DB_PASS=hunter2-canary",
		"option":        "mysql --password hunter2-canary",
		"yaml":          "db_password: hunter2-canary",
		"chpasswd":      "echo 'root:hunter2-canary' | chpasswd",
		"cloud-init":    "chpasswd:\n  list: |\n    root:hunter2-canary\n",
		"curl":          "curl -u admin:hunter2-canary https://example.com",
		"url":           "git clone https://bot:hunter2-canary@example.com/x.git",
		"access key":    "aws configure set aws_secret_access_key hunter2-canary",
		"crypted":       "passwd: $6$salt$hunter2-canaryhunter2",
		"header":        `curl -H "Authorization: Bearer hunter2-canary"`,
		"base64":        "content: " + base64.StdEncoding.EncodeToString([]byte("password = hunter2-canary, and some more Text 42")),
		"private key":   "-----BEGIN RSA PRIVATE KEY-----\nhunter2-canary\n-----END RSA PRIVATE KEY-----",
		"compressed":    "\x1f\x8b\x08\x00\x00hunter2-canary",
		"github":        "ghp_hunter2canaryhunter2canary0123",
		"registry auth": `{"auth": "aHVudGVyMi1jYW5hcnk6aHVudGVyMi1jYW5hcnktaHVudGVyMg=="}`,
	} {
		got := UserData(text)
		if strings.Contains(got, "hunter2") || strings.Contains(got, "aHVudGVy") || !strings.Contains(got, Placeholder) {
			t.Errorf("%s survives: %s", name, got)
		}
	}
}

func TestNamed(t *testing.T) {
	for name, want := range map[string]string{"DBPassword": Placeholder, "github-token": Placeholder, "httpTokens": "x", "KeyName": "x", "Name": "x"} {
		if got := Named(name, "x"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func FuzzUserData(f *testing.F) {
	f.Add("password: x\n")
	f.Fuzz(func(t *testing.T, s string) {
		once := UserData(s)
		if twice := UserData(once); len(twice) > len(once)+len(Placeholder)*8 {
			t.Errorf("grows: %q, then %q", once, twice)
		}
	})
}
