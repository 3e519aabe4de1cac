package coldstore

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/fault"
	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
	"github.com/akidb/akidb/coldstore/objectstore/retry"
	"github.com/akidb/akidb/coldstore/objectstore/s3"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// patient puts retries that do not wait over the store that breaks.
func (f *fixture) patient() {
	f.o.Store = retry.Wrap(f.fault, retry.Policy{Sleep: func(context.Context, time.Duration) error { return nil }})
	f.open()
}

// use reads everything in every way, and returns the first error.
func (f *fixture) use(c *Collection) error {
	ctx := context.Background()
	it, err := c.Nearest(ctx, f.index, Query{Vector: f.query(1), Want: 10})
	if err == nil {
		for {
			var got []storage.Candidate
			if got, err = it.NextBatch(nil); err != nil || len(got) == 0 {
				break
			}
			for _, g := range got {
				if row, ok := f.rows[g.ID]; !ok || row[2] == nil {
					return pgerr.Newf(pgerr.InternalError, "a wrong row %d", g.ID)
				}
			}
		}
		_ = it.Close()
	}
	if err != nil {
		return err
	}
	var ids []types.RowID
	for id := range f.rows {
		ids = append(ids, id)
	}
	var wrong error
	err = c.Rows(ctx, []int16{1, 2, 3}, ids, func(id types.RowID, row types.Row) error {
		if !reflect.DeepEqual(f.rows[id], row) {
			wrong = pgerr.Newf(pgerr.InternalError, "row %d is wrong", id)
		}
		return nil
	})
	if wrong != nil {
		return wrong
	}
	return err
}

func TestPassingFaultsAreNotNoticed(t *testing.T) {
	for name, rule := range map[string]fault.Rule{
		"puts without an answer":       {Op: objectstore.OpPut, Chance: 0.4, Effect: fault.LoseAnswer(objectstore.Unavailable)},
		"503 to puts":                  {Op: objectstore.OpPut, Skip: 2, Count: 5, Effect: fault.Fail(objectstore.Throttled)},
		"503 to gets":                  {Op: objectstore.OpGet, Chance: 0.2, Effect: fault.Fail(objectstore.Throttled)},
		"connections lost in the body": {Op: objectstore.OpGet, Chance: 0.2, Effect: fault.Break(100)},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 600)
			f.o.Store = retry.Wrap(f.fault, retry.Policy{Retries: 12, Sleep: func(context.Context, time.Duration) error { return nil }})
			f.open()
			broken := f.fault.Add(rule)
			if err := f.use(f.seal()); err != nil {
				t.Error(err)
			}
			if broken() == 0 {
				t.Error("nothing broke")
			}
		})
	}
}

