package fault

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// Store breaks by its rules. mu guards all fields below it, and is not held while
// a request runs.
type Store struct {
	inner objectstore.Store

	mu    sync.Mutex
	rng   *rand.Rand
	rules []*active
	seen  map[objectstore.Op]int
}

// active is a rule and what has become of it.
type active struct {
	Rule
	passed, broken int
	hidden         map[string]bool // keys put since, if the rule is about stale lists
}

var _ objectstore.Store = (*Store)(nil)

// Wrap returns inner, unbroken as long as there are no rules.
func Wrap(inner objectstore.Store, seed uint64) *Store {
	return &Store{inner: inner, rng: rand.New(rand.NewPCG(seed, seed)), seen: map[objectstore.Op]int{}}
}

// String names the store below.
func (s *Store) String() string { return fmt.Sprint(s.inner) }

// Add appends a rule. The result says how many requests it has broken.
func (s *Store) Add(r Rule) (broken func() int) {
	a := &active{Rule: r, hidden: map[string]bool{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, a)
	return func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return a.broken
	}
}

// Clear removes all rules.
func (s *Store) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// Seen is how many requests of a kind have come.
func (s *Store) Seen(op objectstore.Op) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[op]
}

// pick finds the rule that breaks a request; an empty effect does nothing.
func (s *Store) pick(op objectstore.Op, key string) (Effect, *active) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[op]++
	for _, a := range s.rules {
		if (a.Op == "" || a.Op == op) && matches(a.Key, key) && s.strikes(a) {
			return a.Effect, a
		}
	}
	return Effect{}, nil
}

func (s *Store) strikes(a *active) bool {
	if a.Count > 0 && a.broken >= a.Count {
		return false
	}
	if a.passed < a.Skip {
		a.passed++
		return false
	}
	if a.Chance > 0 && s.rng.Float64() >= a.Chance {
		return false
	}
	a.broken++
	return true
}

// around runs a request inside its effect.
func around(ctx context.Context, e Effect, op objectstore.Op, key string, request func() error) error {
	if e.Call != nil {
		if err := e.Call(ctx, op, key); err != nil {
			return err
		}
	}
	if err := request(); err != nil || e.After == nil {
		return err
	}
	return e.After(ctx, op, key)
}

// Get implements objectstore.Store.
func (s *Store) Get(ctx context.Context, key string, r objectstore.Range) (o *objectstore.Object, err error) {
	e, _ := s.pick(objectstore.OpGet, key)
	err = around(ctx, e, objectstore.OpGet, key, func() (err error) {
		o, err = s.inner.Get(ctx, key, r)
		return err
	})
	if err != nil {
		if o != nil {
			_ = o.Body.Close() // the answer is lost
		}
		return nil, err
	}
	o.Body = struct {
		io.Reader
		io.Closer
	}{e.bend(o.Body, key), o.Body}
	return o, nil
}

// Put implements objectstore.Store.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, o objectstore.PutOptions) (in objectstore.Info, err error) {
	e, _ := s.pick(objectstore.OpPut, key)
	err = around(ctx, e, objectstore.OpPut, key, func() (err error) {
		in, err = s.inner.Put(ctx, key, e.bend(body, key), o)
		s.wrote(key, err)
		return err
	})
	if err != nil {
		return objectstore.Info{}, err
	}
	return in, nil
}

func (s *Store) wrote(key string, err error) {
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.rules {
		a.hidden[key] = true
	}
}

// Stat implements objectstore.Store.
func (s *Store) Stat(ctx context.Context, key string) (in objectstore.Info, err error) {
	e, _ := s.pick(objectstore.OpStat, key)
	err = around(ctx, e, objectstore.OpStat, key, func() (err error) {
		in, err = s.inner.Stat(ctx, key)
		return err
	})
	return in, err
}

// Delete implements objectstore.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	e, _ := s.pick(objectstore.OpDelete, key)
	return around(ctx, e, objectstore.OpDelete, key, func() error { return s.inner.Delete(ctx, key) })
}

// List implements objectstore.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) (p objectstore.Page, err error) {
	e, rule := s.pick(objectstore.OpList, prefix)
	err = around(ctx, e, objectstore.OpList, prefix, func() (err error) {
		p, err = s.inner.List(ctx, prefix, after, limit)
		return err
	})
	if err != nil {
		return objectstore.Page{}, err
	}
	if e.Stale {
		p.Objects = s.withoutHidden(rule, p.Objects)
	}
	return p, nil
}

func (s *Store) withoutHidden(rule *active, objects []objectstore.Info) []objectstore.Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(objects, func(o objectstore.Info) bool { return rule.hidden[o.Key] })
}
