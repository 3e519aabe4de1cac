package retry

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// Policy says how often and when to try again. The zero value is three retries,
// after up to 1, 2 and 4 seconds.
type Policy struct {
	// Retries is how many attempts follow the first; 0 means 3, negative none.
	Retries int
	// First is the longest wait before the first retry, 1 s if 0. It doubles for
	// each further one, up to Max, 30 s if 0.
	First, Max time.Duration
	// Jitter picks the wait out of the longest; nil means any between 0 and longest
	// with equal chance ("full jitter": of the kinds compared in the AWS
	// Architecture Blog of 2015-03-04 it puts the least load on a store that has
	// just been lost by all its clients at once).
	Jitter func(longest time.Duration) time.Duration
	// Sleep waits, or ends with the context; nil means a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// OnRetry, if not nil, is told of each retry before its wait.
	OnRetry func(op objectstore.Op, attempt int, wait time.Duration, err error)
}

// Do calls fn until it succeeds, fails for good, or the retries are used up. fn
// gets the number of the attempt, from 1.
func (p Policy) Do(ctx context.Context, op objectstore.Op, fn func(attempt int) error) error {
	for attempt := 1; ; attempt++ {
		err := fn(attempt)
		if err == nil {
			return nil
		}
		if end := (stop{}); errors.As(err, &end) {
			return counted(end.error, attempt)
		}
		if !p.again(err, attempt) {
			return counted(err, attempt)
		}
		if p.pause(ctx, op, attempt, err) != nil {
			return canceled(ctx, op, err, attempt)
		}
	}
}

// again reports whether a failure at an attempt is worth another one.
func (p Policy) again(err error, attempt int) bool {
	var e *objectstore.Error
	if !errors.As(err, &e) || !e.Class.Transient() || e.Attempts > 1 {
		return false
	}
	return attempt <= p.retries()
}

func (p Policy) retries() int {
	if p.Retries == 0 {
		return 3
	}
	return max(p.Retries, 0)
}

// pause waits before the retry that follows attempt.
func (p Policy) pause(ctx context.Context, op objectstore.Op, attempt int, err error) error {
	d := p.wait(attempt)
	if p.OnRetry != nil {
		p.OnRetry(op, attempt, d, err)
	}
	if p.Sleep != nil {
		return p.Sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p Policy) wait(attempt int) time.Duration {
	longest, limit := p.First, p.Max
	if longest <= 0 {
		longest = time.Second
	}
	if limit <= 0 {
		limit = 30 * time.Second
	}
	for range attempt - 1 {
		longest = min(2*longest, limit)
	}
	longest = min(longest, limit)
	if p.Jitter != nil {
		return p.Jitter(longest)
	}
	return rand.N(longest + 1)
}

// counted notes in an error how often it was tried.
func counted(err error, attempts int) error {
	var e *objectstore.Error
	if !errors.As(err, &e) || e.Attempts >= attempts {
		return err
	}
	c := *e
	c.Attempts = attempts
	return &c
}

// canceled is for a wait that the context ended; the last failure says why there
// was a wait.
func canceled(ctx context.Context, op objectstore.Op, last error, attempts int) error {
	var e *objectstore.Error
	if !errors.As(last, &e) {
		return last
	}
	return &objectstore.Error{Class: objectstore.Canceled, Op: op, Place: e.Place, Key: e.Key, Attempts: attempts,
		Err: errors.Join(context.Cause(ctx), last)}
}

// stop is a failure that must not be tried again, whatever its class.
type stop struct{ error }

func final(err error) error { return stop{err} }
