// Package akidb starts an AkiDB server in a container for tests:
//
//	db, err := akidb.Run(ctx, akidb.Image)
//	testcontainers.CleanupContainer(t, db)
//	conn, err := pgx.Connect(ctx, db.DSN())
//
// It is a module of its own, so that who imports it gets testcontainers-go and
// nothing of the server. The image also takes the place of PostgreSQL's in
// testcontainers' own PostgreSQL modules: postgres.Run(ctx, akidb.Image).
package akidb
