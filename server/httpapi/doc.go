// Package httpapi owns the HTTP port: the REST interface, liveness, readiness,
// metrics and the OpenAPI document.
//
// REST is another way into the same executor: a request takes a session from a
// pool of its user's, runs prepared statements in it, and gives it back. It has no
// rights, no rules and no storage of its own; a collection made here is an
// ordinary table, and any table with a vector column is a collection.
//
// Invariants: values travel as parameters, never in the text of a statement, and
// every name in a text is quoted; a body is read as a stream, so that no client
// decides how much memory it takes; whatever a request does, its session is in no
// transaction when it goes back into the pool.
//
// Who may ask: routes.go says which routes need a user; auth.go finds the user as
// the PostgreSQL port does, by the client's address, the role and its password.
package httpapi
