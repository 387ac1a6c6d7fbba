package userdata

import "fmt"

// Custom renders user data for an image of the user's own. Without user data it is taken to boot by nodeadm, as images
// built from the AL2023 recipe do, and gets what AL2023 gives. With user data, that is used as it stands, byte for
// byte: only its author knows how such an image joins. Whatever else is asked for is then an *UnsupportedError; only
// the beacon is left out without a word.
func Custom(c Config) ([]byte, error) {
	if len(c.User) == 0 {
		return AL2023(c)
	}
	if len(c.User) > 1 {
		return nil, fmt.Errorf("a custom image takes one piece of user data, not %d", len(c.User))
	}
	wishes := needsNodeadm(c)
	if len(c.Labels) > 0 {
		wishes = append(wishes, "node labels")
	}
	if len(c.Taints) > 0 {
		wishes = append(wishes, "node taints")
	}
	if c.MaxPods > 0 {
		wishes = append(wishes, "a pod limit")
	}
	if c.WarmPool {
		wishes = append(wishes, "that machines of a warm pool stay out of the cluster")
	}
	if len(wishes) > 0 {
		return nil, &UnsupportedError{Family: "verbatim", Wishes: wishes}
	}
	return limited(c.User[0])
}
