package rowstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// TestPackedLocksHoldAsLooseOnesDo lets owners take, give back and lose locks, with
// savepoints, once with locks packed after every few and once with none packed.
func TestPackedLocksHoldAsLooseOnesDo(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("AKIDB_LOCK_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("AKIDB_LOCK_SEED=%d", seed)
	run := func(limit int) (said []string) {
		rng := rand.New(rand.NewPCG(seed, 0))
		l := newLocker()
		l.limit = limit
		owners := make([]*owner, 4)
		marks := make([][]int, 4)
		for i := range owners {
			owners[i] = newOwner(uint64(i))
		}
		for range 20_000 {
			n := rng.IntN(len(owners))
			o, what, arg := owners[n], rng.IntN(60), rng.IntN(1000)
			id, mode := lockID{kind: lockUnique, oid: 7, key: fmt.Sprint(arg % 40)}, uint8(1)
			if arg < 500 { // an owner that strengthens a lock keeps it beyond the savepoint unless it is packed
				id, mode = lockID{kind: lockRow, oid: 8, row: types.RowID(arg % 40)}, uint8(1+(n+arg%40)%4)
			}
			switch {
			case what == 0:
				l.releaseAll(o)
				owners[n], marks[n] = newOwner(uint64(n)), nil
			case what == 1:
				marks[n] = append(marks[n], l.mark(o))
			case what == 2 && len(marks[n]) > 0:
				at := arg % len(marks[n])
				l.releaseSince(o, marks[n][at])
				marks[n] = marks[n][:at]
			default:
				skipped, _, err := l.acquire(context.Background(), o, id, mode, storage.WaitPolicy{SkipLocked: true})
				said = append(said, fmt.Sprint(n, id, mode, skipped, err))
			}
		}
		for _, o := range owners {
			l.releaseAll(o)
		}
		if len(l.locks)+len(l.packers) > 0 {
			t.Errorf("%d locks and %d packs are left", len(l.locks), len(l.packers))
		}
		return said
	}
	loose, packed := run(1<<30), run(3)
	for i := range loose {
		if loose[i] != packed[i] {
			t.Fatalf("request %d: %s without packing, %s with it", i, loose[i], packed[i])
		}
	}
}

func TestAPackedLockIsWaitedForAndInherited(t *testing.T) {
	l := newLocker()
	l.limit = 2
	a, b := newOwner(1), newOwner(2)
	take := func(o *owner, row types.RowID) error {
		_, _, err := l.acquire(t.Context(), o, lockID{kind: lockRow, oid: 1, row: row}, uint8(storage.ForUpdate), storage.WaitPolicy{})
		return err
	}
	for row := range types.RowID(10) {
		if err := take(a, row); err != nil {
			t.Fatal(err)
		}
	}
	if a.packOf(lockID{kind: lockRow, oid: 1, row: 1}) == nil {
		t.Fatal("the lock is not packed")
	}
	got := make(chan error, 1)
	go func() { got <- take(b, 1) }()
	eventually(t, "somebody waits", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return b.waiting != nil
	})
	l.releaseAll(a)
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	l.releaseAll(b)
}

func TestAFilterKnowsItsKeysAndFewOthers(t *testing.T) {
	const n = 300_000
	f := &keyFilter{}
	for i := range n {
		f.add("key "+strconv.Itoa(i), 1000)
	}
	wrong := 0
	for i := range n {
		if !f.has("key " + strconv.Itoa(i)) {
			t.Fatalf("key %d is missing", i)
		}
		if f.has("other " + strconv.Itoa(i)) {
			wrong++
		}
	}
	if wrong > n/1000 {
		t.Errorf("%d of %d keys that were never added are found", wrong, n)
	}
}
