package nodegroup

import (
	"errors"
	"fmt"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// choices are what the user left open and the snapshot decides.
type choices struct {
	image    snapshot.Image
	kind     *snapshot.InstanceType
	subnets  []snapshot.Subnet
	publicIP *bool
	keyName  string
}

// choose decides. What an existing stack has is kept where the user named
// nothing: a newer AMI or a new subnet is no reason to differ.
func choose(snap *snapshot.Snapshot, req *Request, existing *snapshot.Stack) (choices, error) {
	var out choices
	imageID := req.ImageID
	subnets := req.Subnets
	if Usable(existing) {
		imageID, subnets = keep(req, existing)
	}
	image, err := chooseImage(snap, imageID)
	if err != nil {
		return out, err
	}
	out.image = *image
	out.kind = snap.Catalog.InstanceType(req.InstanceType)
	if out.subnets, out.publicIP, err = chooseSubnets(snap, subnets); err != nil {
		return out, err
	}
	out.keyName = req.Access.Name
	switch {
	case req.Access.CreateFile != "" && Usable(existing):
		out.keyName = existing.Parameters["KeyName"] // made by an earlier run
	case req.Access.PublicKey != "":
		out.keyName = keyPairName(snap.Cluster.Name, req.Name, req.Access.PublicKey)
	}
	return out, nil
}

// keptImage is the image of an existing stack, "" when it does not say.
func keptImage(existing *snapshot.Stack) string { return existing.Parameters[paramImage] }

// keep returns the user's choice of image and subnets, else the stack's.
func keep(req *Request, existing *snapshot.Stack) (imageID string, subnets SubnetChoice) {
	imageID, subnets = req.ImageID, req.Subnets
	if imageID == "" {
		imageID = keptImage(existing)
	}
	if value := existing.Parameters["Subnets"]; value != "" && !subnets.Anew && len(subnets.IDs) == 0 && len(subnets.Tags) == 0 {
		subnets.IDs = strings.Split(value, ",")
	}
	return imageID, subnets
}

// ImageToRead returns the image id that a plan for the request will want: the
// user's, else the existing stack's, else "" for the newest of the family.
func ImageToRead(req *Request, existing *snapshot.Stack) string {
	if req.ImageID == "" && Usable(existing) {
		return keptImage(existing)
	}
	return req.ImageID
}

func chooseImage(snap *snapshot.Snapshot, id string) (*snapshot.Image, error) {
	if id != "" {
		if image := snap.Catalog.Image(id); image != nil {
			return image, nil
		}
		return &snapshot.Image{ID: id}, nil // the checks say that it does not exist
	}
	if len(snap.Catalog.Images) == 0 {
		if gap, missing := snap.Gap(snapshot.SectionImages, ""); missing {
			return nil, fmt.Errorf("look up the AMI: %s; name one by --ami", gap.Detail)
		}
		return nil, errors.New("no AMI was found for the cluster's version: name one by --ami")
	}
	return &snap.Catalog.Images[0], nil
}

// keyPairName is the name of a key pair made for a group. It holds a digest
// of the key, so that a key pair of that name is always this key.
func keyPairName(cluster, group, publicKey string) string {
	return fmt.Sprintf("%s-%s-%s-%.8s", product.PluginName, cluster, group, digest([]byte(publicKey)))
}
