package objectstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// Probe finds out whether a store honours conditional writes, by writing a small
// object of its own and removing it. A store that does not gets an error of class
// Unsupported: two servers on it could overwrite each other's manifests, and
// neither would notice. Other errors are the store's own.
func Probe(ctx context.Context, s Store) (err error) {
	key := "akidb-probe-" + rand.Text()
	p := prober{ctx: ctx, s: s, key: key}
	defer func() {
		// The object goes even when the caller's context ended meanwhile.
		err = errors.Join(err, s.Delete(context.WithoutCancel(ctx), key))
	}()
	return p.run()
}

type prober struct {
	ctx context.Context
	s   Store
	key string
}

func (p *prober) run() error {
	one, err := Create(p.ctx, p.s, p.key, []byte("one"))
	if err != nil {
		return p.refusal("create if absent", err)
	}
	if _, err = Create(p.ctx, p.s, p.key, []byte("two")); !Is(err, Condition) {
		return p.broken("creating an object twice", err)
	}
	two, err := Swap(p.ctx, p.s, p.key, one.Tag, []byte("three"))
	if err != nil {
		return p.refusal("replace if unchanged", err)
	}
	if two.Tag == one.Tag {
		return p.unsupported(errors.New("a replaced object keeps its version tag"))
	}
	if _, err = Swap(p.ctx, p.s, p.key, one.Tag, []byte("four")); !Is(err, Condition) {
		return p.broken("replacing an object by an outdated version tag", err)
	}
	data, _, err := GetBytes(p.ctx, p.s, p.key, Range{})
	if err == nil && string(data) != "three" {
		err = p.unsupported(errors.New("a refused write changed the object"))
	}
	return err
}

// refusal is for a first conditional write that failed. A store that does not know
// the header says that the request is invalid or not implemented.
func (p *prober) refusal(what string, err error) error {
	if c := ClassOf(err); c == Unsupported || c == Invalid {
		return p.unsupported(fmt.Errorf("%s: %w", what, err))
	}
	return err
}

// broken is for a write that had to be refused.
func (p *prober) broken(what string, err error) error {
	if err != nil {
		return err
	}
	return p.unsupported(fmt.Errorf("%s succeeded, and had to be refused", what))
}

func (p *prober) unsupported(cause error) error {
	place := "the object store"
	if n, ok := p.s.(fmt.Stringer); ok {
		place = n.String()
	}
	return &Error{Class: Unsupported, Op: OpPut, Place: place, Key: p.key, Err: cause,
		Hint: "AkiDB needs conditional writes (If-None-Match and If-Match on PutObject), as AWS S3, MinIO from 2024-12 on and " +
			"Oracle Cloud have them: without them a second server could overwrite this one's manifests unnoticed. Update the store, or use the directory store."}
}
