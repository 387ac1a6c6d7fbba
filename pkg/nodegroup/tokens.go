package nodegroup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

// createToken makes CloudFormation's client request token of what is asked
// for: the same plan repeated is the same request, so that an answer lost on
// the way never leads to two stacks.
//
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
func createToken(stack NewStack, replaced string) (string, error) {
	stack.Token = ""
	text, err := json.Marshal([]any{stack, replaced}) // maps are written in the order of their keys
	if err != nil {
		return "", fmt.Errorf("make a request token: %w", err)
	}
	return "create-" + digest(text), nil
}

// inputDigest covers what the user can ask for and no parameter shows. What
// is decided by the state of the world when the user names nothing (image,
// subnets, the CNI's permissions) is left out.
func inputDigest(input stack.Input) (string, error) {
	input.UserData, input.ImageID, input.ImageSSMParam, input.KeyName = nil, "", "", ""
	input.Subnets, input.Network.PublicIP, input.Role.CNIPolicy = nil, nil, false
	input.Min, input.Desired, input.Max = 0, 0, 0
	text, err := json.Marshal(input)
	if err != nil {
		return "", fmt.Errorf("digest the request: %w", err)
	}
	return digest(text), nil
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
