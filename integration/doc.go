// Package integration tests a server as its users see it: a process, over TCP,
// with pgx, lib/pq and psql. It imports nothing of the server's rooms.
//
// The binary is that of AKIDB_BIN; without it the tests build one.
package integration
