// Package s3 is the object store in a bucket of AWS S3, MinIO, Oracle Cloud or
// what else speaks like them; the only importer of minio-go.
//
// Invariants:
//
//   - Nothing is retried inside minio-go, whose own retry of a conditional put would
//     report our own success as somebody else's. The retry wrapper does it, and
//     this package for the parts of an upload, by the same policy.
//   - Bodies above 16 MiB go in parts of 16 MiB, three at a time, from four buffers. An
//     upload that fails is aborted, so that no part stays; what a crash leaves,
//     SweepUploads removes.
//   - Every put and part carries a checksum that the store verifies; a read of a
//     whole object is verified where the store keeps such a checksum. Ranges are
//     not: see package objectstore.
//   - Every object carries the nonce of its put in its metadata (akidb-nonce).
//   - A connection on which nothing moves for Options.Timeout is given up.
package s3
