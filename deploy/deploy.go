// Package deploy holds what is applied to clusters, as files that kubectl and
// the AWS CLI take as they are.
package deploy

import _ "embed"

//go:embed node-agent.yaml
var nodeAgent string

//go:embed node-agent-bottlerocket.yaml
var nodeAgentBottlerocket string

// NodeAgent is node-agent.yaml: the DaemonSet with all that it needs, as a
// stream of YAML documents.
func NodeAgent() string { return nodeAgent }

// NodeAgentBottlerocket is node-agent-bottlerocket.yaml: the DaemonSet for nodes
// of Bottlerocket alone.
func NodeAgentBottlerocket() string { return nodeAgentBottlerocket }
