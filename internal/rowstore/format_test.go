package rowstore

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// TestTheFormatPageIsTrue compares the examples of docs/formats/rowstore.md with
// what the code writes.
func TestTheFormatPageIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats/rowstore.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Map(func(r rune) rune {
		if r == ' ' {
			return -1
		}
		return r
	}, string(page))
	table := smallTable()
	table.Columns[1].Type = types.TextOID
	row := types.Row{int64(5), "ab", types.Vector{1, 2}}
	encoded, err := appendRow(nil, table, 1, row)
	if err != nil {
		t.Fatal(err)
	}
	entry := func(id types.OID, unique bool) []byte {
		x := &catalog.Index{ID: id, Unique: unique, Keys: []catalog.IndexKey{{Column: 1, Type: types.Int8OID}}}
		e, ok, err := (&Store{}).entryOf(table, x, row)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		key, _ := e.stored(7)
		return key
	}
	for name, b := range map[string][]byte{
		"descriptor":   objectKey(catalog.KindTable, 20000),
		"row":          rowKey(nil, 20000, 7),
		"vector":       vectorKey(nil, 20000, 3, 7),
		"intent":       intentKey(20000, 8),
		"unique entry": entry(20001, true),
		"entry":        entry(20002, false),
		"vector value": appendVector(nil, row[2]),
	} {
		if !strings.Contains(text, "`"+hex.EncodeToString(b)+"`") {
			t.Errorf("%s: the page lacks `%x`", name, b)
		}
	}
	var lines strings.Builder // the example of a row, its comments left out
	_, block, _ := strings.Cut(string(page), "```\n")
	block, _, _ = strings.Cut(block, "```")
	for line := range strings.Lines(block) {
		code, _, _ := strings.Cut(line, "  ")
		lines.WriteString(strings.ReplaceAll(code, " ", ""))
	}
	if lines.String() != hex.EncodeToString(encoded) {
		t.Errorf("row: the page has %s, the code %x", &lines, encoded)
	}
}
