package nodegroup

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// AwsAuthSettler puts what aws-auth says of a role right.
type AwsAuthSettler interface {
	// SettleRole makes mapRoles say of a role what want says, once; instead
	// is an ARN as it is written that was meant for the role.
	SettleRole(ctx context.Context, want authmap.Entry, instead string) (MapChange, error)
}

// Repairer puts the mappings of roles right, as the doctor's checks say.
type Repairer struct {
	Entries  Entries
	AwsAuth  AwsAuthSettler
	Progress Progress
	// Poll is the time between two looks at an entry that was just made.
	Poll time.Duration
}

const (
	// remakeTime bounds the making of an entry after the deleting of its
	// predecessor, which no interrupt comes between.
	remakeTime = 30 * time.Second
	// remakeTries is how often an entry is made that is not there afterwards:
	// EKS may still see the deleted one.
	remakeTries = 5
)

// Repair carries one repair out. An access entry that is no longer the one
// that was judged is left alone.
func (r *Repairer) Repair(ctx context.Context, cluster string, repair check.Repair) error {
	if repair.DeleteEntry != nil {
		if err := r.delete(ctx, cluster, repair.DeleteEntry); err != nil {
			return err
		}
	}
	if repair.CreateEntry != "" {
		if repair.DeleteEntry != nil { // between the two, nobody lets the machines in
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), remakeTime)
			defer cancel()
		}
		if err := r.create(ctx, cluster, repair); err != nil && repair.DeleteEntry != nil {
			return &EntryLostError{Cluster: cluster, RoleARN: repair.RoleARN, Type: repair.CreateEntry, Err: err}
		} else if err != nil {
			return err
		}
	}
	if repair.AwsAuth == nil {
		return nil
	}
	change, err := r.AwsAuth.SettleRole(ctx, repair.AwsAuth.Want, repair.AwsAuth.Instead)
	if err != nil {
		return fmt.Errorf("map %s in aws-auth: %w", repair.RoleARN, err)
	}
	(&mapper{progress: r.Progress}).reportChange(change, repair.RoleARN)
	return nil
}

func (r *Repairer) delete(ctx context.Context, cluster string, judged *snapshot.AccessEntry) error {
	now, err := r.Entries.AccessEntry(ctx, cluster, judged.PrincipalARN)
	if err != nil {
		return fmt.Errorf("describe the access entry of %s: %w", judged.PrincipalARN, err)
	}
	state := "gone already"
	if now != nil {
		if !sameEntry(now, judged) {
			return fmt.Errorf("the access entry of %s has changed since it was judged; nothing was done to it", judged.PrincipalARN)
		}
		if err := r.Entries.DeleteAccessEntry(ctx, cluster, judged.PrincipalARN); err != nil {
			return fmt.Errorf("delete the access entry of %s: %w", judged.PrincipalARN, err)
		}
		state = "deleted"
	}
	r.Progress.Report(Step{Topic: "mapping", Subject: "access entry " + judged.Type, State: state, Detail: judged.PrincipalARN})
	return nil
}

func sameEntry(a, b *snapshot.AccessEntry) bool {
	return a.Type == b.Type && a.Username == b.Username && a.CreatedAt.Equal(b.CreatedAt) &&
		(len(a.Groups)+len(b.Groups) == 0 || reflect.DeepEqual(a.Groups, b.Groups))
}

// create makes the entry and sees that it is there.
func (r *Repairer) create(ctx context.Context, cluster string, repair check.Repair) error {
	for try := 1; ; try++ {
		if err := r.Entries.CreateAccessEntry(ctx, cluster, repair.RoleARN, repair.CreateEntry, nil); err != nil {
			return fmt.Errorf("create the access entry of %s: %w", repair.RoleARN, err)
		}
		entry, err := r.Entries.AccessEntry(ctx, cluster, repair.RoleARN)
		if err != nil {
			return fmt.Errorf("describe the access entry of %s: %w", repair.RoleARN, err)
		}
		if entry != nil && entry.Type == repair.CreateEntry {
			break
		}
		if try == remakeTries {
			return fmt.Errorf("the access entry of %s was made, and is not there", repair.RoleARN)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(r.Poll):
		}
	}
	r.Progress.Report(Step{Topic: "mapping", Subject: "access entry " + repair.CreateEntry, State: "created", Detail: repair.RoleARN})
	return nil
}

// EntryLostError says that an access entry was deleted to be made again, and
// could not be made.
type EntryLostError struct {
	Cluster, RoleARN, Type string
	Err                    error
}

// Error says what is left and how to go on.
func (e *EntryLostError) Error() string {
	return fmt.Sprintf("%v: the old one is deleted, and nothing lets the role in until this is run: "+
		"aws eks create-access-entry --cluster-name %s --principal-arn %s --type %s", e.Err, e.Cluster, e.RoleARN, e.Type)
}

// Unwrap returns why it could not be made.
func (e *EntryLostError) Unwrap() error { return e.Err }
