package stack

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// binding is a place in user data where a parameter's value stands: between two texts that tell it from the same
// characters elsewhere.
type binding struct {
	before, value, after string
	parameter            string
}

// bindings lists where the cluster's coordinates stand in a NodeConfig and in Bottlerocket's TOML. Endpoint and
// certificate authority need no surroundings: they are long and random.
func bindings(c userdata.Cluster) []binding {
	return []binding{
		{"", c.Endpoint, "", "ApiServerEndpoint"},
		{"", c.CA, "", "CertificateAuthorityData"},
		{"    cidr: ", c.CIDR, "\n", "ServiceCidr"},
		{"    name: ", c.Name, "\n", "ClusterName"},
		{"cluster-name = '", c.Name, "'\n", "ClusterName"},
	}
}

// bindUserData gives the launch template's UserData, with references to parameters in place of their values, so that
// the template fits another cluster by its parameters alone; and the names of the parameters referred to. The pieces
// are joined, not substituted into: shell text is full of "${…}", and joining leaves it alone. With the present
// values the result is the given text, byte for byte.
func bindUserData(text string, cluster userdata.Cluster) (userData any, bound []string) {
	pieces := []any{text}
	for _, b := range bindings(cluster) {
		if b.value == "" {
			continue
		}
		var found bool
		if pieces, found = split(pieces, b); found && !slices.Contains(bound, b.parameter) {
			bound = append(bound, b.parameter)
		}
	}
	if len(pieces) == 1 {
		return object{"Fn::Base64": text}, nil
	}
	return object{"Fn::Base64": object{"Fn::Join": []any{"", pieces}}}, bound
}

// split cuts the text pieces at every place of the binding.
func split(pieces []any, b binding) (cut []any, found bool) {
	for _, piece := range pieces {
		text, isText := piece.(string)
		for isText {
			at := strings.Index(text, b.before+b.value+b.after)
			if at < 0 {
				break
			}
			at += len(b.before)
			cut = append(append(cut, wholeLines(text[:at])...), ref(b.parameter))
			text, found = text[at+len(b.value):], true
		}
		if !isText {
			cut = append(cut, piece)
		} else if text != "" {
			cut = append(cut, text)
		}
	}
	return cut, found
}

// wholeLines parts a text of several lines after its last line feed, so that YAML writes the lines before it as a
// readable block.
func wholeLines(text string) []any {
	var pieces []any
	end := 0
	if strings.Count(text, "\n") > 1 {
		end = strings.LastIndex(text, "\n") + 1
	}
	for _, piece := range []string{text[:end], text[end:]} {
		if piece != "" {
			pieces = append(pieces, piece)
		}
	}
	return pieces
}

func encodedUserData(text []byte) any { return base64.StdEncoding.EncodeToString(text) }
