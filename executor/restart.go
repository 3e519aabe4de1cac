package executor

import (
	"context"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// restarted is a sequence's state before RESTART or TRUNCATE … RESTART IDENTITY.
// Sequences are no part of a transaction, but these commands are.
type restarted struct {
	sequence types.OID
	value    int64
	called   bool
}

// restartSequence sets a sequence and remembers what it was.
func (s *session) restartSequence(ctx context.Context, id types.OID, value int64, called bool) error {
	if q, ok := s.engine.source.Catalog().Object(id).(*catalog.Sequence); ok { // one made just now goes with the rollback
		was, wasCalled, err := s.engine.source.SequenceState(q)
		if err != nil {
			return err
		}
		s.tx.restarted = append(s.tx.restarted, restarted{id, was, wasCalled})
	}
	return s.engine.source.SetValue(ctx, id, value, called)
}

// undoRestarts gives sequences the state back that they had when n had been restarted.
func (s *session) undoRestarts(n int) {
	for i := len(s.tx.restarted) - 1; i >= n; i-- {
		r := s.tx.restarted[i]
		if err := s.engine.source.SetValue(context.Background(), r.sequence, r.value, r.called); err != nil {
			s.warning("01000", "a sequence was not set back: "+err.Error())
		}
	}
	s.tx.restarted = s.tx.restarted[:n]
}