func TestAFaultThatStaysFailsTheSealAndLeavesNothing(t *testing.T) {
	f := newFixture(t, 600)
	f.patient()
	for _, c := range []objectstore.Class{objectstore.Denied, objectstore.Full, objectstore.Unavailable} {
		f.fault.Add(fault.Rule{Op: objectstore.OpPut, Key: "*/segments/*", Skip: 1, Effect: fault.Fail(c)})
		_, err := f.s.Seal(t.Context(), f.sealing(), nil)
		f.fault.Clear()
		if pgerr.Code(err) != c.SQLSTATE() {
			t.Errorf("%v: %v", c, err)
		}
		err = objectstore.Each(t.Context(), f.fault, "collections/"+f.name+"/segments/", func(i objectstore.Info) error {
			t.Errorf("%v: %s is left", c, i.Key)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.use(f.seal()); err != nil {
		t.Error(err)
	}
}

// Every object of a collection is broken in every way, one after the other.
func TestDamageIsNamedAndNeverServed(t *testing.T) {
	f := newFixture(t, 600)
	f.patient()
	c := f.seal()
	for _, key := range c.keysOf() {
		for name, e := range map[string]fault.Effect{
			"flipped": fault.Flip(40), "missing": fault.Fail(objectstore.NotFound),
		} {
			f.patient()
			f.fault.Add(fault.Rule{Op: objectstore.OpGet, Key: key, Effect: e})
			err := f.use(f.view(c.cold))
			f.fault.Clear()
			if pgerr.Code(err) != pgerr.DataCorrupted || !strings.Contains(err.Error(), key) {
				t.Errorf("%s %s: %v", key, name, err)
			}
			if err := f.use(f.view(c.cold)); err != nil {
				t.Errorf("%s was %s and is right again: %v", key, name, err)
			}
		}
	}
}

func TestATruncatedObjectIsDamaged(t *testing.T) {
	f := newFixture(t, 600)
	f.patient()
	c := f.seal()
	for _, key := range c.keysOf() {
		data, _, err := objectstore.GetBytes(t.Context(), f.fault, key, objectstore.Range{})
		if err != nil {
			t.Fatal(err)
		}
		for _, length := range []int{len(data) - 1, len(data) / 2, 1} {
			f.patient()
			replace(t, f.fault, key, data[:length])
			err := f.use(f.view(c.cold))
			if pgerr.Code(err) != pgerr.DataCorrupted || !strings.Contains(err.Error(), key) {
				t.Errorf("%s with %d of %d bytes: %v", key, length, len(data), err)
			}
		}
		replace(t, f.fault, key, data)
	}
	// A body that is cut on its way is a lost connection, and nothing of it is served.
	f.patient()
	f.fault.Add(fault.Rule{Op: objectstore.OpGet, Key: "*.ivf", Effect: fault.Truncate(30)})
	if err := f.use(f.view(c.cold)); objectstore.ClassOf(err) != objectstore.Unavailable {
		t.Errorf("a cut body: %v", err)
	}
}

func replace(t *testing.T, s objectstore.Store, key string, data []byte) {
	t.Helper()
	if _, err := objectstore.PutBytes(t.Context(), s, key, data); err != nil {
		t.Fatal(err)
	}
}

// A flipped bit in what was uploaded is found before anything is published.
func TestASealVerifiesWhatItHasWritten(t *testing.T) {
	f := newFixture(t, 600)
	f.patient()
	for _, key := range []string{"*.parquet", "*.ivf"} {
		f.fault.Add(fault.Rule{Op: objectstore.OpPut, Key: key, Count: 1, Effect: fault.Flip(200)})
		_, err := f.s.Seal(t.Context(), f.sealing(), nil)
		f.fault.Clear()
		if pgerr.Code(err) != pgerr.DataCorrupted {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func (c *Collection) keysOf() []string {
	var out []string
	for i := range c.cold.Segments {
		out = append(out, c.cold.Segments[i].Key)
		for _, p := range c.cold.Segments[i].Parts {
			out = append(out, p.Key)
		}
	}
	return out
}

func TestOnARealMinIO(t *testing.T) {
	server := miniotest.Start(t, miniotest.Options{})
	if err := server.MakeBucket("akidb"); err != nil {
		t.Fatal(err)
	}
	bucket, err := s3.Open(s3.Options{Endpoint: server.Endpoint, Bucket: "akidb", Prefix: "test", AccessKey: miniotest.AccessKey, SecretKey: miniotest.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixtureOn(t, bucket, 1000)
	f.o.Check = bucket.Check
	f.patient()
	f.fault.Add(fault.Rule{Op: objectstore.OpPut, Chance: 0.3, Effect: fault.LoseAnswer(objectstore.Unavailable)})
	f.fault.Add(fault.Rule{Op: objectstore.OpGet, Chance: 0.1, Effect: fault.Break(50)})
	c := f.seal()
	if err := f.use(c); err != nil {
		t.Error(err)
	}
	if got := all(t, c, 1, 2, 3); !reflect.DeepEqual(got, f.rows) {
		t.Errorf("%d rows came back otherwise than %d were sealed", len(got), len(f.rows))
	}
}

func TestABucketThatIsAwayIsAskedAgain(t *testing.T) {
	f := newFixture(t, 100)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.o.Now = func() time.Time { return now }
	f.open()
	f.fault.Add(fault.Rule{Effect: fault.Fail(objectstore.Unavailable)})
	_, err := f.s.Seal(t.Context(), f.sealing(), nil)
	if pgerr.Code(err) != objectstore.Unavailable.SQLSTATE() || Misconfigured(err) {
		t.Errorf("got %v", err)
	}
	f.fault.Clear()
	now = now.Add(askAgain)
	if _, err := f.s.Seal(t.Context(), f.sealing(), nil); err != nil {
		t.Error(err)
	}
}

// Whoever has lost a collection to another server publishes nothing any more.
func TestASecondServerFencesTheFirst(t *testing.T) {
	f := newFixture(t, 100)
	f.seal()
	first := f.s
	f.open()
	f.seal()
	_, err := first.Seal(t.Context(), f.sealing(), nil)
	if pgerr.Code(err) != pgerr.ObjectNotInPrerequisiteState || !strings.Contains(err.Error(), "taken over by another server") {
		t.Errorf("got %v", err)
	}
}

func TestPartsComeBackAsFiles(t *testing.T) {
	f := newFixture(t, 300)
	in := f.sealing()
	in.Bare = true
	path := t.TempDir() + "/graph"
	writeFile(t, path, strings.Repeat("graph", 1000))
	in.Graphs = map[types.OID]string{f.index.ID: path}
	cold, err := f.s.Seal(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := f.view(cold)
	parts := c.Parts(f.index.ID, KindHNSW)
	if len(parts) != 1 || len(c.Parts(f.index.ID, KindIVF)) != 0 {
		t.Fatalf("parts %v", parts)
	}
	if err := f.s.FetchPart(t.Context(), parts[0], path+"2"); err != nil || readFile(t, path+"2") != readFile(t, path) {
		t.Errorf("the part came back otherwise: %v", err)
	}
	f.fault.Add(fault.Rule{Op: objectstore.OpGet, Key: parts[0].Key, Effect: fault.Flip(7)})
	if err := f.s.FetchPart(t.Context(), parts[0], path+"3"); pgerr.Code(err) != pgerr.DataCorrupted {
		t.Errorf("a flipped bit: %v", err)
	}
	f.fault.Clear()
	got, stats := nearest(t, c, f.index, Query{Vector: f.query(1), Want: 10}, 0)
	if len(got) != len(f.truth(f.query(1))) || stats.Method != "exact" {
		t.Errorf("%d rows by %s", len(got), stats.Method)
	}
}
