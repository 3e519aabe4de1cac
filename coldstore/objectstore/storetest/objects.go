package storetest

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
)

func readsBack(t *testing.T, s objectstore.Store) {
	data := Bytes(100_000, 1)
	in := put(t, s, "collections/1/segments/a.parquet", data)
	got := wantBytes(t, s, "collections/1/segments/a.parquet", data)
	st, err := s.Stat(ctx(t), "collections/1/segments/a.parquet")
	if err != nil {
		t.Fatal(err)
	}
	for what, i := range map[string]objectstore.Info{"put": in, "get": got, "stat": st} {
		if i.Key != "collections/1/segments/a.parquet" || i.Size != 100_000 || i.Tag != in.Tag || i.Tag == "" {
			t.Errorf("%s says %+v, put said %+v", what, i, in)
		}
	}
	if age := time.Since(st.Modified); age > time.Hour || age < -time.Hour {
		t.Errorf("modified %v ago", age)
	}
}

func emptyObject(t *testing.T, s objectstore.Store) {
	put(t, s, "empty", nil)
	if in := wantBytes(t, s, "empty", nil); in.Size != 0 {
		t.Errorf("size %d", in.Size)
	}
	if data, _, err := objectstore.GetBytes(ctx(t), s, "empty", objectstore.Tail(10)); err != nil || len(data) != 0 {
		t.Errorf("tail of an empty object: %d bytes, %v", len(data), err)
	}
	_, err := s.Get(ctx(t), "empty", objectstore.Range{Offset: 1})
	wantClass(t, err, objectstore.OutOfRange)
}

func ranges(t *testing.T, s objectstore.Store) {
	const size = 200_000
	data := Bytes(size, 2)
	put(t, s, "r", data)
	for _, c := range []struct {
		r        objectstore.Range
		from, to int
	}{
		{objectstore.Range{}, 0, size},
		{objectstore.Range{Length: 1}, 0, 1},
		{objectstore.Range{Length: 1000}, 0, 1000},
		{objectstore.Range{Offset: 1}, 1, size},
		{objectstore.Range{Offset: 77_777, Length: 65_536}, 77_777, 143_313},
		{objectstore.Range{Offset: size - 1}, size - 1, size},
		{objectstore.Range{Offset: size - 10, Length: 10}, size - 10, size},
		{objectstore.Range{Offset: size - 10, Length: 1000}, size - 10, size},
		{objectstore.Range{Length: 10 * size}, 0, size},
		{objectstore.Tail(8), size - 8, size},
		{objectstore.Tail(size), 0, size},
		{objectstore.Tail(2 * size), 0, size},
	} {
		o, err := s.Get(ctx(t), "r", c.r)
		if err != nil {
			t.Fatalf("%+v: %v", c.r, err)
		}
		got, err := io.ReadAll(o.Body)
		if err != nil || !bytes.Equal(got, data[c.from:c.to]) {
			t.Errorf("%+v: %d bytes, want %d to %d; %v", c.r, len(got), c.from, c.to, err)
		}
		if o.Offset != int64(c.from) || o.Length != int64(c.to-c.from) || o.Size != size {
			t.Errorf("%+v: says offset %d, length %d of %d", c.r, o.Offset, o.Length, o.Size)
		}
		if err := o.Body.Close(); err != nil {
			t.Errorf("%+v: close: %v", c.r, err)
		}
	}
	for _, r := range []objectstore.Range{{Offset: size}, {Offset: size, Length: 1}, {Offset: size + 5, Length: 10}} {
		_, err := s.Get(ctx(t), "r", r)
		wantClass(t, err, objectstore.OutOfRange)
	}
}

func missing(t *testing.T, s objectstore.Store) {
	_, err := s.Get(ctx(t), "no/such", objectstore.Range{})
	wantClass(t, err, objectstore.NotFound)
	_, err = s.Get(ctx(t), "no/such", objectstore.Range{Offset: 5, Length: 5})
	wantClass(t, err, objectstore.NotFound)
	wantMissing(t, s, "no/such")
	put(t, s, "folder/x", []byte("x"))
	wantMissing(t, s, "folder")
}

func deletes(t *testing.T, s objectstore.Store) {
	put(t, s, "d/e/f", []byte("x"))
	put(t, s, "d/g", []byte("y"))
	for range 2 {
		if err := s.Delete(ctx(t), "d/e/f"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete(ctx(t), "never/there"); err != nil {
		t.Fatal(err)
	}
	wantMissing(t, s, "d/e/f")
	wantBytes(t, s, "d/g", []byte("y"))
	put(t, s, "d/e/f", []byte("again"))
	wantBytes(t, s, "d/e/f", []byte("again"))
}

func overwrites(t *testing.T, s objectstore.Store) {
	seen := map[objectstore.Tag]bool{}
	for i := range 20 {
		data := fmt.Appendf(nil, "version %2d", i)
		in := put(t, s, "o", data)
		if seen[in.Tag] {
			t.Fatalf("version %d has the tag of an earlier one", i)
		}
		seen[in.Tag] = true
		if got := wantBytes(t, s, "o", data); got.Tag != in.Tag {
			t.Fatalf("put gave tag %s, get %s", in.Tag, got.Tag)
		}
	}
}

// multipartSizes goes around 16 MiB, above which the S3 store sends parts.
func multipartSizes(t *testing.T, s objectstore.Store) {
	for i, size := range []int{159 * MiB / 10, 16 * MiB, 161 * MiB / 10, 40 * MiB} {
		data := Bytes(size, uint64(i))
		for _, body := range []io.Reader{bytes.NewReader(data), stream{bytes.NewReader(data)}} {
			in, err := s.Put(ctx(t), "big", body, objectstore.PutOptions{})
			if err != nil || in.Size != int64(size) {
				t.Fatalf("%d bytes: put says %d; %v", size, in.Size, err)
			}
			wantBytes(t, s, "big", data)
		}
	}
}
