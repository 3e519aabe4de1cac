package manifest

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// Keys, below the prefix that the store is configured with. Numbers have 20
// digits, so that a listing has them in order.
const (
	collectionsPrefix = "collections/"
	snapshotsPrefix   = "snapshots/"
	segmentsFolder    = "/segments/"
	manifestStart     = "/manifest-"
	pointerName       = "/current.json"
	jsonEnd           = ".json"
	parquetEnd        = ".parquet"
)

// CollectionPrefix begins the keys of everything of a collection but its snapshots.
func CollectionPrefix(collection string) string { return collectionsPrefix + collection + "/" }

// SnapshotPrefix begins the keys of a collection's snapshots.
func SnapshotPrefix(collection string) string { return snapshotsPrefix + collection + "/" }

// SegmentKey is the key of a segment; id is unique within the collection.
func SegmentKey(collection, id string) string {
	return collectionsPrefix + collection + segmentsFolder + id + parquetEnd
}

// PartKey is the key of an object that belongs to a segment, such as its IVF
// part: the segment's with another ending.
func PartKey(segmentKey, ending string) string {
	return strings.TrimSuffix(segmentKey, parquetEnd) + ending
}

// Key is the key of a manifest.
func Key(collection string, number uint64) string {
	return fmt.Sprintf("%s%s%s%020d%s", collectionsPrefix, collection, manifestStart, number, jsonEnd)
}

// PointerKey is the key of the pointer to the newest manifest.
func PointerKey(collection string) string { return collectionsPrefix + collection + pointerName }

// SnapshotKey is the key of a snapshot.
func SnapshotKey(collection, snapshot string) string {
	return snapshotsPrefix + collection + "/" + snapshot + jsonEnd
}

// numberOf reads the number of a manifest from its key.
func numberOf(collection, key string) (uint64, bool) {
	digits, ok := strings.CutPrefix(key, collectionsPrefix+collection+manifestStart)
	if !ok {
		return 0, false
	}
	digits, ok = strings.CutSuffix(digits, jsonEnd)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}

// snapshotOf reads the id of a snapshot from its key.
func snapshotOf(key string) string { return strings.TrimSuffix(path.Base(key), jsonEnd) }

// CollectionOf reads the collection from the key of one of its segments or parts; ""
// when it is none.
func CollectionOf(key string) string {
	rest, ok := strings.CutPrefix(key, collectionsPrefix)
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(rest, "/")
	return id
}

// SnapshotsPrefix begins the keys of all snapshots.
const SnapshotsPrefix = snapshotsPrefix

// SnapshotOf reads collection and id from the key of a snapshot.
func SnapshotOf(key string) (collection, id string, ok bool) {
	rest, is := strings.CutPrefix(key, snapshotsPrefix)
	if !is {
		return "", "", false
	}
	collection, rest, is = strings.Cut(rest, "/")
	id, ends := strings.CutSuffix(rest, jsonEnd)
	return collection, id, is && ends && !strings.Contains(id, "/")
}
