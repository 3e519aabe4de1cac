// Package bench measures a PostgreSQL-compatible server with vectors over the wire: AkiDB, or PostgreSQL with pgvector,
// with the same statements, data and client, so that two systems can be compared in one run. It also runs the demo.
//
// It talks to servers through pgx only and knows nothing of AkiDB's internals. A server that it starts itself
// (Server) has a temporary data directory and is stopped by its process id.
package bench
