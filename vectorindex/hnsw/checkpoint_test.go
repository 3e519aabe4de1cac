package hnsw

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// mixedIndex has nodes, removed nodes, a tail and removed vectors of the tail.
func (k *testKind) mixedIndex(t testing.TB, n int) *Index {
	t.Helper()
	x := k.sampleIndex(t, n)
	build(t, x)
	for id := types.RowID(3); id < types.RowID(n); id += types.RowID(n / 5) {
		x.Remove(id)
	}
	k.appendSample(t, x, n, n+n/4)
	x.Remove(types.RowID(n + 2))
	return x
}

func everything(t testing.TB, x *Index, q types.Datum) []storage.Candidate {
	t.Helper()
	s, err := x.Search(q, 30)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []storage.Candidate
	for {
		n := len(all)
		if all, err = s.NextBatch(all); err != nil {
			t.Fatal(err)
		}
		if len(all) == n {
			slices.SortFunc(all, nearer)
			return all
		}
	}
}

func TestALoadedCheckpointAnswersAsItsIndexDid(t *testing.T) {
	eachKind(t, func(t *testing.T, k *testKind) {
		x := k.mixedIndex(t, 1000)
		defer closeIndex(t, x)
		path := filepath.Join(t.TempDir(), "graph")
		writeCheckpoint(t, x, path)
		y, err := Load(path, x.options)
		if err != nil {
			t.Fatal(err)
		}
		defer closeIndex(t, y)
		if x.Len() != y.Len() || x.TailLen() != y.TailLen() {
			t.Errorf("%d rows, %d in the tail; were %d and %d", y.Len(), y.TailLen(), x.Len(), x.TailLen())
		}
		q := k.make(dataset.Sample().Queries[0])
		if a, b := everything(t, x, q), everything(t, y, q); !slices.Equal(a, b) {
			t.Error("other answers than before")
		}
		checkGraph(t, y)
		k.appendSample(t, y, 1250, 1500) // it goes on living
		build(t, y)
		checkGraph(t, y)
		if y.TailLen() != 0 || y.Len() != x.Len()+250 {
			t.Errorf("%d rows, %d in the tail", y.Len(), y.TailLen())
		}
	})
}

func TestAnEmptyIndexHasACheckpoint(t *testing.T) {
	eachKind(t, func(t *testing.T, k *testKind) {
		x := k.newIndex(t, 16)
		defer closeIndex(t, x)
		path := filepath.Join(t.TempDir(), "graph")
		writeCheckpoint(t, x, path)
		y, err := Load(path, x.options)
		if err != nil {
			t.Fatal(err)
		}
		closeIndex(t, y)
	})
}

func TestACheckpointIsOneMomentWhileRowsComeAndGo(t *testing.T) {
	k := &testKinds[0]
	x := k.sampleIndex(t, 1500)
	defer closeIndex(t, x)
	build(t, x)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for id := types.RowID(1501); ; id++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := x.Append(id, k.make(dataset.Sample().Base(int(id)%5000))); err != nil {
				t.Error(err)
				return
			}
			x.Remove(id - 3)
		}
	}()
	for range 5 {
		path := filepath.Join(t.TempDir(), "graph")
		writeCheckpoint(t, x, path)
		y, err := Load(path, x.options)
		if err != nil {
			t.Fatal(err)
		}
		checkGraph(t, y)
		if _, err := x.Drain(context.Background(), 100); err != nil {
			t.Fatal(err)
		}
		closeIndex(t, y)
	}
	close(stop)
	<-done
}

func TestADamagedCheckpointIsRefused(t *testing.T) {
	for _, k := range []*testKind{&testKinds[0], &testKinds[7], &testKinds[8], &testKinds[12]} {
		t.Run(k.name, func(t *testing.T) {
			x := k.mixedIndex(t, 300)
			defer closeIndex(t, x)
			path := filepath.Join(t.TempDir(), "graph")
			writeCheckpoint(t, x, path)
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			random := rand.New(rand.NewPCG(5, uint64(len(good))))
			for range 100 {
				bad := slices.Clone(good)
				at := random.IntN(len(bad))
				bad[at] ^= 1 << random.IntN(8)
				mustRefuse(t, x.options, bad, "a bit flipped at byte %d of %d", at, len(bad))
			}
			for range 50 {
				n := random.IntN(len(good))
				mustRefuse(t, x.options, good[:n], "cut to %d of %d bytes", n, len(good))
			}
			mustRefuse(t, x.options, append(slices.Clone(good), 0), "a byte too many")
			older := slices.Clone(good)
			binary.LittleEndian.PutUint32(older[8:], checkpointVersion-1)
			seal(older)
			mustRefuse(t, x.options, older, "another format version")
		})
	}
}

