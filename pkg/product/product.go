// Package product is the one place where the product's own names stand:
// owner, plugin name, image repository, tag prefix. A test finds strays.
package product

// The product's identity.
const (
	// Owner is the GitHub organisation.
	Owner = "eksnodes"
	// PluginName is how kubectl users call it: kubectl PluginName.
	PluginName = "eksnodes"
	// Binary is the plugin's file name on PATH.
	Binary = "kubectl-" + PluginName
	// Command is the command as users type it.
	Command = "kubectl " + PluginName
	// ImageRepository holds the node-agent's container image.
	ImageRepository = "ghcr.io/" + Owner + "/node-agent"
	// Homepage is where documentation and releases are.
	Homepage = "https://github.com/" + Owner + "/" + Binary
	// TagPrefix starts every AWS tag that is ours alone, and every label
	// and annotation that we set in a cluster.
	TagPrefix = "eksnodes.dev/"
)

// AWS tags that mark what the product made.
const (
	TagGroup   = TagPrefix + "group"
	TagCluster = TagPrefix + "cluster"
	TagVersion = TagPrefix + "version"
)
