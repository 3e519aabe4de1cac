package rowstore

import (
	"encoding/binary"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// The first byte of a key says what it is. Numbers are big-endian.
const (
	keyFormat    = 0x01 // → format version, uint32
	keyObject    = 0x02 // kind uint8, oid uint32 → descriptor, JSON
	keyNextOID   = 0x03 // → first oid not reserved, uint32
	keySequence  = 0x04 // oid → value int64, called uint8
	keyWatermark = 0x05 // table → first row id not reserved, uint64
	keyIntent    = 0x06 // table, first row id → last row id: vectors written ahead
	keyCount     = 0x07 // table → number of rows, int64, merged by adding
	keyTier      = 0x08 // table → what is known of its tier, JSON
	keyChanges   = 0x09 // table → commits that wrote its rows, uint64, merged by adding
	keyRow       = 0x10 // table, row id → row without vectors, or a tombstone
	keyVector    = 0x11 // table, attnum uint16, row id → raw vector
	keyIndex     = 0x12 // index, key columns[, row id] → row id where the key alone is unique
	keySpill     = 0x20 // number uint64, key → 1 and the value, or 0: a write of a transaction under way
)

// FormatVersion is that of the whole data directory; OldestFormatVersion the oldest
// that is still opened. A change of what lies on disk raises it and still opens the
// older form, or raises both. Version 1 had no cold tables: no tombstones, copies and
// counts of changes. It is raised when it is opened.
const (
	FormatVersion       = 2
	OldestFormatVersion = 1
)

func objectKey(kind catalog.Kind, id types.OID) []byte {
	return binary.BigEndian.AppendUint32([]byte{keyObject, byte(kind)}, uint32(id))
}

func oidKey(prefix byte, id types.OID) []byte {
	return binary.BigEndian.AppendUint32([]byte{prefix}, uint32(id))
}

func intentKey(table types.OID, first types.RowID) []byte {
	return binary.BigEndian.AppendUint64(oidKey(keyIntent, table), uint64(first))
}

func rowKey(dst []byte, table types.OID, id types.RowID) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, keyRow), uint32(table))
	return binary.BigEndian.AppendUint64(dst, uint64(id))
}

func vectorPrefix(dst []byte, table types.OID, attnum int16) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, keyVector), uint32(table))
	return binary.BigEndian.AppendUint16(dst, uint16(attnum))
}

func vectorKey(dst []byte, table types.OID, attnum int16, id types.RowID) []byte {
	return binary.BigEndian.AppendUint64(vectorPrefix(dst, table, attnum), uint64(id))
}

// idOf reads the row id at the end of a row or vector key.
func idOf(key []byte) types.RowID {
	return types.RowID(binary.BigEndian.Uint64(key[len(key)-8:]))
}

// prefixLen is the length of the prefix that names a table's rows or vectors or
// an index's entries; columnLen that of one vector column.
const (
	prefixLen = 5
	columnLen = 7
)

// unitOf is the unit in which a key is emptied: a table's rows, one of its vector
// columns, or an index; nil when the key belongs to none.
func unitOf(key []byte) []byte {
	n := prefixLen
	if len(key) > 0 && key[0] == keyVector {
		n = columnLen
	}
	if len(key) < n {
		return nil
	}
	return key[:n]
}

// parseObjectKey reads a descriptor's key.
func parseObjectKey(key []byte) (catalog.Kind, types.OID, error) {
	if len(key) != 6 || key[0] != keyObject {
		return 0, 0, damaged("a key of the catalog")
	}
	return catalog.Kind(key[1]), types.OID(binary.BigEndian.Uint32(key[2:])), nil
}

// parseIntent reads an intent's key and value.
func parseIntent(key, value []byte) (intent, error) {
	if len(key) != prefixLen+8 || key[0] != keyIntent || len(value) != 8 {
		return intent{}, damaged("a bulk intent")
	}
	in := intent{table: types.OID(binary.BigEndian.Uint32(key[1:])), first: idOf(key), last: types.RowID(binary.BigEndian.Uint64(value))}
	if in.last < in.first {
		return intent{}, damaged("a bulk intent")
	}
	return in, nil
}

// parseRowKey reads a row's key.
func parseRowKey(key []byte) (types.OID, types.RowID, error) {
	if len(key) != prefixLen+8 || key[0] != keyRow {
		return 0, 0, damaged("a row's key")
	}
	return types.OID(binary.BigEndian.Uint32(key[1:])), idOf(key), nil
}

// parseVectorKey reads a vector's key.
func parseVectorKey(key []byte) (table types.OID, attnum int16, id types.RowID, err error) {
	if len(key) != columnLen+8 || key[0] != keyVector {
		return 0, 0, 0, damaged("a vector's key")
	}
	return types.OID(binary.BigEndian.Uint32(key[1:])), int16(binary.BigEndian.Uint16(key[prefixLen:])), idOf(key), nil
}

// prefixEnd is the first key after all those that begin with prefix.
func prefixEnd(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
