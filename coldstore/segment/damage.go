package segment

import (
	"fmt"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/pgerr"
)

// damaged is the error for an object that is not what was written.
func damaged(key, format string, args ...any) error {
	return pgerr.Newf(pgerr.DataCorrupted, "segment \"%s\" is damaged", key).
		WithDetail(format, args...).
		WithHint("Restore the object from a copy, or the collection from a snapshot.")
}

// broken is what decoders return: damage whose object the caller names.
type broken string

func (b broken) Error() string { return string(b) }

func brokenf(format string, args ...any) error { return broken(fmt.Sprintf(format, args...)) }

// readError names the object; a missing or shorter one is damage, whatever else
// the store says stays what it is.
func readError(key string, err error) error {
	switch objectstore.ClassOf(err) {
	case objectstore.NotFound:
		return damaged(key, "The object is missing.")
	case objectstore.OutOfRange:
		return damaged(key, "The object is shorter than it was.")
	case objectstore.Corrupted:
		return damaged(key, "%v", err)
	}
	return fmt.Errorf("reading segment %q: %w", key, err)
}

// caught turns a panic of the Parquet library, which some malformed pages
// cause, into an error of one segment.
func caught(err *error) {
	if r := recover(); r != nil {
		*err = brokenf("the Parquet library stopped: %v", r)
	}
}
