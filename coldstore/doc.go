// Package coldstore keeps collections in an object store and answers from there.
// Seal writes rows as segments and index parts and publishes a manifest; Collection
// reads rows and searches vectors of what was sealed; snapshots, sweeping and
// attaching work on the bucket alone.
//
// The rooms below: objectstore is the store itself, segment the Parquet objects with
// the rows, manifest the documents that name them and all keys, cache the ranges on
// the local disk.
//
// The package knows nothing of the row store and the tiers: rows are handed to it,
// and local rows and tombstones are merged above it.
//
// # Reading
//
// Nothing is read before it is asked for, and an idle collection costs nothing: a
// Collection is a view of a descriptor. What reading needs (the tail of a segment,
// the head of an index part, decoded row groups) lies in one table in memory, bounded
// in bytes (memo.go); the bytes of ranges lie in a bounded cache on the disk. Bytes
// are decoded only after their checksum was compared; XX001 names the object, and
// what the caches have of it is forgotten, so that a copy put in its place is seen.
//
// # Writing
//
// An object is never changed. A seal uploads under new keys, reads everything back,
// and then swaps the pointer to the manifest: before that nothing has happened, and
// what it left is swept after a grace period.
//
// # Generations
//
// The segments of one seal are a generation. They lie in the order of the cells of
// the first vector index, and the index parts, which are of the whole generation, hang
// on its first segment. A row of a later generation hides the row with the same id
// of an earlier one.
package coldstore
