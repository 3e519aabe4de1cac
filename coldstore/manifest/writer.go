package manifest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/pgerr"
)

// Writer is the right to publish manifests of one collection. It is safe for
// concurrent use; publications follow one another.
type Writer struct {
	store      objectstore.Store
	collection string
	server     string
	epoch      uint64
	now        func() time.Time

	mu   sync.Mutex
	p    pointer         // guarded by mu: the pointer as this writer left it
	tag  objectstore.Tag // guarded by mu: its version
	head *Manifest       // guarded by mu: nil when nothing was published
	lost error           // guarded by mu: set for good when another owner was met
}

// claimTries bounds how often Claim begins again because another server was
// faster; each time one of them has won.
const claimTries = 10

// Claim makes this server the owner of a collection: it raises the epoch, after
// which no older owner can publish. now gives the time that manifests carry.
// server is the name that the collection is known to belong to from then on.
func Claim(ctx context.Context, s objectstore.Store, collection, server string, now func() time.Time) (*Writer, error) {
	for range claimTries {
		old, tag, ok, err := readPointer(ctx, s, collection)
		if err != nil {
			return nil, err
		}
		p := pointer{Collection: collection, Number: old.Number, Epoch: old.Epoch + 1, Server: server, Nonce: newNonce()}
		newTag, won, err := swap(ctx, s, p, tag, ok)
		if err != nil {
			return nil, err
		}
		if !won {
			continue
		}
		w := &Writer{store: s, collection: collection, server: server, epoch: p.Epoch, now: now, p: p, tag: newTag}
		if p.Number > 0 {
			w.head, err = readCommitted(ctx, s, collection, p.Number)
		}
		return w, err
	}
	return nil, pgerr.Newf(pgerr.ObjectInUse, "collection %s is being claimed by another server", collection)
}

// swap puts a pointer in the place of the version tag (of none, unless exists).
// When the answer is lost or says no, the pointer is read back: the nonce tells
// whether this put was the one.
func swap(ctx context.Context, s objectstore.Store, p pointer, tag objectstore.Tag, exists bool) (objectstore.Tag, bool, error) {
	data, err := encode(pointerKind, p)
	if err != nil {
		return "", false, err
	}
	key := PointerKey(p.Collection)
	o := objectstore.PutOptions{IfMatch: tag, IfAbsent: !exists, Nonce: p.Nonce, Size: int64(len(data))}
	info, putErr := s.Put(ctx, key, newBody(data), o)
	if putErr == nil {
		return info.Tag, true, nil
	}
	if !ambiguous(putErr) {
		return "", false, putErr
	}
	now, tag, ok, err := readPointer(ctx, s, p.Collection)
	if err != nil {
		return "", false, fmt.Errorf("%w; and reading it back: %w", putErr, err)
	}
	if ok && now.Nonce == p.Nonce {
		return tag, true, nil
	}
	if objectstore.Is(putErr, objectstore.Condition) {
		return "", false, nil
	}
	return "", false, putErr
}

// ambiguous errors of a conditional put can hide that it happened.
func ambiguous(err error) bool {
	c := objectstore.ClassOf(err)
	return c == objectstore.Condition || c == objectstore.NotFound || c.Transient() || c == objectstore.Failed
}

// Epoch is the epoch of this writer.
func (w *Writer) Epoch() uint64 { return w.epoch }

// Head is the newest manifest, nil when there is none. Nobody may change it.
func (w *Writer) Head() *Manifest {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.head
}

// Publish makes m the newest manifest: it gets a number, and becomes Head. m
// must be made from Head, and belongs to the writer afterwards. 55000 says that another server owns
// the collection; nothing was changed then, and nothing can be published again.
// After any other error the caller can try again.
func (w *Writer) Publish(ctx context.Context, m *Manifest) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost != nil {
		return w.lost
	}
	m.Collection, m.Epoch, m.Nonce = w.collection, w.epoch, newNonce()
	m.Previous, m.Number, m.CreatedAt = w.p.Number, w.p.Number+1, w.now().UTC()
	if what := m.check(w.collection); what != "" {
		return pgerr.New(pgerr.InternalError, "a manifest cannot be published").WithDetail("%s", what)
	}
	if err := w.create(ctx, m); err != nil {
		return err
	}
	p := pointer{Collection: w.collection, Number: m.Number, Epoch: w.epoch, Server: w.server, Nonce: m.Nonce}
	tag, won, err := swap(ctx, w.store, p, w.tag, true)
	if err != nil {
		return w.refresh(ctx, err)
	}
	if !won {
		return w.fenced(ctx)
	}
	w.p, w.tag, w.head = p, tag, m
	return nil
}

// maxLeftovers bounds the numbers that are skipped because an object of a
// publication that never happened lies there.
const maxLeftovers = 1000

// create puts the manifest's object under the first free number.
func (w *Writer) create(ctx context.Context, m *Manifest) error {
	for range maxLeftovers {
		data, err := encode(manifestKind, m)
		if err != nil {
			return err
		}
		if len(data) > maxDocument {
			return pgerr.Newf(pgerr.ProgramLimitExceeded, "the manifest of collection %s has %d bytes", w.collection, len(data))
		}
		key := Key(w.collection, m.Number)
		o := objectstore.PutOptions{IfAbsent: true, Nonce: m.Nonce, Size: int64(len(data))}
		_, putErr := w.store.Put(ctx, key, newBody(data), o)
		if putErr == nil {
			return nil
		}
		if !ambiguous(putErr) {
			return putErr
		}
		there, err := readNumber(ctx, w.store, w.collection, m.Number)
		switch {
		case pgerr.Code(err) == pgerr.DataCorrupted: // a damaged leftover: skipped like a sound one
		case err != nil:
			return fmt.Errorf("%w; and reading it back: %w", putErr, err)
		case there == nil:
			return putErr
		case there.Nonce == m.Nonce:
			return nil
		case there.Epoch > w.epoch:
			return w.fenced(ctx)
		}
		m.Number++
	}
	return pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, "collection %s has %d unpublished manifests", w.collection, maxLeftovers)
}

// refresh looks whether the failed swap is a fence; otherwise err stays.
func (w *Writer) refresh(ctx context.Context, err error) error {
	p, _, ok, readErr := readPointer(ctx, w.store, w.collection)
	if readErr == nil && (!ok || p.Nonce != w.p.Nonce) {
		return w.fenced(ctx)
	}
	return err
}

// fenced remembers that another server owns the collection.
func (w *Writer) fenced(ctx context.Context) error {
	e := pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, "collection %s has been taken over by another server", w.collection).
		WithHint("Only one server may write under a prefix. Stop one of them; this one has stopped writing to the collection.")
	if p, _, ok, err := readPointer(ctx, w.store, w.collection); err == nil && ok {
		e = e.WithDetail("Its writer epoch is %d, that of this server %d.", p.Epoch, w.epoch)
	}
	w.lost = e
	return e
}

// Check says whether this server still owns the collection, by one read.
func (w *Writer) Check(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost != nil {
		return w.lost
	}
	p, _, ok, err := readPointer(ctx, w.store, w.collection)
	if err != nil {
		return err
	}
	if !ok || p.Epoch != w.epoch {
		return w.fenced(ctx)
	}
	return nil
}
