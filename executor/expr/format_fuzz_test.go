package expr

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/types"
)

// Any template: to_char, to_date, to_timestamp, to_number and the functions of
// regular expressions answer or refuse, and what they make is valid text.
func FuzzTemplates(f *testing.F) {
	for _, s := range []string{
		"YYYY-MM-DD HH24:MI:SS.US", "FMDay, DDth Mon YY", "IYYY-IW-ID", `"x\"y"FX Y,YYY`, "J Q RM CC", "TZH:TZM OF", "SSSSS AM", "999,999.99", "FM0009.EEEE",
		"S9PR", "RN", "L99V99", "MI9G9D9", "FX  TMMonth", "(a|b)+?[[:alpha:]]{2,3}", `\m\y\Y(?i)x`, "***:a.b", "[a-", "FF6",
	} {
		f.Add(s, "2024-02-30 25:61 12,345.6-")
		f.Add(s, "-1.5e3")
	}
	at := types.Timestamp(time.Date(2024, 2, 29, 13, 14, 15, 678901000, time.UTC).UnixMicro())
	f.Fuzz(func(t *testing.T, template, text string) {
		if types.CheckText(template) != nil || types.CheckText(text) != nil {
			return // no text of SQL
		}
		check := func(name string, d types.Datum, err error) {
			if s, ok := d.(string); ok && err == nil && !utf8.ValidString(s) {
				t.Errorf("%s of %q with %q makes %q", name, text, template, s)
			}
		}
		for _, call := range []struct {
			name string
			oid  types.OID
			from types.Datum
		}{
			{"to_char", types.TimestampOID, at}, {"to_char", types.Int4OID, int64(-1234)}, {"to_char", types.Float8OID, 1234.5678},
			{"to_date", types.TextOID, text}, {"to_timestamp", types.TextOID, text}, {"to_number", types.TextOID, text},
			{"regexp_match", types.TextOID, text}, {"regexp_split_to_array", types.TextOID, text}, {"regexp_count", types.TextOID, text},
		} {
			for _, fn := range FunctionsNamed(call.name) {
				if len(fn.Args) == 2 && fn.Args[0] == call.oid {
					d, err := Apply(nil, fn, call.from, template)
					check(call.name, d, err)
				}
			}
		}
	})
}
