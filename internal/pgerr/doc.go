// Package pgerr is the one error type that reaches a client: a SQLSTATE with
// PostgreSQL's fields (detail, hint, position, names). An error is born as a
// *pgerr.Error at the lowest place that knows its code and is wrapped with %w
// above; only the server turns an error without a code into XX000.
package pgerr
