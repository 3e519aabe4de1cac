package rowstore

import (
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// tableState is what the store knows of a table beyond its descriptor.
type tableState struct {
	mu       sync.Mutex // guards what follows
	nextID   types.RowID
	reserved types.RowID // first id not reserved durably
	diskAt   time.Time
	disk     int64

	// switching is held while a commit changes where the rows lie, so that a
	// snapshot and the descriptor that goes with it can be had together.
	switching sync.RWMutex
	// ahead is held while copies of segments' rows come and go, and shared by commits
	// that give rows of segments a local form.
	ahead     sync.RWMutex
	restoring int // how many bring rows back; guarded by ahead

	rows     atomic.Int64
	rowBytes atomic.Int64 // of recent rows, without vectors
}

// idBlock is how many row ids are reserved at a time. The reservation is written
// without waiting for the disk: the commit that uses the ids comes after it in the log.
const idBlock = 1 << 16

// table finds or makes a table's state.
func (s *Store) table(id types.OID) *tableState {
	s.tablesMu.Lock()
	defer s.tablesMu.Unlock()
	t := s.tables[id]
	if t == nil {
		t = &tableState{nextID: 1}
		s.tables[id] = t
	}
	return t
}

// takeIDs gives n row ids and returns the first.
func (s *Store) takeIDs(table types.OID, n int) (types.RowID, error) {
	t := s.table(table)
	t.mu.Lock()
	defer t.mu.Unlock()
	first := t.nextID
	if end := first + types.RowID(n); end > t.reserved {
		reserved := end + idBlock
		if err := s.set(oidKey(keyWatermark, table), binary.BigEndian.AppendUint64(nil, uint64(reserved)), pebble.NoSync); err != nil {
			return 0, err
		}
		t.reserved = reserved
	}
	t.nextID = first + types.RowID(n)
	return first, nil
}

// loadTables reads watermarks and row counts.
func (s *Store) loadTables() error {
	for _, o := range s.Catalog().Objects(catalog.KindTable) {
		id := o.ObjectID()
		t := s.table(id)
		mark, err := readUint64(s.db, oidKey(keyWatermark, id))
		if err != nil {
			return err
		}
		count, err := readUint64(s.db, oidKey(keyCount, id))
		if err != nil {
			return err
		}
		t.nextID, t.reserved = types.RowID(max(mark, 1)), types.RowID(mark)
		t.rows.Store(int64(count))
	}
	return nil
}

// readUint64 reads a number, 0 where there is none.
func readUint64(r pebble.Reader, key []byte) (uint64, error) {
	b, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, readError(err)
	}
	if len(b) != 8 {
		return 0, errors.Join(damaged("a number of the row store"), closer.Close())
	}
	v := binary.BigEndian.Uint64(b)
	return v, closer.Close()
}

// diskEstimateFor is how long an estimate of a table's bytes on disk is good.
const diskEstimateFor = 30 * time.Second

// Stats estimates a table's size; it is cheap. Rows are all, bytes on disk those
// of local rows.
func (s *Store) Stats(table types.OID) storage.TableStats {
	t := s.table(table)
	st := storage.TableStats{Rows: max(t.rows.Load(), 0), RowBytes: t.rowBytes.Load()}
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.diskAt) > diskEstimateFor {
		t.diskAt, t.disk = time.Now(), 0
		for _, kind := range []byte{keyRow, keyVector} {
			prefix := oidKey(kind, table)
			if n, err := s.db.EstimateDiskUsage(prefix, prefixEnd(prefix)); err == nil {
				t.disk += int64(n)
			}
		}
	}
	st.DiskBytes = t.disk
	return st
}
