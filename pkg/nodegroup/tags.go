package nodegroup

import (
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

// TagDigest holds a digest of what was asked for, by which a rerun knows
// whether it would make something else.
const TagDigest = product.TagPrefix + "digest"

// stackTags are the tags of the stack, which CloudFormation hands on to all
// that it makes: the user's, and those by which the group is found again.
func stackTags(input stack.Input, version string) (map[string]string, error) {
	tags := stack.StackTags(input)
	tags[product.TagGroup] = input.Group
	tags[product.TagCluster] = input.Boot.Cluster.Name
	tags[product.TagVersion] = version
	asked, err := inputDigest(input)
	if err != nil {
		return nil, err
	}
	tags[TagDigest] = asked
	if input.Role.ARN == "" {
		tags[TagRole] = roleOfStack
	}
	return tags, nil
}

// TagRole says whose role the nodes have, by which a deletion knows that
// nobody else can be using it.
const TagRole = product.TagPrefix + "role"

const roleOfStack = "made-by-stack"
