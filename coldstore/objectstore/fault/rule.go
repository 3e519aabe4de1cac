package fault

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// Rule says which requests break, and how.
type Rule struct {
	// Op is the operation; empty means all.
	Op objectstore.Op
	// Key is the key, or the prefix of a listing; a "*" stands for anything. Empty
	// means all.
	Key string
	// Skip requests that fit pass first; then Count break, all if 0.
	Skip, Count int
	// Chance is that of each to break, 1 if 0. Those that don't are not counted.
	Chance float64
	// Effect is what happens.
	Effect Effect
}

// Effect is one way to break. Make one with the functions of this package, or
// combine them by setting more than one field.
type Effect struct {
	// Call runs before the request; its error is returned in place of it. Tests
	// block or end the process here.
	Call func(ctx context.Context, op objectstore.Op, key string) error
	// After runs when the request has succeeded; its error is returned in place
	// of the answer.
	After func(ctx context.Context, op objectstore.Op, key string) error
	// Body changes bytes on their way: those of a Get to the caller, those of a
	// Put to the store.
	Body func(b *Body)
	// Stale hides from listings what was put since the rule was added.
	Stale bool
}

// Body is what an effect does to the bytes of a body.
type Body struct {
	// End is after how many bytes it ends, with Err, or with a clean end if Err is
	// nil; negative means never.
	End int64
	Err error
	// Flip is the byte in which a bit is flipped; negative means none.
	Flip int64
}

// Fail refuses the request with an error of a class.
func Fail(c objectstore.Class) Effect {
	return Effect{Call: func(_ context.Context, op objectstore.Op, key string) error { return injected(c, op, key) }}
}

// LoseAnswer lets the request happen, and says that it failed.
func LoseAnswer(c objectstore.Class) Effect {
	return Effect{After: func(_ context.Context, op objectstore.Op, key string) error { return injected(c, op, key) }}
}

// Delay makes the request wait.
func Delay(d time.Duration) Effect {
	return Effect{Call: func(ctx context.Context, op objectstore.Op, key string) error {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			return nil
		case <-ctx.Done():
			return &objectstore.Error{Class: objectstore.Canceled, Op: op, Place: place, Key: key, Err: ctx.Err()}
		}
	}}
}

// Break resets the connection after n bytes of the body.
func Break(n int64) Effect {
	return Effect{Body: func(b *Body) { b.End, b.Err = n, syscall.ECONNRESET }}
}

// Truncate ends the body after n bytes, as if that were all.
func Truncate(n int64) Effect { return Effect{Body: func(b *Body) { b.End = n }} }

// Flip flips a bit of byte n of the body.
func Flip(n int64) Effect { return Effect{Body: func(b *Body) { b.Flip = n }} }

// StaleList makes listings old: see Effect.Stale.
func StaleList() Effect { return Effect{Stale: true} }

const place = "a store with injected faults"

func injected(c objectstore.Class, op objectstore.Op, key string) error {
	return &objectstore.Error{Class: c, Op: op, Place: place, Key: key, Err: errors.New("injected")}
}

// matches reports whether key is what pattern describes.
func matches(pattern, key string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == "" || pattern == key
	}
	if !strings.HasPrefix(key, head) {
		return false
	}
	if rest == "" {
		return true
	}
	for i := len(head); i <= len(key); i++ {
		if matches(rest, key[i:]) {
			return true
		}
	}
	return false
}
