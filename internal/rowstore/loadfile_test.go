package rowstore

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// wideTable has vectors so large that a few loads of 100 rows go into files.
func (f *fixture) wideTable() *catalog.Table {
	f.t.Helper()
	wide := &catalog.Table{ID: 22000, Schema: "public", Name: "wide", Columns: []catalog.Column{
		{Num: 1, Name: "id", Type: types.Int8OID, Typmod: -1}, {Num: 2, Name: "a", Type: types.VectorOID, Typmod: 4000},
		{Num: 3, Name: "b", Type: types.HalfVecOID, Typmod: -1}}}
	tx := f.begin(storage.ReadCommitted)
	f.ok(tx.Change(f.t.Context(), catalog.Put(wide)))
	f.commit(tx)
	return wide
}

func wideRow(id int64) types.Row {
	v := make(types.Vector, 4000)
	v[0], v[3999] = float32(id), 1
	row := types.Row{id, v, nil}
	if id%3 == 0 {
		row[2] = types.HalfVector{uint16(id), 2}
	}
	return row
}

// loadWide is one COPY of rows in batches of 100; it does not end the statement.
func loadWide(tx *Txn, wide *catalog.Table, from, to int64) error {
	for id := from; id < to; {
		var rows []types.Row
		for ; len(rows) < 100 && id < to; id++ {
			rows = append(rows, wideRow(id))
		}
		if err := tx.InsertRows(context.Background(), wide, rows); err != nil {
			return err
		}
	}
	return nil
}

// wantWide reads the table and compares every row.
func (f *fixture) wantWide(tx *Txn, wide *catalog.Table, n int64) {
	f.t.Helper()
	f.start(tx)
	it, err := tx.Scan(f.t.Context(), storage.ScanSpec{Table: wide, Columns: []int16{1, 2, 3}})
	f.ok(err)
	row := make(types.Row, 3)
	for id := int64(0); ; id++ {
		_, ok, err := it.Next(row)
		f.ok(err)
		if !ok {
			if id != n {
				f.t.Fatalf("%d rows, want %d", id, n)
			}
			break
		}
		want := wideRow(id)
		for i, c := range wide.Columns {
			if (row[i] == nil) != (want[i] == nil) || row[i] != nil && types.Compare(c.Type, row[i], want[i]) != 0 {
				f.t.Fatalf("row %d: column %s differs", id, c.Name)
			}
		}
	}
	f.ok(it.Close())
	f.ok(tx.EndStatement(true))
}

func (f *fixture) files() (names []string) {
	all, err := f.fs.List("rows")
	f.ok(err)
	for _, n := range all {
		if strings.HasPrefix(n, loadPrefix) {
			names = append(names, n)
		}
	}
	return names
}

func TestALargeLoadGoesIntoFilesAndIsAllThere(t *testing.T) {
	const rows = 1500 // 24 MB
	for _, iso := range []storage.Isolation{storage.ReadCommitted, storage.RepeatableRead} {
		f := newFixture(t)
		wide := f.wideTable()
		tx := f.begin(iso)
		f.wantWide(tx, wide, 0)
		f.start(tx)
		f.ok(loadWide(tx, wide, 0, rows/2))
		if len(f.files()) != 2 {
			t.Errorf("files %v", f.files())
		}
		tx.Advance()
		f.ok(loadWide(tx, wide, rows/2, rows))
		f.ok(tx.EndStatement(true))
		f.wantWide(tx, wide, rows)
		f.commit(tx)
		crashed := f.fs.CrashClone(crashNow)
		f.ok(f.store.Close())
		f.fs, f.watch = crashed, &watch{live: map[types.RowID]bool{}}
		f.store = openAt(t, f.fs, f.watch)
		r := f.begin(storage.ReadCommitted)
		f.wantWide(r, wide, rows)
		r.Rollback()
		if len(f.files()) > 0 {
			t.Errorf("files are left: %v", f.files())
		}
		var report Report
		f.ok(f.store.checkTable(t.Context(), wide, &report))
		if len(report.Problems) > 0 || report.Vectors != rows+rows/3 {
			t.Errorf("%d vectors, %v", report.Vectors, report.Problems)
		}
	}
}

func TestALargeLoadThatEndsBadlyLeavesNothing(t *testing.T) {
	for _, how := range []string{"statement", "transaction", "savepoint", "crash in the statement", "crash before the commit"} {
		t.Run(how, func(t *testing.T) {
			f := newFixture(t)
			wide := f.wideTable()
			tx := f.begin(storage.ReadCommitted)
			f.ok(tx.Savepoint("a"))
			f.start(tx)
			f.ok(loadWide(tx, wide, 0, 900))
			switch how {
			case "statement":
				f.ok(tx.EndStatement(false))
				f.commit(tx)
			case "transaction":
				f.ok(tx.EndStatement(true))
				tx.Rollback()
			case "savepoint":
				f.ok(tx.EndStatement(true))
				f.ok(tx.RollbackTo("a"))
				f.commit(tx)
			default:
				if how == "crash before the commit" {
					f.ok(tx.EndStatement(true))
				}
				crashed := f.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 0})
				tx.Rollback()
				f.ok(f.store.Close())
				f.fs = crashed
				f.store = openAt(t, f.fs, f.watch)
			}
			if len(f.files()) > 0 {
				t.Errorf("files are left: %v", f.files())
			}
			var report Report
			f.ok(f.store.checkTable(t.Context(), wide, &report))
			if len(report.Problems) > 0 || report.Vectors > 0 {
				t.Errorf("%d vectors, %v", report.Vectors, report.Problems)
			}
			tx = f.begin(storage.ReadCommitted)
			f.ok(f.statement(tx, func() error { return loadWide(tx, wide, 0, 300) }))
			f.commit(tx)
			r := f.begin(storage.ReadCommitted)
			f.wantWide(r, wide, 300)
			r.Rollback()
		})
	}
}

func TestALoadOntoAFullDiskFailsAndGivesItsRoomBack(t *testing.T) {
	disk := &smallDisk{FS: vfs.NewCrashableMem()}
	disk.left.Store(24 << 20)
	f := openSmall(t, disk, Options{MemTableBytes: 64 << 20})
	wide := f.wideTable()
	tx := f.begin(storage.ReadCommitted)
	f.start(tx)
	err := loadWide(tx, wide, 0, 3000)
	err = errors.Join(err, tx.EndStatement(err == nil))
	if code(err) != pgerr.DiskFull {
		t.Fatalf("got %v", err)
	}
	tx.Rollback()
	f.fs = disk.FS.(*vfs.MemFS)
	if len(f.files()) > 0 {
		t.Errorf("files are left: %v", f.files())
	}
	disk.left.Add(1 << 30)
	eventually(t, "there is room again", func() bool {
		tx = f.begin(storage.ReadCommitted)
		f.start(tx)
		err := loadWide(tx, wide, 0, 1000)
		err = errors.Join(err, tx.EndStatement(err == nil))
		if err != nil {
			tx.Rollback()
		}
		return err == nil
	})
	f.commit(tx)
	r := f.begin(storage.ReadCommitted)
	f.wantWide(r, wide, 1000)
	r.Rollback()
	f.ok(f.store.Close())
}
