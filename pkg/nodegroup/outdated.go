package nodegroup

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// historyDepth is how many versions of a launch template before the current
// one are looked at.
const historyDepth = 20

// VersionsToRead names the versions of a group's launch template that a plan
// is made from: those of its members, and some before the current one.
func VersionsToRead(group *snapshot.Group) (oldest, newest int, err error) {
	newest, err = strconv.Atoi(group.Launch.TemplateVersion)
	if err != nil || group.Launch.TemplateID == "" {
		return 0, 0, errors.New("the group does not name the version of a launch template by its number, so that its instances' cannot be compared with it")
	}
	oldest = max(1, newest-historyDepth)
	for _, member := range group.Members {
		if member.Template > 0 {
			oldest = min(oldest, member.Template)
		}
	}
	return oldest, newest, nil
}

func currentVersion(group *snapshot.Group, versions []snapshot.TemplateVersion) (*snapshot.TemplateVersion, error) {
	for i := range versions {
		if strconv.Itoa(versions[i].Number) == group.Launch.TemplateVersion {
			return &versions[i], nil
		}
	}
	return nil, fmt.Errorf("version %s of launch template %s was not read", group.Launch.TemplateVersion, group.Launch.TemplateID)
}

// outdated are the living members of a group that were started from a version
// that is not right, in the order in which they go.
func outdated(group *snapshot.Group, versions []snapshot.TemplateVersion, right func(*snapshot.TemplateVersion) bool, known func(snapshot.Member) candidate) []Victim {
	zones := map[string]int{}
	started := map[string]int{}
	var old []candidate
	for _, member := range group.Members {
		if ending(member) {
			continue
		}
		one := known(member)
		zones[one.Zone]++
		i := slices.IndexFunc(versions, func(v snapshot.TemplateVersion) bool { return v.Number == member.Template })
		if i < 0 || !right(&versions[i]) {
			old = append(old, one)
			started[member.InstanceID] = member.Template
		}
	}
	order := inOrder(old, zones)
	slices.SortStableFunc(order, func(a, b Victim) int { return cmp.Compare(rank(a), rank(b)) })
	for i := range order {
		if why := rank(order[i]); why == rankServes {
			order[i].Why = fmt.Sprintf("started from version %d", started[order[i].InstanceID])
		}
	}
	return order
}

// The ranks of those that go: what serves nobody before what may still serve.
const (
	rankNoNode = iota
	rankTrouble
	rankServes
)

func rank(v Victim) int {
	switch v.Why {
	case whyNoNode:
		return rankNoNode
	case whyNotReady, whyCordoned:
		return rankTrouble
	}
	return rankServes
}

// nextBatch is what goes next of those that are to be replaced, and how many
// have to come before. What has no Node object serves nobody and goes at once.
func nextBatch(old []Victim, pace Pace) (batch []Victim, surge int) {
	dead := 0
	for dead < len(old) && rank(old[dead]) == rankNoNode {
		dead++
	}
	if dead > 0 {
		return old[:dead], 0
	}
	n := min(len(old), pace.Surge+pace.Unavailable)
	return old[:n], min(pace.Surge, n)
}
