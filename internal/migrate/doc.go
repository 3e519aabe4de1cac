// Package migrate brings the snapshots of version 1 into a running server of
// version 2, over the wire.
//
// Version 1 wrote a collection as <snapshot id>.json, an array of records, with
// <snapshot id>.meta.json beside it. Each collection becomes a table. Rows are
// copied in batches; a batch and the note of how far the copy has come are one
// transaction, so that a run that was interrupted goes on where it stopped and no
// row comes twice. At the end the rows are read back and compared, by count and
// by a checksum over every value, with the file. The files are only read.
package migrate
