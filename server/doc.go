// Package server owns the PostgreSQL port: start-up, TLS, authentication,
// sessions on the wire, COPY data, cancellation, and the mapping of values and
// errors to messages. It plans and stores nothing: it calls an executor.Admin.
//
// Who does what: the listener (listener.go) answers what may come before a
// start-up packet (SSL, GSS, cancel, direct TLS) and reads the packet under a
// deadline and a size limit. psql-wire then takes the connection through
// start-up, our authentication (startup.go) and the making of the session; from
// its session hook on, our own message loop (loop.go) reads and writes the
// frames, since psql-wire writes every message with a system call of its own and
// cannot answer in all the ways that drivers expect.
//
// Invariants: nothing a client sends ends the process (every goroutine that
// touches a connection recovers); no message is believed about its length
// before its bytes have come; output is buffered until the loop would wait.
//
// Goroutines: one per connection, which owns its session; one watcher for the
// whole server, which ends the statements of clients that have gone.
package server
