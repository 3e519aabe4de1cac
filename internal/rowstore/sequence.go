package rowstore

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// sequenceState is a sequence's value. What is written is ahead of what was
// given out by up to sequenceAhead values, so that not every value is a write.
type sequenceState struct {
	mu       sync.Mutex // guards what follows
	loaded   bool
	value    int64
	called   bool
	reserved bool // something is written ahead of value
	left     int  // values that may be given before the next write
	ahead    int  // how many values the last write covered
	wroteAt  time.Time
}

// One synced write covers as many values as PostgreSQL's; each that is used up
// within sequenceBusy covers twice as many as the one before.
const (
	sequenceAhead    = 32
	sequenceAheadMax = 4096
	sequenceBusy     = 100 * time.Millisecond
)

// plan says how many values the next write covers.
func (q *sequenceState) plan() int {
	if q.ahead > 0 && time.Since(q.wroteAt) < sequenceBusy {
		q.ahead = min(2*q.ahead, sequenceAheadMax)
	} else {
		q.ahead = sequenceAhead
	}
	q.wroteAt = time.Now()
	return q.ahead
}

func (q *sequenceState) encode(value int64, called bool) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(value))
	if called {
		return append(b, 1)
	}
	return append(b, 0)
}

func (s *Store) sequence(id types.OID) *sequenceState {
	s.tablesMu.Lock()
	defer s.tablesMu.Unlock()
	q := s.sequences[id]
	if q == nil {
		q = &sequenceState{}
		s.sequences[id] = q
	}
	return q
}

// load reads the durable state; a sequence that was never used stands at its start.
func (q *sequenceState) load(s *Store, id types.OID, start int64) error {
	if q.loaded {
		return nil
	}
	b, closer, err := s.db.Get(oidKey(keySequence, id))
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		q.value, q.called = start, false
	case err != nil:
		return err
	default:
		if len(b) != 9 {
			return errors.Join(damaged("a sequence"), closer.Close())
		}
		q.value, q.called = int64(binary.BigEndian.Uint64(b)), b[8] == 1
		if err := closer.Close(); err != nil {
			return err
		}
	}
	q.loaded = true
	return nil
}

// NextValue advances a sequence. A value is given out only when what covers it is
// on disk, so that none comes twice; a crash leaves a gap.
func (s *Store) NextValue(_ context.Context, seq *catalog.Sequence) (int64, error) {
	q := s.sequence(seq.ID)
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.load(s, seq.ID, seq.Start); err != nil {
		return 0, err
	}
	next, err := q.following(seq, q.value, q.called)
	if err != nil {
		return 0, err
	}
	if q.left == 0 {
		ahead, n := next, 1
		for most := q.plan(); n < most; n++ {
			v, err := q.following(seq, ahead, true)
			if err != nil || (v > ahead) != (seq.Increment > 0) {
				break // the end, or a cycle
			}
			ahead = v
		}
		if err := s.set(oidKey(keySequence, seq.ID), q.encode(ahead, true), pebble.Sync); err != nil {
			return 0, err
		}
		q.left, q.reserved = n, true
	}
	q.left--
	q.value, q.called = next, true
	return next, nil
}

// following is the value after another.
func (q *sequenceState) following(seq *catalog.Sequence, value int64, called bool) (int64, error) {
	if !called {
		return value, nil
	}
	next := value + seq.Increment
	up := seq.Increment > 0
	switch {
	case up && (next > seq.Max || next < value):
		if !seq.Cycle {
			return 0, pgerr.Newf("2200H", "nextval: reached maximum value of sequence %q (%d)", seq.Name, seq.Max)
		}
		return seq.Min, nil
	case !up && (next < seq.Min || next > value):
		if !seq.Cycle {
			return 0, pgerr.Newf("2200H", "nextval: reached minimum value of sequence %q (%d)", seq.Name, seq.Min)
		}
		return seq.Max, nil
	}
	return next, nil
}

// SetValue sets a sequence.
func (s *Store) SetValue(_ context.Context, id types.OID, value int64, called bool) error {
	q := s.sequence(id)
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := s.set(oidKey(keySequence, id), q.encode(value, called), pebble.Sync); err != nil {
		return err
	}
	q.value, q.called, q.loaded, q.left, q.reserved = value, called, true, 0, false
	return nil
}

// SequenceState reads a sequence's last value and whether it was given out.
func (s *Store) SequenceState(seq *catalog.Sequence) (int64, bool, error) {
	q := s.sequence(seq.ID)
	q.mu.Lock()
	defer q.mu.Unlock()
	err := q.load(s, seq.ID, seq.Start)
	return q.value, q.called, err
}

// oidRange hands out object ids from blocks that are reserved durably.
type oidRange struct {
	mu   sync.Mutex // guards what follows
	next uint32
	end  uint32
}

const oidBlock = 256

func (s *Store) loadOIDs() error {
	b, closer, err := s.db.Get([]byte{keyNextOID})
	if errors.Is(err, pebble.ErrNotFound) {
		s.oids.next = uint32(types.FirstUserOID)
		s.oids.end = s.oids.next
		return nil
	}
	if err != nil {
		return err
	}
	if len(b) != 4 {
		return errors.Join(damaged("the next object id"), closer.Close())
	}
	s.oids.next = binary.BigEndian.Uint32(b)
	s.oids.end = s.oids.next
	return closer.Close()
}

// NewID gives an object id that was never used.
func (s *Store) NewID() (types.OID, error) {
	s.oids.mu.Lock()
	defer s.oids.mu.Unlock()
	if s.oids.next == s.oids.end {
		end := s.oids.end + oidBlock
		if err := s.set([]byte{keyNextOID}, binary.BigEndian.AppendUint32(nil, end), pebble.NoSync); err != nil {
			return 0, err
		}
		s.oids.end = end
	}
	s.oids.next++
	return types.OID(s.oids.next - 1), nil
}
