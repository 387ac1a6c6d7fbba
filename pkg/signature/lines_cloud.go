package signature

// cloudLines are of the cloud controller manager.
func cloudLines() []Line {
	return []Line{
		{
			ID: "ccm-no-instance", In: []string{CloudController, Events},
			Find:    []string{`Deleting node (?P<node>\S+) because it does not exist in the cloud provider`},
			Source:  "k8s.io/cloud-provider@v0.34.4 controllers/nodelifecycle/node_lifecycle_controller.go",
			Match:   []string{"Deleting node ip-10-0-1-5.ec2.internal because it does not exist in the cloud provider"},
			NoMatch: "instance found",
		},
	}
}
