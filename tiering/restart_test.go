package tiering

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

func TestAStartLoadsTheGraphAndBuildsNothing(t *testing.T) {
	f := newFixture(t)
	f.commit(f.load(0, 3000))
	f.commit(f.createIndex)
	f.restart()
	if n := f.graph().TailLen(); n != 0 {
		t.Errorf("%d vectors are in the tail after a start", n)
	}
	f.checkIndex()
	f.noProblems()
}

func TestAStartCatchesUpWithWritesAndDeletesAfterTheCheckpoint(t *testing.T) {
	f := newFixture(t)
	f.commit(f.load(0, 2000))
	f.commit(f.createIndex) // writes the checkpoint
	f.commit(f.insert(2000, 2100))
	f.commit(f.remove(5, 6, 7, 2050))
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.statement(tx, f.insert(2100, 2110)))
	f.m.index(indexID).changed.Add(1)
	f.ok(f.m.checkpoint(f.m.index(indexID))) // holds what is not committed
	tx.Rollback()
	f.commit(f.insert(2200, 2300))
	f.commit(f.remove(9, 2080))
	f.crash()
	f.checkIndex()
	if f.sees(2105) || f.sees(9) || !f.sees(2250) {
		t.Error("rows are wrong after a crash")
	}
	f.noProblems()
}

func TestADamagedOrMissingCheckpointCostsARebuildOnly(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"missing": os.Remove,
		"cut":     func(path string) error { return os.Truncate(path, 1000) },
		"empty":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"a byte changed": func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			b[len(b)/2] ^= 4
			return os.WriteFile(path, b, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.commit(f.load(0, 1500))
			f.commit(f.createIndex)
			f.stop()
			f.ok(damage(f.m.path(indexID)))
			f.open()
			f.checkIndex() // exactly from the tail, before the workers are through
			f.until("all in the graph", func() bool { return f.graph().TailLen() == 0 })
			f.checkIndex()
			f.noProblems()
		})
	}
}

