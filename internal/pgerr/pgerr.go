package pgerr

import (
	"errors"
	"fmt"
)

// Error is an error with PostgreSQL's fields. The zero Severity means ERROR.
// Position is the 1-based character (not byte) of the statement text at which
// the error was found; 0 means unknown.
type Error struct {
	Severity   string
	Code       string
	Message    string
	Detail     string
	Hint       string
	Position   int
	Where      string
	Schema     string
	Table      string
	Column     string
	DataType   string
	Constraint string
}

// Error returns the message with its SQLSTATE.
func (e *Error) Error() string { return e.Message + " (SQLSTATE " + e.Code + ")" }

// New returns an error with a code and a plain message.
func New(code, message string) *Error { return &Error{Code: code, Message: message} }

// Newf returns an error with a code and a formatted message.
func Newf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithDetail returns e with its detail set.
func (e *Error) WithDetail(format string, args ...any) *Error {
	e.Detail = fmt.Sprintf(format, args...)
	return e
}

// WithHint returns e with its hint set.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// At returns e with its position set, unless it has one already or pos is 0.
func (e *Error) At(pos int) *Error {
	if e.Position == 0 {
		e.Position = pos
	}
	return e
}

// Of names the table, column and constraint concerned; empty ones are left.
func (e *Error) Of(schema, table, column, constraint string) *Error {
	e.Schema, e.Table, e.Column, e.Constraint = schema, table, column, constraint
	return e
}

// As finds the *Error inside err, or nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// Code returns the SQLSTATE of err, InternalError when it has none, and
// SuccessfulCompletion when err is nil.
func Code(err error) string {
	if err == nil {
		return SuccessfulCompletion
	}
	if e := As(err); e != nil {
		return e.Code
	}
	return InternalError
}

// Unsupported returns the 0A000 error that names a feature outside AkiDB.
func Unsupported(feature string) *Error {
	return Newf(FeatureNotSupported, "%s is not supported", feature)
}
