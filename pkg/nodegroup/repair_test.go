package nodegroup

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// entryStore is EKS's side of access entries. An entry that is made while
// lag is left is not there yet.
type entryStore struct {
	entry     *snapshot.AccessEntry
	lag       int
	refuse    error
	onDelete  func()
	doneCalls []string
}

func (s *entryStore) AccessEntry(context.Context, string, string) (*snapshot.AccessEntry, error) {
	return s.entry, nil
}

func (s *entryStore) CreateAccessEntry(ctx context.Context, _, arn, kind string, _ map[string]string) error {
	s.doneCalls = append(s.doneCalls, "create")
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.refuse != nil:
		return s.refuse
	case s.lag > 0:
		s.lag--
	default:
		s.entry = &snapshot.AccessEntry{PrincipalARN: arn, Type: kind}
	}
	return nil
}

func (s *entryStore) DeleteAccessEntry(context.Context, string, string) error {
	s.doneCalls = append(s.doneCalls, "delete")
	s.entry = nil
	if s.onDelete != nil {
		s.onDelete()
	}
	return nil
}

type silent struct{}

func (silent) Report(Step) {}

func TestRepairReplacesAnEntry(t *testing.T) {
	const arn = "arn:aws:iam::111122223333:role/nodes"
	judged := snapshot.AccessEntry{PrincipalARN: arn, Type: "STANDARD", Username: "u", CreatedAt: time.Unix(1, 0)}
	for name, test := range map[string]struct {
		now     *snapshot.AccessEntry // nil: as judged
		lag     int
		refuse  error
		calls   string
		wantErr string
	}{
		"at once":          {calls: "delete create"},
		"EKS lags behind":  {lag: 2, calls: "delete create create create"},
		"EKS never has it": {lag: 99, calls: "delete create create create create create", wantErr: "is not there: the old one is deleted"},
		"it is refused":    {refuse: errors.New("access denied"), calls: "delete create", wantErr: "aws eks create-access-entry --cluster-name demo --principal-arn " + arn},
		"somebody changed it meanwhile": {
			now: &snapshot.AccessEntry{PrincipalARN: arn, Type: "STANDARD", Username: "u", Groups: []string{"admins"}, CreatedAt: time.Unix(1, 0)}, wantErr: "has changed since it was judged",
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			current := judged
			store := &entryStore{entry: &current, lag: test.lag, refuse: test.refuse}
			if test.now != nil {
				store.entry = test.now
			}
			repairer := &Repairer{Entries: store, Progress: silent{}, Poll: time.Second}
			err := repairer.Repair(t.Context(), "demo", check.Repair{RoleARN: arn, DeleteEntry: &judged, CreateEntry: EntryType})
			if calls := strings.Join(store.doneCalls, " "); calls != test.calls {
				t.Errorf("%s: called %q, want %q", name, calls, test.calls)
			}
			switch {
			case test.wantErr == "" && (err != nil || store.entry.Type != EntryType):
				t.Errorf("%s: %v, %+v", name, err, store.entry)
			case test.wantErr != "" && (err == nil || !strings.Contains(err.Error(), test.wantErr)):
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// TestInterruptComesNotInBetween: a user who stops the command is not left
// with the old entry gone and no new one.
func TestInterruptComesNotInBetween(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	judged := &snapshot.AccessEntry{PrincipalARN: "arn:aws:iam::111122223333:role/nodes", Type: "STANDARD"}
	store := &entryStore{entry: judged, onDelete: cancel}
	err := (&Repairer{Entries: store, Progress: silent{}}).Repair(ctx, "demo", check.Repair{RoleARN: judged.PrincipalARN, DeleteEntry: judged, CreateEntry: EntryType})
	if err != nil || store.entry == nil || store.entry.Type != EntryType {
		t.Errorf("%v, %+v", err, store.entry)
	}
}