func TestACrashWhileACheckpointIsWrittenLeavesTheOldOne(t *testing.T) {
	f := newFixture(t)
	f.commit(f.load(0, 1500))
	f.commit(f.createIndex)
	path := f.m.path(indexID)
	before, err := os.ReadFile(path)
	f.ok(err)
	failed := errors.New("disk")
	err = writeFile(path, func(w io.Writer) error {
		_, err := w.Write(before[:100])
		return errors.Join(err, failed)
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(path); err != nil || !slices.Equal(before, after) {
		t.Error("the old checkpoint is not whole any more")
	}
	f.ok(os.WriteFile(path+temporary, before[:5000], 0o600)) // the crash came before the rename
	f.ok(os.WriteFile(filepath.Join(f.opts.Dir, "99999.hnsw"), before, 0o600))
	f.ok(os.WriteFile(filepath.Join(f.opts.Dir, "notes.txt"), nil, 0o600))
	f.restart()
	if got := f.files(); !slices.Equal(got, []string{"20001.hnsw", "notes.txt"}) {
		t.Errorf("files %v after a start", got)
	}
	f.checkIndex()
}

func TestACheckpointThatFailsIsToldAndTriedAgain(t *testing.T) {
	f := newFixture(t)
	f.commit(f.load(0, 1500))
	f.commit(f.createIndex)
	f.commit(f.insert(1500, 1510))
	path := f.m.path(indexID)
	f.ok(os.Mkdir(path+temporary, 0o700)) // cannot be opened for writing
	v := f.m.index(indexID)
	if err := f.m.checkpoint(v); err == nil {
		t.Fatal("no error")
	}
	if v.changed.Load() == 0 {
		t.Error("the change is forgotten")
	}
	if _, err := os.Stat(path + temporary); err == nil {
		f.ok(os.Remove(path + temporary))
	}
	f.ok(f.m.checkpoint(v))
	if v.changed.Load() != 0 {
		t.Error("the change is not written")
	}
}

func TestCheckpointsAreWrittenFromTimeToTimeWhileRowsCome(t *testing.T) {
	f := newFixture(t)
	f.stop()
	f.opts.CheckpointEvery = time.Millisecond
	f.open()
	f.commit(f.createIndex)
	v := f.m.index(indexID)
	first, err := os.Stat(f.m.path(indexID))
	f.ok(err)
	f.commit(f.load(0, 1100))
	f.until("a new checkpoint", func() bool {
		now, err := os.Stat(f.m.path(indexID))
		return err == nil && now.Size() > first.Size() && v.changed.Load() == 0
	})
}

func TestAnUnchangedIndexIsNotWrittenAgain(t *testing.T) {
	f := newFixture(t)
	f.commit(f.load(0, 1200))
	f.commit(func(tx *Txn) error { // a row that the index does not hold
		_, _, err := tx.Insert(context.Background(), f.table, types.Row{int64(-1), nil}, storage.InsertOptions{})
		return err
	})
	f.commit(f.createIndex)
	old := time.Now().Add(-time.Hour)
	f.ok(os.Chtimes(f.m.path(indexID), old, old))
	f.restart()
	f.stop()
	info, err := os.Stat(f.m.path(indexID))
	f.ok(err)
	if info.ModTime().After(old.Add(time.Minute)) {
		t.Error("the checkpoint was written although nothing changed")
	}
}

// TestStartOfADataSet measures how long a start takes; see hnsw.TestDataSets.
func TestStartOfADataSet(t *testing.T) {
	dir := os.Getenv("AKIDB_DATASETS")
	if dir == "" {
		t.Skip("AKIDB_DATASETS is not set")
	}
	set, err := dataset.Open(dir, "emb512")
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	f.table = f.table.Clone()
	f.table.Columns[1].Typmod = int32(set.Dim)
	index := f.index()
	index.Keys[0].Typmod = int32(set.Dim)
	f.commit(func(tx *Txn) error { return tx.Change(context.Background(), catalog.Put(f.table), catalog.Put(index)) })
	start := time.Now()
	f.commit(func(tx *Txn) error {
		for from := 0; from < set.Rows(); from += 500 {
			var rows []types.Row
			for i := from; i < min(from+500, set.Rows()); i++ {
				rows = append(rows, types.Row{int64(i), types.Vector(set.Base(i))})
			}
			if err := tx.InsertRows(context.Background(), f.table, rows); err != nil {
				return err
			}
		}
		return nil
	})
	t.Logf("load %.2f s", time.Since(start).Seconds())
	start = time.Now()
	f.commit(func(tx *Txn) error { return tx.BuildIndex(context.Background(), f.table, index) })
	t.Logf("build with checkpoint %.2f s", time.Since(start).Seconds())
	start = time.Now()
	f.stop()
	t.Logf("stop %.2f s", time.Since(start).Seconds())
	start = time.Now()
	f.open()
	t.Logf("start %.2f s, %d rows, %d in the tail", time.Since(start).Seconds(), f.graph().Len(), f.graph().TailLen())
	next := 0
	start = time.Now()
	for time.Since(start) < 3*time.Second {
		f.commit(func(tx *Txn) error {
			_, _, err := tx.Insert(context.Background(), f.table, types.Row{int64(next), types.Vector(set.Base(next))}, storage.InsertOptions{})
			return err
		})
		next++
	}
	t.Logf("single-row commits: %.0f/s, %d in the tail", float64(next)/time.Since(start).Seconds(), f.graph().TailLen())
	start = time.Now()
	f.ok(f.m.checkpoint(f.m.index(indexID)))
	t.Logf("checkpoint %.2f s", time.Since(start).Seconds())
}

func TestABacklogAfterAStartKeepsNoWriterWaiting(t *testing.T) {
	f := newFixture(t)
	f.commit(f.load(0, maxTailRows+2000))
	f.commit(func(tx *Txn) error { return tx.Change(context.Background(), catalog.Put(f.index())) }) // never built
	f.restart()
	v := f.m.index(indexID)
	if v.present().Len() != maxTailRows+2000 || v.present().(*graphBody).full() {
		t.Errorf("%d vectors, full %v", v.present().Len(), v.present().(*graphBody).full())
	}
	f.commit(f.insert(0, 5))
	f.until("all in the graph", func() bool { return v.present().Pending() == 0 && v.present().(*graphBody).backlog.Load() == 0 })
}
