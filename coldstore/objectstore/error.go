package objectstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/akidb/akidb/internal/pgerr"
)

// Op names an operation of Store, as metrics and errors do.
type Op string

// The operations.
const (
	OpGet    Op = "get"
	OpPut    Op = "put"
	OpStat   Op = "stat"
	OpList   Op = "list"
	OpDelete Op = "delete"
)

// Ops are all operations.
var Ops = []Op{OpGet, OpPut, OpStat, OpList, OpDelete}

// Error is the error of every Store.
type Error struct {
	Class Class
	Op    Op
	Place string // the bucket or directory
	Key   string // the key, or the prefix of a listing
	Code  string // the store's own code, such as SlowDown, if it has one
	Hint  string // instead of the hint of the class
	// Attempts is how often it was tried; more than one means that waiting and
	// trying once more has been done already.
	Attempts int
	Err      error // the cause
}

// Error says what failed where, and why.
func (e *Error) Error() string {
	s := e.summary()
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) summary() string {
	s := fmt.Sprintf("could not %s %q in %s: %s", e.Op, e.Key, e.Place, kinds[e.Class].text)
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	if e.Attempts > 1 {
		s += fmt.Sprintf(", after %d attempts", e.Attempts)
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// As gives pgerr.As the error as a client sees it.
func (e *Error) As(target any) bool {
	t, ok := target.(**pgerr.Error)
	if ok {
		*t = e.pg()
	}
	return ok
}

func (e *Error) pg() *pgerr.Error {
	pe := pgerr.New(e.Class.SQLSTATE(), e.summary())
	pe.Hint = e.Hint
	if pe.Hint == "" {
		pe.Hint = kinds[e.Class].hint
	}
	if e.Err != nil {
		pe.Detail = e.Err.Error()
	}
	return pe
}

// ClassOf returns the class of err; an error of no store is Failed.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return Failed
}

// Is reports whether err has the class.
func Is(err error, c Class) bool { return err != nil && ClassOf(err) == c }

// Corrupt makes the error for an object whose bytes do not match the checksum
// that its reader keeps.
func Corrupt(place, key, format string, args ...any) error {
	return &Error{Class: Corrupted, Op: OpGet, Place: place, Key: key, Err: fmt.Errorf(format, args...)}
}

// ClassOfSystem classifies an error of the operating system or the network. An
// ended context of the caller comes before all else.
func ClassOfSystem(ctx context.Context, err error) Class {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return Canceled
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errnoClasses[errno] // Failed if unknown, though an errno looks like a net.Error
	}
	return classOfNetwork(err)
}

func classOfNetwork(err error) Class {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return Timeout
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return Unavailable
	}
	var n net.Error
	if errors.As(err, &n) {
		return Unavailable
	}
	return Failed
}

var errnoClasses = map[syscall.Errno]Class{
	syscall.ENOENT:       NotFound,
	syscall.ENOSPC:       Full,
	syscall.EDQUOT:       Full,
	syscall.EFBIG:        Full,
	syscall.EACCES:       Denied,
	syscall.EPERM:        Denied,
	syscall.EROFS:        Denied,
	syscall.ENOTDIR:      Invalid,
	syscall.EISDIR:       Invalid,
	syscall.ENAMETOOLONG: Invalid,
	syscall.ECONNRESET:   Unavailable,
	syscall.ECONNREFUSED: Unavailable,
	syscall.ECONNABORTED: Unavailable,
	syscall.EPIPE:        Unavailable,
	syscall.EHOSTUNREACH: Unavailable,
	syscall.ENETUNREACH:  Unavailable,
	syscall.ETIMEDOUT:    Timeout,
}
