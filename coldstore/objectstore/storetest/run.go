package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// New makes an empty store, whose end t.Cleanup sees to. Two stores of one test
// share nothing.
type New func(t *testing.T) objectstore.Store

// promises are the tests of the suite, named by what they hold a store to.
var promises = []struct {
	name string
	test func(t *testing.T, s objectstore.Store)
}{
	{"AnObjectReadsBackAsWritten", readsBack},
	{"AnEmptyObjectIsAnObject", emptyObject},
	{"RangesAreExact", ranges},
	{"WhatIsMissingIsNotFound", missing},
	{"DeletingIsRepeatable", deletes},
	{"APutReplacesAndChangesTheTag", overwrites},
	{"CreateSucceedsOnce", createOnce},
	{"SwapNeedsTheVersionThatIsThere", swapNeedsTag},
	{"OfManyCreatorsOneWins", creatorsRace},
	{"OfManySwappersOneWinsEachRound", swappersRace},
	{"AListIsInTheOrderOfKeys", listOrder},
	{"ALongListComesInPages", listPages},
	{"OddKeysWork", oddKeys},
	{"KeysThatNoStoreTakesAreRefused", badKeys},
	{"SizesAroundTheMultipartLimit", multipartSizes},
	{"AConditionHoldsForLargeBodies", largeConditional},
	{"AReaderSeesOneVersion", readersAndWriters},
	{"ABodyThatFailsLeavesNothing", failingBody},
	{"ABodyOfTheWrongLengthLeavesNothing", wrongLength},
	{"CancelingAPutLeavesNothing", cancelPut},
	{"CancelingAReadEndsIt", cancelGet},
	{"ACanceledContextDoesNothing", canceledBefore},
	{"TheProbePasses", probe},
}

// Run holds the stores that fresh makes to every promise.
func Run(t *testing.T, fresh New) {
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) { p.test(t, fresh(t)) })
	}
}

// MiB is 1,048,576 bytes.
const MiB = 1 << 20

// Bytes returns n bytes that only their seed determines.
func Bytes(n int, seed uint64) []byte {
	var s [32]byte
	s[0], s[1], s[2] = byte(seed), byte(seed>>8), byte(seed>>16)
	data := make([]byte, n)
	_, _ = rand.NewChaCha8(s).Read(data) // never fails
	return data
}

func ctx(t *testing.T) context.Context {
	c, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return c
}

func put(t *testing.T, s objectstore.Store, key string, data []byte) objectstore.Info {
	t.Helper()
	in, err := objectstore.PutBytes(ctx(t), s, key, data)
	if err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
	return in
}

func wantBytes(t *testing.T, s objectstore.Store, key string, want []byte) objectstore.Info {
	t.Helper()
	got, in, err := objectstore.GetBytes(ctx(t), s, key, objectstore.Range{})
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("get %q: %d bytes that are not the %d written", key, len(got), len(want))
	}
	return in
}

func wantClass(t *testing.T, err error, want objectstore.Class) {
	t.Helper()
	if !objectstore.Is(err, want) {
		t.Fatalf("error %v, want class %s", err, want)
	}
}

func wantMissing(t *testing.T, s objectstore.Store, key string) {
	t.Helper()
	_, err := s.Stat(ctx(t), key)
	wantClass(t, err, objectstore.NotFound)
}

// stream hides that a reader can seek, and gives short reads.
type stream struct{ r io.Reader }

func (s stream) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), 100_000)]) }

// failing gives its bytes and then an error.
type failing struct{ r io.Reader }

var errBody = errors.New("the body broke")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err == io.EOF {
		err = errBody
	}
	return n, err
}
