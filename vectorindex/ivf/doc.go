// Package ivf is the vector index of the warm and the cold tier and of USING
// ivfflat: rows in cells around trained centres, coded by RaBitQ (package
// quantize), in a file of which a search reads a few cells. Vectors lie elsewhere:
// a search asks its Source for those of the best rows, in batches, and answers with
// exact distances.
//
// # A search
//
// Cells are ordered by how far the query is from their border with the nearest
// one (order.go), and looked at until the next border is farther than a part of the
// distance of the worst row of the answer; what part was measured when the file was
// written (calibrate.go). In a cell, codes of one bit an element decide which rows
// are looked at again by four bits, and those which vectors are read: of emb512,
// about 12 for the ten nearest of 100,000 rows. Rows that were put aside come in later
// batches. Bits are their own codes and need no Source.
//
// # Memory
//
// In memory are the centroids, the directory of cells and what was appended or
// removed since the file was written. Cells are read through Storage, a mapped file
// or ranges of an object, and their checksums are verified: of local files once.
//
// # Concurrency
//
// A search takes Index.mu for some instructions at its start, its end and once a
// cell. It pins the file that it began with, and its delta: Merge replaces both.
// Locks are taken in the order writing, mu.
//
// # Invariants
//
//   - A file never changes; it appears whole or not at all.
//   - A delta cell only grows: a reader's shorter slice stays right.
//   - Row ids occur once in file and delta together: that is the caller's promise.
//   - Appended and removed rows are lost with the process: who owns the index
//     compares its IDs with the rows when it opens a file.
package ivf
