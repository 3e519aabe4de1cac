// Package coldstore is the room of the cold tier: what AkiDB keeps in an
// object store, and the only code that builds keys there. coldstore/objectstore
// is the store itself, as one small interface with two real implementations (S3
// and a local directory).
//
// The room never imports the row store or the tiering: it is handed rows and
// vectors, and gives them back.
package coldstore
