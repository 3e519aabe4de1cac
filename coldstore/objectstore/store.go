package objectstore

import (
	"context"
	"io"
	"time"
)

// Store keeps immutable byte strings, objects, under keys. All methods are safe
// for concurrent use, by many processes on one place too. What is promised:
//
//   - An object appears whole or not at all, and is durable when Put returns.
//   - After Put or Delete has returned, every Get, Stat and List sees it.
//   - Of several conditional puts with one condition, exactly one succeeds.
//   - Get reads one version, also while the key is being replaced.
//   - No method holds more than about 64 MiB of a body in memory.
//   - A method whose context ends returns soon, with class Canceled; a put that
//     has returned so may have happened or not, but never in part.
//
// Errors are *Error. Keys are as CheckKey says.
type Store interface {
	// Get opens bytes r of an object. A range that ends behind the object ends
	// with it; one that begins at its end or behind is an error of class
	// OutOfRange, but for the empty range of an empty object. The caller closes
	// the body; errors of class NotFound come from here, not from the body. A body
	// whose connection broke while the object was being replaced fails with class
	// Condition: the rest of that version is gone.
	Get(ctx context.Context, key string, r Range) (*Object, error)

	// Put stores all that body gives under key, replacing what is there if the
	// condition in o holds; class Condition says that it does not.
	Put(ctx context.Context, key string, body io.Reader, o PutOptions) (Info, error)

	// Stat says what is known of an object without reading it.
	Stat(ctx context.Context, key string) (Info, error)

	// List returns up to limit objects (at most MaxPage, which 0 means) whose keys
	// begin with prefix and come after the key after, in the byte order of keys.
	// The next page begins after the last key of this one.
	List(ctx context.Context, prefix, after string, limit int) (Page, error)

	// Delete removes an object. Deleting what is not there succeeds.
	Delete(ctx context.Context, key string) error
}

// MaxPage is the greatest number of objects in one page of a listing (S3's own
// limit).
const MaxPage = 1000

// Tag names one version of one key; it changes with every put that changes the
// bytes. It means something to the store alone.
type Tag string

// Info describes an object.
type Info struct {
	Key      string
	Size     int64
	Tag      Tag
	Modified time.Time
	// Nonce is what PutOptions.Nonce was when the object was written. Stat alone
	// returns it, and only stores that can keep it; these say NoNonce for an
	// object written without one.
	Nonce string
}

// NoNonce is the nonce of an object without one.
const NoNonce = "-"

// Object is an open range of an object: Length bytes from Offset on, in Body.
type Object struct {
	Info
	Offset, Length int64
	Body           io.ReadCloser
}

// Range names bytes of an object. The zero value is the whole object.
type Range struct {
	// Offset is the first byte. Negative: count from the end (the last -Offset
	// bytes, all of them when the object is shorter), and Length is ignored.
	Offset int64
	// Length is the greatest number of bytes; 0 means up to the end.
	Length int64
}

// Tail is the range of the last n bytes.
func Tail(n int64) Range { return Range{Offset: -n} }

// Within resolves r against an object of size bytes. It is false when the range
// begins behind the last byte.
func (r Range) Within(size int64) (offset, length int64, ok bool) {
	if r.Offset < 0 {
		offset = max(size+r.Offset, 0)
		return offset, size - offset, true
	}
	if r.Offset > size || r.Offset == size && (size > 0 || r.Length > 0) {
		return 0, 0, false
	}
	length = size - r.Offset
	if r.Length > 0 {
		length = min(length, r.Length)
	}
	return r.Offset, length, true
}

// PutOptions says when a put may replace what is there. The zero value replaces
// always. IfAbsent and IfMatch exclude each other.
type PutOptions struct {
	// IfAbsent: only when nothing is there.
	IfAbsent bool
	// IfMatch: only when this version is there.
	IfMatch Tag
	// Nonce is kept with the object where the store can, so that a writer whose
	// answer was lost recognises its own put. The retry wrapper fills it in.
	Nonce string
	// Size is the length of the body, or 0 when it is not known before. A body of
	// another length is an error, and nothing is stored.
	Size int64
}

// Conditional reports whether the put depends on what is there.
func (o PutOptions) Conditional() bool { return o.IfAbsent || o.IfMatch != "" }

// Page is one page of a listing.
type Page struct {
	Objects []Info
	// More says that keys follow after the last one.
	More bool
}
