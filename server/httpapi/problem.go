package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
)

// problem is the body of an error (RFC 9457), with PostgreSQL's fields beside it.
type problem struct {
	Type       string `json:"type"`
	Title      string `json:"title"`
	Status     int    `json:"status"`
	Detail     string `json:"detail"`
	SQLState   string `json:"sqlstate,omitempty"`
	Detailed   string `json:"error_detail,omitempty"`
	Hint       string `json:"hint,omitempty"`
	Column     string `json:"column,omitempty"`
	Constraint string `json:"constraint,omitempty"`
	// Position is the byte of the body, from 1, at which it is wrong; Line and
	// Character say the same of a body of lines.
	Position int64 `json:"position,omitempty"`
	Line     int64 `json:"line,omitempty"`
	// Item is the number of the vector, from 1, that the error is about.
	Item int64 `json:"item,omitempty"`
	// Stored is how many vectors of a stream were stored before the error.
	Stored *int64 `json:"stored,omitempty"`
}

// requestError is an error with what HTTP adds to it.
type requestError struct {
	cause    *pgerr.Error
	status   int // 0: by the SQLSTATE
	position int64
	line     int64
	item     int64
	stored   *int64
}

// Error is the cause's text.
func (e *requestError) Error() string { return e.cause.Error() }

// Unwrap gives the cause.
func (e *requestError) Unwrap() error { return e.cause }

// sqlstate of a body that is not JSON (invalid_json_text).
const invalidJSONText = "22032"

// noData is the SQLSTATE for a vector that is not there.
const noData = "02000"

// statusOf gives the HTTP status of an SQLSTATE: of the code itself, or of its class.
func statusOf(code string) int {
	if s, ok := codeStatus[code]; ok {
		return s
	}
	if len(code) == 5 {
		if s, ok := classStatus[code[:2]]; ok {
			return s
		}
	}
	return http.StatusInternalServerError
}

var codeStatus = map[string]int{
	noData:                             http.StatusNotFound,
	pgerr.UndefinedTable:               http.StatusNotFound,
	pgerr.UndefinedObject:              http.StatusNotFound,
	pgerr.InvalidCatalogName:           http.StatusNotFound,
	pgerr.DuplicateTable:               http.StatusConflict,
	pgerr.DuplicateObject:              http.StatusConflict,
	pgerr.UniqueViolation:              http.StatusConflict,
	pgerr.ForeignKeyViolation:          http.StatusConflict,
	pgerr.InsufficientPrivilege:        http.StatusForbidden,
	pgerr.ReadOnlySQLTransaction:       http.StatusForbidden,
	pgerr.DiskFull:                     http.StatusInsufficientStorage,
	pgerr.TooManyConnections:           http.StatusServiceUnavailable,
	pgerr.QueryCanceled:                http.StatusGatewayTimeout,
	pgerr.IOError:                      http.StatusServiceUnavailable,
	pgerr.ObjectNotInPrerequisiteState: http.StatusConflict,
	pgerr.DataCorrupted:                http.StatusInternalServerError,
}

var classStatus = map[string]int{
	"08": http.StatusServiceUnavailable, "0A": http.StatusNotImplemented,
	"21": http.StatusBadRequest, "22": http.StatusBadRequest, "23": http.StatusBadRequest,
	"25": http.StatusConflict, "28": http.StatusUnauthorized, "2B": http.StatusConflict,
	"40": http.StatusConflict, "42": http.StatusBadRequest, "44": http.StatusBadRequest,
	"53": http.StatusServiceUnavailable, "54": http.StatusBadRequest, "55": http.StatusConflict,
	"57": http.StatusServiceUnavailable, "58": http.StatusServiceUnavailable,
}

// problemOf describes an error. What has no SQLSTATE is a bug of ours: the client
// gets a general text.
func problemOf(err error) problem {
	var r *requestError
	errors.As(err, &r)
	e := pgerr.As(err)
	switch {
	case e == nil && r != nil:
		e = r.cause
	case e == nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)):
		e = pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")
	case e == nil:
		e = pgerr.New(pgerr.InternalError, "internal error").WithHint("This is a bug in AkiDB; the server's log has the details.")
	}
	p := problem{
		Type: "about:blank", Status: statusOf(e.Code), Detail: e.Message, SQLState: e.Code, Detailed: e.Detail,
		Hint: e.Hint, Column: e.Column, Constraint: e.Constraint,
	}
	if r != nil {
		p.Position, p.Line, p.Item, p.Stored = r.position, r.line, r.item, r.stored
		if r.status != 0 {
			p.Status = r.status
		}
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// writeProblem answers with an error.
func writeProblem(w http.ResponseWriter, p problem) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Del("Content-Length")
	if p.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(p.Status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // operators stay readable
	_ = e.Encode(p)        // the client has gone; nobody is left to tell
}

// fail makes an error of a request with an HTTP status of its own.
func fail(status int, e *pgerr.Error) error { return &requestError{cause: e, status: status} }

// badBody is an error of the body's JSON at a byte, counted from 0.
func badBody(position int64, message string) error {
	e := pgerr.New(invalidJSONText, "invalid JSON: "+message)
	return &requestError{cause: e, position: position + 1}
}

// located says at which byte of the body, counted from 0, a value is wrong.
func located(err error, at int64) error {
	var r *requestError
	if errors.As(err, &r) {
		return err
	}
	if e := pgerr.As(err); e != nil {
		return &requestError{cause: e, position: at + 1}
	}
	return err
}

// aboutItem says which vector of a body an error is about.
func aboutItem(err error, item, line int64) error {
	var r *requestError
	if !errors.As(err, &r) {
		e := pgerr.As(err)
		if e == nil {
			return err
		}
		r = &requestError{cause: e}
	}
	if r.item == 0 {
		r.item, r.line = item, line
	}
	return r
}

// invalid is an error of a value in a body.
func invalid(format string, args ...any) *pgerr.Error {
	return pgerr.Newf(pgerr.InvalidParameterValue, format, args...)
}

// oneOf lists words in a hint.
func oneOf(words ...string) string { return "Available values: " + strings.Join(words, ", ") + "." }
