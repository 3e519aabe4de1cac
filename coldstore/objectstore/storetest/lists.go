package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore"
)

func listOrder(t *testing.T, s objectstore.Store) {
	keys := []string{"a-b", "a/b", "a/b.c/d", "a/bc", "a0", "b", "b-/x", "b.x", "b0/y", "collections/10/x", "collections/9/x"}
	for i := range keys {
		put(t, s, keys[len(keys)-1-i], []byte{byte(i)})
	}
	for _, c := range []struct {
		prefix, after string
	}{
		{"", ""}, {"a", ""}, {"a/", ""}, {"a/b", ""}, {"b", ""}, {"b-", ""}, {"collections/1", ""}, {"zzz", ""}, {"a/b/", ""},
		{"", "a/b"}, {"", "a/b.c/"}, {"a", "a/bc"}, {"", "aa"}, {"", "zzz"}, {"a/", "a"}, {"b", "a"}, {"", "a/b.c/d/e"},
	} {
		page, err := s.List(ctx(t), c.prefix, c.after, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range page.Objects {
			got = append(got, o.Key)
			if o.Size != 1 || o.Tag == "" || o.Modified.IsZero() {
				t.Errorf("listed as %+v", o)
			}
		}
		want := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !strings.HasPrefix(k, c.prefix) || k <= c.after })
		if !slices.Equal(got, want) || page.More {
			t.Errorf("prefix %q after %q: %q (more: %v), want %q", c.prefix, c.after, got, page.More, want)
		}
	}
	if st, err := s.Stat(ctx(t), "a/b"); err != nil {
		t.Error(err)
	} else if page, err := s.List(ctx(t), "a/b", "", 1); err != nil || !page.More || page.Objects[0].Tag != st.Tag {
		t.Errorf("a page of one: %+v, stat %+v, %v", page, st, err)
	}
}

// manyKeys is more than S3 lists in one answer, and then some.
const manyKeys = 1203

func listPages(t *testing.T, s objectstore.Store) {
	var want []string
	for i := range manyKeys {
		want = append(want, fmt.Sprintf("many/%d/%05d", i/500, i))
	}
	fill(t, s, want)
	put(t, s, "man", nil)
	put(t, s, "manz/x", nil)
	for _, limit := range []int{0, 7 * 31, 5000} {
		var got []string
		pages, after := 0, ""
		for more := true; more; pages++ {
			page, err := s.List(ctx(t), "many/", after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(page.Objects); n > objectstore.MaxPage || limit > 0 && n > limit || n == 0 {
				t.Fatalf("a page of %d, limit %d", n, limit)
			}
			for _, o := range page.Objects {
				got = append(got, o.Key)
			}
			more, after = page.More, got[len(got)-1]
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %d keys in %d pages, want %d", limit, len(got), pages, len(want))
		}
	}
	n := 0
	if err := objectstore.Each(ctx(t), s, "", func(objectstore.Info) error { n++; return nil }); err != nil || n != manyKeys+2 {
		t.Errorf("Each saw %d; %v", n, err)
	}
}

// fill puts small objects from 8 writers.
func fill(t *testing.T, s objectstore.Store, keys []string) {
	t.Helper()
	c, next := ctx(t), make(chan string)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for k := range next {
				if _, err := objectstore.PutBytes(c, s, k, []byte(k)); err != nil {
					t.Errorf("put %q: %v", k, err)
				}
			}
		})
	}
	for _, k := range keys {
		next <- k
	}
	close(next)
	wg.Wait()
}

func oddKeys(t *testing.T, s objectstore.Store) {
	keys := []string{
		"with space/and  two", "plus+plus", "per%cent/%2e%2e/%20", "amp&and=eq?query#frag", "quote'\"`", "<xml>&amp;",
		"colon:semi;comma,", "star*[x]{y}|~^$!@()", "umlaut/äöü", "日本語/キー", "emoji/🙂", "a-very/" + strings.Repeat("x", 255),
		"trailing.", "dots..inside/x..y", "UPPER/Case", "-dash", "_under",
	}
	for i, k := range keys {
		put(t, s, k, fmt.Appendf(nil, "%d", i))
	}
	var got []string
	for i, k := range keys {
		wantBytes(t, s, k, fmt.Appendf(nil, "%d", i))
	}
	if err := objectstore.Each(ctx(t), s, "", func(o objectstore.Info) error { got = append(got, o.Key); return nil }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	if !slices.Equal(got, keys) {
		t.Errorf("listed %q, want %q", got, keys)
	}
	for _, k := range keys {
		if err := s.Delete(ctx(t), k); err != nil {
			t.Errorf("delete %q: %v", k, err)
		}
		wantMissing(t, s, k)
	}
}

func badKeys(t *testing.T, s objectstore.Store) {
	long := strings.Repeat("x/", objectstore.MaxKeyBytes/2) + "xx"
	for _, k := range []string{
		"", "/", "/abs", "trailing/", "a//b", "..", "../x", "a/../b", "a/./b", ".hidden", "a/.tmp", "nul\x00", "line\nbreak",
		"back\\slash", "bad\xffutf8", long, strings.Repeat("y", 256),
	} {
		_, err := objectstore.PutBytes(ctx(t), s, k, []byte("x"))
		wantClass(t, err, objectstore.Invalid)
		_, err = s.Get(ctx(t), k, objectstore.Range{})
		wantClass(t, err, objectstore.Invalid)
		_, err = s.Stat(ctx(t), k)
		wantClass(t, err, objectstore.Invalid)
		wantClass(t, s.Delete(ctx(t), k), objectstore.Invalid)
	}
	for _, p := range []string{"/", "../", "a//", ".t", "a/../"} {
		_, err := s.List(ctx(t), p, "", 0)
		wantClass(t, err, objectstore.Invalid)
	}
}