func TestACheckpointLeadsToEveryNode(t *testing.T) {
	k := &testKinds[0]
	x := k.sampleIndex(t, 1500)
	defer closeIndex(t, x)
	build(t, x)
	if n := x.Unreachable(); n != 0 {
		t.Fatalf("%d nodes cannot be reached after Build", n)
	}
	entry, _, _ := x.entryPoint()
	lonely := (entry + 1) % x.slots
	for s := range x.slots {
		list := slices.DeleteFunc(copyList(nil, x.neighbours(s, 0)), func(n uint32) bool { return n == lonely })
		setList(x.neighbours(s, 0), list)
	}
	if n := x.Unreachable(); n != 1 {
		t.Fatalf("%d nodes are counted, one was cut off", n)
	}
	path := filepath.Join(t.TempDir(), "graph")
	writeCheckpoint(t, x, path)
	y, err := Load(path, x.options)
	if err != nil {
		t.Fatal(err)
	}
	defer closeIndex(t, y)
	if n := y.Unreachable(); n != 0 {
		t.Errorf("%d nodes of a checkpoint cannot be reached", n)
	}
}

// seal makes the checksum of a header right.
func seal(b []byte) {
	binary.LittleEndian.PutUint32(b[headerSize-checksumSize:], crc32.Checksum(b[:headerSize-checksumSize], castagnoli))
}

func mustRefuse(t *testing.T, o Options, file []byte, what string, args ...any) {
	t.Helper()
	y, err := loadBytes(t, file, o)
	if err == nil {
		closeIndex(t, y)
		t.Fatalf(what+": accepted", args...)
	}
	if e := pgerr.As(err); e == nil || e.Code != pgerr.DataCorrupted {
		t.Fatalf(what+": %v", append(args, err)...)
	}
}

func loadBytes(t testing.TB, file []byte, o Options) (*Index, error) {
	t.Helper()
	return loadFrom(bytes.NewReader(file), int64(len(file)), o)
}

func TestACheckpointOfOtherOptionsIsRefused(t *testing.T) {
	k := &testKinds[0]
	x := k.sampleIndex(t, 100)
	defer closeIndex(t, x)
	path := filepath.Join(t.TempDir(), "graph")
	writeCheckpoint(t, x, path)
	o := x.options
	o.M = 8
	_, err := Load(path, o)
	if e := pgerr.As(err); e == nil || e.Code != pgerr.ObjectNotInPrerequisiteState {
		t.Errorf("loaded with %v", err)
	}
	if _, err := Load(path+"x", o); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// Files whose checksums are right but whose content no index has written: they may
// load, but never break memory safety.
func TestASealedButImpossibleCheckpointDoesNoHarm(t *testing.T) {
	for _, k := range []*testKind{&testKinds[0], &testKinds[8], &testKinds[12]} {
		x := k.mixedIndex(t, 200)
		var file bytes.Buffer
		if err := x.WriteCheckpoint(&file); err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(9, 9))
		for range 100 {
			bad := slices.Clone(file.Bytes())
			for range 1 + random.IntN(4) {
				bad[random.IntN(len(bad))] = byte(random.Uint32())
			}
			reseal(x, bad)
			if y, err := loadBytes(t, bad, x.options); err == nil {
				everything(t, y, k.make(dataset.Sample().Queries[0]))
				build(t, y)
				closeIndex(t, y)
			}
		}
		closeIndex(t, x)
	}
}

// reseal makes every checksum right, as far as the header of x tells where they are.
func reseal(x *Index, file []byte) {
	h := header{options: x.options, slots: x.slots, blocks: x.blocks, coded: x.sq.Load() != nil}
	h.centred = h.coded && x.sq.Load().Centre() != nil
	seal(file)
	at := headerSize
	for _, s := range x.sections(&h) {
		for first := 0; first < s.records; first += s.perBlock {
			n := min(s.perBlock, s.records-first) * s.size
			if at+n+checksumSize > len(file) {
				return
			}
			binary.LittleEndian.PutUint32(file[at+n:], crc32.Checksum(file[at:at+n], castagnoli))
			at += n + checksumSize
		}
	}
	if n := len(file) - at - checksumSize; n > 0 && n <= blockTarget {
		binary.LittleEndian.PutUint32(file[at+n:], crc32.Checksum(file[at:at+n], castagnoli))
	}
}

func FuzzLoad(f *testing.F) {
	k := &testKinds[0]
	for _, k := range []*testKind{k, &testKinds[8]} {
		x := k.mixedIndex(f, 20)
		var file bytes.Buffer
		if err := x.WriteCheckpoint(&file); err != nil {
			f.Fatal(err)
		}
		f.Add(file.Bytes())
		closeIndex(f, x)
	}
	f.Add([]byte(checkpointMagic))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, k := range []*testKind{k, &testKinds[8], &testKinds[12]} {
			if len(file) >= headerSize {
				seal(file)
			}
			x, err := loadBytes(t, file, Options{M: 16, EfConstruction: 64, Metric: k.metric, Type: k.oid, Dims: dataset.Sample().Dim})
			if err == nil {
				everything(t, x, k.make(dataset.Sample().Queries[0]))
				closeIndex(t, x)
			}
		}
	})
}
