// Package instances gives every EC2 instance of the account a node, and ends it
// with the instance: what the hypervisor does on AWS.
//
// Watcher polls DescribeInstances. What an instance's state wants is brought
// about by one goroutine per instance, so that a slow shutdown holds up no
// other. Package cloud, below this one, plays the controllers that EKS runs.
package instances
