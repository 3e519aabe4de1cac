package rowstore

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// crashNow keeps nothing that was not synced.
var crashNow = vfs.CrashCloneCfg{}

// smallDisk is a file system of a size that a test sets. refusals counts the
// writes that it refused.
type smallDisk struct {
	vfs.FS
	left     atomic.Int64
	refusals atomic.Int64
}

func (d *smallDisk) take(n int) bool {
	if d.left.Add(-int64(n)) >= 0 {
		return true
	}
	d.left.Add(int64(n))
	d.refusals.Add(1)
	return false
}

func (d *smallDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: uint64(max(d.left.Load(), 0)), TotalBytes: 1 << 40}, nil
}

func (d *smallDisk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if !d.take(1) {
		return nil, &fsError{syscall.ENOSPC}
	}
	f, err := d.FS.Create(name, c)
	return &smallFile{f, d}, err
}

func (d *smallDisk) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.ReuseForWrite(from, to, c)
	return &smallFile{f, d}, err
}

type fsError struct{ error }

func (e *fsError) Unwrap() error { return e.error }

type smallFile struct {
	vfs.File
	disk *smallDisk
}

// Write writes half of what it cannot write all of, as disks do.
func (f *smallFile) Write(p []byte) (int, error) {
	if f.disk.take(len(p)) {
		return f.File.Write(p)
	}
	if n := int(f.disk.left.Load()) / 2; n > 0 && n < len(p) && f.disk.take(n) {
		if n, err := f.File.Write(p[:n]); err != nil {
			return n, err
		}
		return n, &fsError{syscall.ENOSPC}
	}
	return 0, &fsError{syscall.ENOSPC}
}

// eventually waits for a condition that another goroutine brings about.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
		time.Sleep(time.Millisecond)
	}
}

func openSmall(t *testing.T, disk *smallDisk, o Options) *fixture {
	t.Helper()
	o.Dir, o.FS = "rows", disk
	o.SpillBytes = spillBytes()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{t: t, store: s, table: smallTable()}
}

func (f *fixture) makeTable() {
	f.t.Helper()
	f.ok(f.tryMakeTable())
}

// put commits one row and returns the error.
func (f *fixture) put(id int64) error {
	tx, err := f.store.Begin(f.t.Context(), storage.TxnOptions{})
	if err != nil {
		return err
	}
	if err := f.insert(tx, id, id); err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit(f.t.Context(), false)
}

func (f *fixture) wantRows(from, to int64) {
	f.t.Helper()
	r := f.begin(storage.ReadCommitted)
	defer r.Rollback()
	got := f.contents(r)
	for id := from; id <= to; id++ {
		if got[id] != id {
			f.t.Fatalf("row %d is %d", id, got[id])
		}
	}
	if int64(len(got)) != to-from+1 {
		f.t.Fatalf("%d rows, want %d to %d", len(got), from, to)
	}
}

// writable waits until writes are taken again, and says what stands in the way.
func (f *fixture) writable(disk *smallDisk) {
	f.t.Helper()
	defer func() {
		if f.t.Failed() {
			s := f.store.space
			s.mu.Lock()
			defer s.mu.Unlock()
			f.t.Logf("%v; %d bytes free, %d operations wait, ballast missing %t", f.store.ReadOnly(), disk.left.Load(), s.blocked, s.missing)
		}
	}()
	eventually(f.t, "there is room again", func() bool { return f.store.ReadOnly() == nil })
}

func TestAFullDiskRefusesWritesAndRecovers(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a disk: minutes under the race detector")
	}
	if spillBytes() > 0 {
		t.Skip("a spill fails where the commit of a batch waits for room")
	}
	for _, ballast := range []int64{0, 1 << 20} {
		disk := &smallDisk{FS: vfs.NewCrashableMem()}
		disk.left.Store(6 << 20)
		f := openSmall(t, disk, Options{MemTableBytes: 256 << 10, BallastBytes: ballast})
		f.makeTable()
		// One row after the other until the disk is full. The last commit may wait inside.
		var rows atomic.Int64
		var stop atomic.Bool
		ended := make(chan error, 1)
		go func() {
			for id := int64(1); !stop.Load(); id++ {
				if err := f.put(id); err != nil {
					ended <- err
					return
				}
				rows.Store(id)
			}
			ended <- nil
		}()
		eventually(t, "the disk is full", func() bool { return disk.refusals.Load() > 0 && f.store.ReadOnly() != nil })
		if err := f.put(1 << 40); code(err) != pgerr.DiskFull || pgerr.As(err).Hint == "" {
			t.Fatalf("a write to a full disk: %v", err)
		}
		stop.Store(true)
		disk.left.Add(1 << 30)
		if err := <-ended; err != nil && code(err) != pgerr.DiskFull {
			t.Fatalf("the writer got %v", err)
		}
		f.writable(disk)
		n := rows.Load()
		f.ok(f.put(n + 1))
		f.wantRows(1, n+1)
		f.check()
		f.ok(f.store.Close())
		f = openSmall(t, disk, Options{})
		f.wantRows(1, n+1)
		f.check()
		f.ok(f.store.Close())
		t.Logf("ballast %d: %d rows, %d refusals", ballast, n, disk.refusals.Load())
	}
}

