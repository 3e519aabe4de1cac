// Package manifest says which segments make up a collection, at each of its
// versions, and which make up its snapshots; it builds every key that coldstore
// uses. docs/formats/manifest.md describes every byte.
//
// A collection has a numbered chain of manifests, each an object that is made
// once and never changed, and a pointer to the newest. Swapping the pointer, if
// it is still the one that was read, is the commit: a manifest above the pointer,
// or skipped by its successor, was never published.
//
// Invariants:
//
//   - The pointer carries the epoch of the server that owns the collection.
//     Claim raises it, and from then on no swap of an older owner can succeed,
//     whatever it does and however late: the store decides, not a clock.
//   - A writer that has been taken over stays refused (Writer.lost).
//   - Publishing never deletes. Objects that no manifest names are found by
//     Garbage, and removed by whoever owns the collection, after a grace period
//     that is longer than any publication takes.
//   - Documents carry a CRC-32C of their own bytes; one that does not match is
//     XX001 with its key.
package manifest
