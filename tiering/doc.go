// Package tiering owns where the rows of each collection lie and how they are
// searched there: its Manager is what the executor reads and writes through
// (internal/node joins the two). A vector index has one body at a time (body.go):
// a graph in memory while its collection is hot, cells in a mapped file while it is
// warm, the parts beside the segments while it is cold. Bodies in files are opened by
// the first who asks, and ten thousand idle ones cost nothing.
//
// A move (mover.go) drives the state machine of tiering/state: each step is a goroutine
// that waits for one of a few turns. legs.go has what the steps of each leg do, switch.go
// the commit that changes the owner. The bodies are swapped inside that commit, under
// the table's AccessExclusive lock, so that no statement sees half of it. What remakes
// a part of a collection in its tier goes the same way (beside.go).
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
// so that searches read it without a lock. In this order: a table's lock, collection.op,
// the row store's own, vectorIndex.opening, collection.mu and vectorIndex.fileMu.
package tiering
