// Package rowstore owns everything that is durable on local disk but index
// checkpoints: rows, secondary index entries, sequences and the catalog, all in
// one Pebble store. It is the only importer of Pebble.
//
// The only atomic step there is is the commit of one Pebble batch, or for what is
// too large for one the taking over of table files by Pebble (commitfiles.go), which is
// as atomic; a transaction is exactly one such step. Until then its writes lie in
// sorted layers, one a savepoint and one for the running statement (layer.go),
// in memory up to Options.SpillBytes, beyond that spilled (spill.go); except for
// the vectors of bulk loads, which are written ahead under row ids that a durable
// intent reserves (bulk.go).
//
// A statement reads a Pebble snapshot with the layers over it. Locks (locks.go)
// are in memory: of tables, rows, unique keys and names, until the transaction ends.
//
// Rows of cold tables lie in segments, which a Cold reads (cold.go): under local
// rows and tombstones, on every path (coldread.go). move.go has the switches of moves,
// restore.go the rows that come back, watch.go who is told of what commits write.
//
// Lock order: Txn (one goroutine) > Store.catalogMu > tableState.switching > tableState.ahead >
// watches.mu, locker.mu, Store.snapMu, Store.tablesMu; the last four are leaves. Keys and values are laid out in
// keys.go and rowcodec.go; docs/formats/rowstore.md says it byte by byte.
package rowstore
