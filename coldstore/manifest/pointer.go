package manifest

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/pgerr"
)

// pointer names the newest manifest and its owner. Number 0 is none yet.
type pointer struct {
	Collection string `json:"collection"`
	Number     uint64 `json:"number"`
	Epoch      uint64 `json:"epoch"`
	// Server is the name of the owner, "" when it has none.
	Server string `json:"server,omitempty"`
	// Nonce tells the put that made it: a writer whose answer was lost reads the
	// pointer back and finds its own.
	Nonce string `json:"nonce"`
}

const (
	pointerKind  = "pointer"
	manifestKind = "manifest"
	snapshotKind = "snapshot"
)

func newNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// readPointer returns the pointer and its version; ok is false when there is none.
func readPointer(ctx context.Context, s objectstore.Store, collection string) (p pointer, tag objectstore.Tag, ok bool, err error) {
	key := PointerKey(collection)
	data, info, err := get(ctx, s, key)
	if objectstore.Is(err, objectstore.NotFound) {
		return pointer{}, "", false, nil
	}
	if err != nil {
		return pointer{}, "", false, err
	}
	if err := decode(pointerKind, key, data, &p); err != nil {
		return pointer{}, "", false, err
	}
	if p.Collection != collection || p.Epoch == 0 {
		return pointer{}, "", false, damaged(pointerKind, key, "It belongs to another collection.")
	}
	return p, info.Tag, true, nil
}

// get reads a document whole.
func get(ctx context.Context, s objectstore.Store, key string) ([]byte, objectstore.Info, error) {
	data, info, err := objectstore.GetBytes(ctx, s, key, objectstore.Range{Length: maxDocument})
	if err == nil && info.Size > maxDocument {
		err = damaged("document", key, "It has %d bytes.", info.Size)
	}
	return data, info, err
}

// Newest reads the newest manifest; nil when none was published.
func Newest(ctx context.Context, s objectstore.Store, collection string) (*Manifest, error) {
	p, _, ok, err := readPointer(ctx, s, collection)
	if err != nil || !ok || p.Number == 0 {
		return nil, err
	}
	return readCommitted(ctx, s, collection, p.Number)
}

// readCommitted reads a manifest that must be there.
func readCommitted(ctx context.Context, s objectstore.Store, collection string, number uint64) (*Manifest, error) {
	m, err := readNumber(ctx, s, collection, number)
	if err == nil && m == nil {
		err = damaged(manifestKind, Key(collection, number), "The object is missing.")
	}
	return m, err
}

// readNumber reads a manifest, published or not; nil when there is none.
func readNumber(ctx context.Context, s objectstore.Store, collection string, number uint64) (*Manifest, error) {
	key := Key(collection, number)
	data, _, err := get(ctx, s, key)
	if objectstore.Is(err, objectstore.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := Decode(key, collection, data)
	if err == nil && m.Number != number {
		err = damaged(manifestKind, key, "It has number %d.", m.Number)
	}
	return m, err
}

// Decode reads a manifest from its bytes; key is for errors.
func Decode(key, collection string, data []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := decode(manifestKind, key, data, m); err != nil {
		return nil, err
	}
	if what := m.check(collection); what != "" {
		return nil, damaged(manifestKind, key, "%s", what)
	}
	return m, nil
}

// At reads the manifest with a number, if it was published: either it is the
// newest one, or a later one follows it. 58P01 says that there is none.
func At(ctx context.Context, s objectstore.Store, collection string, number uint64) (*Manifest, error) {
	p, _, _, err := readPointer(ctx, s, collection)
	if err != nil {
		return nil, err
	}
	none := pgerr.Newf(pgerr.UndefinedFile, "collection %s has no manifest %d", collection, number).
		WithDetail("The newest one has number %d.", p.Number)
	if number == 0 || number > p.Number {
		return nil, none
	}
	m, err := readNumber(ctx, s, collection, number)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, none.WithHint("It may have been removed by retention.")
	}
	for n := number; n != p.Number; {
		n++
		later, err := readNumber(ctx, s, collection, n)
		if err != nil {
			return nil, err
		}
		if later != nil && later.Previous == number {
			return m, nil
		}
		if n == p.Number {
			return nil, none.WithHint("An object of that number was prepared, and never published.")
		}
	}
	return m, nil
}

// List reads the numbers of all manifest objects, published or not, in order.
func List(ctx context.Context, s objectstore.Store, collection string) ([]uint64, error) {
	var out []uint64
	err := objectstore.Each(ctx, s, collectionsPrefix+collection+manifestStart, func(i objectstore.Info) error {
		if n, ok := numberOf(collection, i.Key); ok {
			out = append(out, n)
		}
		return nil
	})
	return out, err
}

// Owner is the name of the server that owns a collection; "" when nobody does, or it
// has no name.
func Owner(ctx context.Context, s objectstore.Store, collection string) (string, error) {
	p, _, _, err := readPointer(ctx, s, collection)
	return p.Server, err
}

// NewestKey is the key of the newest manifest, "" when there is none.
func NewestKey(ctx context.Context, s objectstore.Store, collection string) (string, error) {
	p, _, _, err := readPointer(ctx, s, collection)
	if err != nil || p.Number == 0 {
		return "", err
	}
	return Key(collection, p.Number), nil
}

// EachCollection calls fn for every collection that has objects, by one request each.
func EachCollection(ctx context.Context, s objectstore.Store, fn func(collection string) error) error {
	after := ""
	for {
		page, err := s.List(ctx, collectionsPrefix, after, 1)
		if err != nil || len(page.Objects) == 0 {
			return err
		}
		id := CollectionOf(page.Objects[0].Key)
		if err := fn(id); err != nil {
			return err
		}
		after = CollectionPrefix(id) + "~" // behind all keys of ours
	}
}
