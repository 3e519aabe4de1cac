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
// Locks: Manager.mu guards the set of indexes, which is replaced, not changed,
// so that searches read it without a lock.
package tiering
