// Package objectstore is the store under the cold tier, as one interface of
// five methods: read a range, put (always, if absent, or if the version is still
// the one known), stat, list a page, delete. Everything that a store promises
// stands at Store, and storetest holds every implementation to it.
//
//   - objectstore/dir keeps objects as files of a local directory;
//   - objectstore/s3 keeps them in a bucket of S3, MinIO or what speaks like them;
//   - objectstore/retry repeats what failed for a passing reason;
//   - objectstore/metered counts requests, bytes and outcomes;
//   - objectstore/fault breaks things on purpose, for tests;
//   - objectstore/storetest is the conformance suite, objectstore/miniotest a
//     real MinIO for tests.
//
// Wrappers stack in this order, outermost first: retry, metered, fault, s3 or
// dir; so each attempt is counted, and injected faults look like real ones.
//
// Checksums: a store keeps bytes, and does not promise to notice a flipped one in
// a range (no S3 does). Whoever writes an object keeps a CRC32C per block inside
// it and checks it on reading; Corrupt makes the error for that.
//
// # Errors
//
// Every error is an *Error: class, operation, key, place, hint; pgerr.As finds
// its SQLSTATE. The codes follow what PostgreSQL gives for files
// (errcode_for_file_access): 58P01 missing, 42501 denied, 53100 full, 58030 the
// rest. Codes of class 08 and 28 are not used, although a lost connection or bad
// keys would suggest them: drivers take these for the loss of their own session
// or login, and close a connection that is in order.
package objectstore
