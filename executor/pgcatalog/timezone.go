package pgcatalog

import (
	"time"

	"github.com/akidb/akidb/internal/types"
)

// zoneNamesView shows each zone as it is now.
var zoneNamesView = &source{all: func(b *builder) error {
	now := time.Now()
	for _, name := range types.ZoneNames() {
		loc, ok := types.LookupZone(name)
		if !ok {
			continue
		}
		at := now.In(loc)
		abbrev, offset := at.Zone()
		b.add(name, abbrev, types.Interval{Micros: int64(offset) * 1e6}, at.IsDST())
	}
	return nil
}}

var zoneAbbrevsView = &source{all: func(b *builder) error {
	for _, z := range types.ZoneAbbrevs() {
		b.add(z.Name, types.Interval{Micros: int64(z.Offset) * 1e6}, z.DST)
	}
	return nil
}}