func TestLittleSpaceStillTakesDrops(t *testing.T) {
	disk := &smallDisk{FS: vfs.NewCrashableMem()}
	disk.left.Store(64 << 20)
	f := openSmall(t, disk, Options{MinFreeBytes: 8 << 20})
	f.makeTable()
	f.ok(f.put(1))
	disk.left.Store(4 << 20)
	eventually(t, "writes are refused", func() bool { return f.put(2) != nil })
	tx := f.begin(storage.ReadCommitted)
	f.ok(f.statement(tx, func() error { return tx.Truncate(t.Context(), f.table) }))
	f.commit(tx)
	tx = f.begin(storage.ReadCommitted)
	f.ok(tx.Change(t.Context(), catalog.Delete(f.table), catalog.Delete(f.index(20001)), catalog.Delete(f.index(20002))))
	f.commit(tx)
	f.ok(f.store.Close())
}

func TestADiskAtItsLimitDoesNotFlicker(t *testing.T) {
	disk := &smallDisk{FS: vfs.NewCrashableMem()}
	disk.left.Store(64 << 20)
	f := openSmall(t, disk, Options{MinFreeBytes: 8 << 20})
	f.makeTable()
	f.ok(f.put(1))
	disk.left.Store(8<<20 - 1)
	f.store.space.look()
	disk.left.Store(9 << 20)
	err := f.put(2)
	if code(err) != pgerr.DiskFull || !strings.Contains(pgerr.As(err).Hint, "when 10 MB are free") {
		t.Fatalf("with a little more than the limit: %v, hint %q", err, pgerr.As(err).Hint)
	}
	f.store.space.look()
	if f.store.ReadOnly() == nil {
		t.Error("writes are taken again with 9 MB free, of 8 and a quarter")
	}
	disk.left.Store(11 << 20)
	eventually(t, "there is room again", func() bool { return f.store.ReadOnly() == nil })
	disk.left.Store(9 << 20)
	f.store.space.look()
	f.ok(f.put(2))
	f.ok(f.store.Close())
}

func TestADropThatFailsDoesNotGiveRowIDsAgain(t *testing.T) {
	disk := &smallDisk{FS: vfs.NewCrashableMem()}
	disk.left.Store(64 << 20)
	f := openSmall(t, disk, Options{})
	f.makeTable()
	f.ok(f.put(1))
	b := f.store.db.NewBatch()
	f.ok(dropFreed(b, []catalog.Change{catalog.Delete(f.table)}))
	f.ok(b.Close()) // the commit did not come
	f.ok(f.put(2))
	f.wantRows(1, 2)
	f.ok(f.store.Close())
}

func TestAStartOnAFullDiskSaysSo(t *testing.T) {
	defer ignoreLeaks()
	mem := vfs.NewCrashableMem()
	disk := &smallDisk{FS: mem}
	disk.left.Store(1 << 30)
	f := openSmall(t, disk, Options{BallastBytes: 1 << 20})
	f.makeTable()
	f.ok(f.put(1))
	f.ok(f.store.Close())
	disk.left.Store(0)
	if _, err := Open(t.Context(), Options{Dir: "rows", FS: disk}); code(err) != pgerr.DiskFull {
		t.Fatalf("got %v", err)
	}
	disk = &smallDisk{FS: mem.CrashClone(crashNow)} // as another process
	disk.left.Store(1 << 30)
	f = openSmall(t, disk, Options{})
	f.wantRows(1, 1)
	f.ok(f.store.Close())
}

// TestARealFullDisk fills a small tmpfs.
func TestARealFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a disk: minutes under the race detector")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=24m", "none", dir).CombinedOutput(); err != nil {
		t.Skipf("no tmpfs: %v: %s", err, out)
	}
	defer func() { _ = exec.Command("umount", "-l", dir).Run() }()
	blocker := filepath.Join(dir, "blocker")
	if out, err := exec.Command("dd", "if=/dev/zero", "of="+blocker, "bs=1M", "count=12").CombinedOutput(); err != nil {
		t.Fatalf("dd: %v: %s", err, out)
	}
	open := func() *fixture {
		s, err := Open(t.Context(), Options{Dir: filepath.Join(dir, "rows"), MemTableBytes: 1 << 20, BallastBytes: 2 << 20, SpillBytes: spillBytes()})
		if err != nil {
			t.Fatal(err)
		}
		return &fixture{t: t, store: s, table: smallTable()}
	}
	f := open()
	f.makeTable()
	n := int64(0)
	for {
		err := f.put(n + 1)
		if err != nil {
			if code(err) != pgerr.DiskFull {
				t.Fatal(err)
			}
			break
		}
		n++
	}
	f.wantRows(1, n)
	if out, err := exec.Command("rm", blocker).CombinedOutput(); err != nil {
		t.Fatalf("rm: %v: %s", err, out)
	}
	eventually(t, "there is room again", func() bool { return f.store.ReadOnly() == nil })
	f.ok(f.put(n + 1))
	f.ok(f.store.Close())
	f = open()
	f.wantRows(1, n+1)
	f.check()
	f.ok(f.store.Close())
	t.Logf("%d rows", n)
}

