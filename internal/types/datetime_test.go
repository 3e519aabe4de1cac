package types

import (
	"testing"
	"time"
)

func TestDatesAndTimesReadAndPrintAsPostgreSQLDoes(t *testing.T) {
	for _, f := range append(goldenLines(t, "datetime.txt"), goldenLines(t, "datetime_mixed.txt")...) {
		loc, err := time.LoadLocation(f[2])
		if err != nil {
			t.Fatal(err)
		}
		env := DefaultEnv()
		env.DateStyle, env.IntervalStyle, env.TimeZone = f[0], f[1], loc
		oid := ByName(f[3]).OID
		d, err := Parse(oid, NoTypmod, f[4], env)
		got := outcome(func() string { return FormatString(oid, d, env) }, err)
		if got != f[5] {
			t.Errorf("%s, %s, %s: %s %s\n got %s\nwant %s", f[0], f[1], f[2], f[3], f[4], got, f[5])
		}
	}
}
