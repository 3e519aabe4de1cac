package rowstore

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/akidb/akidb/internal/pgerr"
)

func TestADataDirectoryOfAnotherVersionIsRefusedWithTheWayForward(t *testing.T) {
	for version, want := range map[uint32]string{FormatVersion + 1: "newer AkiDB", OldestFormatVersion - 1: "pg_dump"} {
		err := checkVersion(version)
		e := pgerr.As(err)
		if err == nil || e.Code != "55000" || !strings.Contains(e.Hint, want) || !strings.Contains(e.Message, "format version") {
			t.Errorf("version %d: %v", version, err)
		}
	}
	for version := uint32(OldestFormatVersion); version <= FormatVersion; version++ {
		if err := checkVersion(version); err != nil {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

func TestAStoreOfANewerVersionIsNotTouched(t *testing.T) {
	f := newFixture(t)
	f.ok(f.store.set([]byte{keyFormat}, binary.BigEndian.AppendUint32(nil, FormatVersion+1), pebble.Sync))
	if err := f.store.checkFormat(); err == nil || !strings.Contains(err.Error(), "format version 3") {
		t.Errorf("got %v", err)
	}
	f.ok(f.store.set([]byte{keyFormat}, binary.BigEndian.AppendUint32(nil, FormatVersion), pebble.Sync))
	f.ok(f.store.checkFormat())
}