// brokenDisk fails the nth write to a file whose name ends so, once.
type brokenDisk struct {
	vfs.FS
	after atomic.Int64
}

var errBroken = errors.New("input/output error")

func (d *brokenDisk) broken() bool { return d.after.Add(-1) == 0 }

func (d *brokenDisk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if d.broken() {
		return nil, errBroken
	}
	f, err := d.FS.Create(name, c)
	return &brokenFile{f, d}, err
}

func (d *brokenDisk) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if d.broken() {
		return nil, errBroken
	}
	f, err := d.FS.ReuseForWrite(from, to, c)
	return &brokenFile{f, d}, err
}

func (d *brokenDisk) Rename(a, b string) error {
	if d.broken() {
		return errBroken
	}
	return d.FS.Rename(a, b)
}

func (d *brokenDisk) OpenDir(name string) (vfs.File, error) {
	if d.broken() {
		return nil, errBroken
	}
	f, err := d.FS.OpenDir(name)
	return &brokenFile{f, d}, err
}

type brokenFile struct {
	vfs.File
	disk *brokenDisk
}

func (f *brokenFile) Write(p []byte) (int, error) {
	if f.disk.broken() {
		return 0, errBroken
	}
	return f.File.Write(p)
}

func (f *brokenFile) Sync() error {
	if f.disk.broken() {
		return errBroken
	}
	return f.File.Sync()
}

func (f *brokenFile) SyncData() error {
	if f.disk.broken() {
		return errBroken
	}
	return f.File.SyncData()
}

// TestEveryWriteFailsOnce lets the first, the second, ... operation that writes
// fail: each time there is an error or none, but no panic, and after a crash
// every acknowledged row is there.
func TestEveryWriteFailsOnce(t *testing.T) {
	defer ignoreLeaks()
	failed := 0
	for n := int64(1); ; n++ {
		mem := vfs.NewCrashableMem()
		disk := &brokenDisk{FS: mem}
		acknowledged := int64(0)
		disk.after.Store(n)
		s, err := Open(t.Context(), Options{Dir: "rows", FS: disk, MemTableBytes: 128 << 10, SpillBytes: spillBytes()})
		if err == nil {
			f := &fixture{t: t, store: s, table: smallTable()}
			if err = f.tryMakeTable(); err == nil {
				for id := int64(1); id <= 40 && err == nil; id++ {
					if err = f.put(id); err == nil {
						acknowledged = id
					}
					if id%10 == 0 && err == nil {
						err = s.failure.guarded(func() error { _, err := s.db.AsyncFlush(); return err })
					}
				}
			}
			if err != nil {
				if again := f.put(1000); code(err) == pgerr.IOError && code(again) != pgerr.IOError {
					t.Fatalf("operation %d: after %v came %v", n, err, again)
				}
			}
			err = errors.Join(err, s.Close())
		}
		spent := disk.after.Load() > 0
		if err != nil {
			failed++
		}
		after := mem.CrashClone(crashNow)
		disk.after.Store(0)
		s, err = Open(t.Context(), Options{Dir: "rows", FS: after, SpillBytes: spillBytes()})
		if err != nil {
			t.Fatalf("operation %d: opening again: %v", n, err)
		}
		f := &fixture{t: t, store: s, table: smallTable()}
		if acknowledged > 0 {
			r := f.begin(storage.ReadCommitted)
			got := f.contents(r)
			r.Rollback()
			for id := int64(1); id <= acknowledged; id++ {
				if got[id] != id {
					t.Fatalf("operation %d: row %d of %d is lost", n, id, acknowledged)
				}
			}
			f.check()
		}
		f.ok(s.Close())
		if spent {
			t.Logf("%d operations, %d errors", n-1, failed)
			return
		}
	}
}

func smallTable() *catalog.Table {
	return &catalog.Table{ID: 20000, Schema: "public", Name: "items", Columns: []catalog.Column{
		{Num: 1, Name: "id", Type: types.Int8OID, Typmod: -1}, {Num: 2, Name: "n", Type: types.Int8OID, Typmod: -1},
		{Num: 3, Name: "v", Type: types.VectorOID, Typmod: 2}}}
}

func (f *fixture) tryMakeTable() error {
	tx, err := f.store.Begin(f.t.Context(), storage.TxnOptions{})
	if err != nil {
		return err
	}
	err = tx.Change(f.t.Context(), catalog.Put(f.table),
		catalog.Put(&catalog.Index{ID: 20001, Table: 20000, Name: "items_pkey", Method: "btree", Unique: true, Valid: true, Keys: []catalog.IndexKey{{Column: 1, Type: types.Int8OID}}}),
		catalog.Put(&catalog.Index{ID: 20002, Table: 20000, Name: "items_n", Method: "btree", Valid: true, Keys: []catalog.IndexKey{{Column: 2, Type: types.Int8OID}}}))
	return errors.Join(err, tx.Commit(f.t.Context(), false))
}
