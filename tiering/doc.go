// Package tiering owns where the rows of each collection lie and how they are
// searched there: its Manager is what the executor reads and writes through
// (internal/node joins the two). Today every collection is hot: its rows are in
// the row store (internal/rowstore), its vector indexes are HNSW graphs in RAM.
//
// Vector indexes hold no transaction state. A vector goes into the index's tail
// when its row is written, before the commit, and is taken out again when the
// write is undone, or when the row was deleted and no snapshot can see it any
// more. Whether a candidate is visible is decided by the row store alone.
//
// What an index holds can always be made again from the rows: a checkpoint
// (checkpoint.go) only makes a start faster. It is written to a temporary file,
// synced and renamed; one that is missing or damaged costs a rebuild, nothing
// else.
//
// Rows come into a tail faster than the worker moves them into the graph (some
// 4,000 a second and thread at 512 dimensions), and searches go through all of it.
// So a tail is bounded: a writer that finds it at its limit, 2,000 to 16,000 rows
// by the size of a vector, waits until the worker has moved a part (tail.go).
// The worker leaves one processor to searches; CREATE INDEX takes all.
//
// Checkpoints are written by CREATE INDEX before its commit, at Close, and every
// CheckpointEvery where something changed, but in no more than a twentieth of the
// time.
//
// Locks: Manager.mu guards the set of indexes, which is replaced, not changed,
// so that searches read it without a lock.
package tiering
