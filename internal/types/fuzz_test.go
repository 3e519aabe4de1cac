package types

import (
	"bytes"
	"testing"
	"time"
)

// fuzzed are the types that the fuzz targets choose from by number.
func fuzzed() []*Type {
	var out []*Type
	for _, t := range All() {
		if t.Category != 'P' && t.Codec.Parse != nil && t.Codec.Decode != nil {
			out = append(out, t)
		}
	}
	return out
}

func numberOf(t testing.TB, oid OID) uint16 {
	for i, typ := range fuzzed() {
		if typ.OID == oid {
			return uint16(i)
		}
	}
	t.Fatalf("type %d is not fuzzed", oid)
	return 0
}

// fuzzEnvs are the settings under which a text has to come back.
func fuzzEnvs() []*Env {
	now := time.Date(2024, 3, 15, 12, 34, 56, 789000000, time.UTC)
	var out []*Env
	for _, style := range []string{"ISO, MDY", "ISO, DMY", "ISO, YMD", "SQL, MDY", "SQL, DMY", "Postgres, MDY", "Postgres, DMY", "German, DMY"} {
		for _, interval := range []string{"postgres", "postgres_verbose", "iso_8601", "sql_standard"} {
			env := DefaultEnv()
			env.DateStyle, env.IntervalStyle, env.Now = style, interval, now
			out = append(out, env)
		}
	}
	return out
}

func FuzzTextComesBack(f *testing.F) {
	for oid, texts := range samples {
		for i, s := range texts {
			f.Add(numberOf(f, oid), uint8(i), s)
		}
	}
	for _, s := range []string{"@ 1 year -2 mons ago", "P1Y-2M3DT-4H5.5S", "1-2 -3 +4:05:06.7", "-1.5 days", "P00010203T040506"} {
		f.Add(numberOf(f, IntervalOID), uint8(1), s)
	}
	for _, s := range []string{"J2451187.5", "Mon Jan 8 04:05:06 1999 PST", "20200101T102030-08", "99.12.31", "epoch", "12/31/99 BC"} {
		f.Add(numberOf(f, TimestampTZOID), uint8(2), s)
	}
	all, envs := fuzzed(), fuzzEnvs()
	f.Fuzz(func(t *testing.T, kind uint16, setting uint8, s string) {
		if !validText(s) {
			t.Skip()
		}
		typ, env := all[int(kind)%len(all)], envs[int(setting)%len(envs)]
		d, err := Parse(typ.OID, NoTypmod, s, env)
		if err != nil {
			return
		}
		text := FormatString(typ.OID, d, env)
		back, err := Parse(typ.OID, NoTypmod, text, env)
		if err != nil {
			t.Fatalf("%s %q was written as %q, which is not read: %v", typ.Name, s, text, err)
		}
		if again := FormatString(typ.OID, back, env); again != text {
			t.Fatalf("%s %q was written as %q and then as %q", typ.Name, s, text, again)
		}
		if HasOrder(typ.OID) && Compare(typ.OID, d, back) != 0 {
			t.Fatalf("%s %q came back as a value that is not equal", typ.Name, s)
		}
		checkKey(t, typ.OID, d)
		checkBinary(t, typ, d)
	})
}

func validText(s string) bool { return CheckText(s) == nil }

func checkBinary(t *testing.T, typ *Type, d Datum) {
	t.Helper()
	b, err := Encode(nil, typ.OID, d)
	if err != nil {
		return
	}
	back, err := Decode(typ.OID, b)
	if err != nil {
		t.Fatalf("%s: the binary form %x of %s is not read: %v", typ.Name, b, FormatString(typ.OID, d, nil), err)
	}
	again, err := Encode(nil, typ.OID, back)
	if err != nil || !bytes.Equal(again, b) {
		t.Fatalf("%s: %x came back as %x: %v", typ.Name, b, again, err)
	}
}

func FuzzBinaryComesBack(f *testing.F) {
	for oid, texts := range samples {
		for _, s := range texts {
			if d, err := Parse(oid, NoTypmod, s, nil); err == nil {
				if b, err := Encode(nil, oid, d); err == nil {
					f.Add(numberOf(f, oid), b)
				}
			}
		}
	}
	all := fuzzed()
	f.Fuzz(func(t *testing.T, kind uint16, b []byte) {
		typ := all[int(kind)%len(all)]
		d, err := Decode(typ.OID, b)
		if err != nil {
			return
		}
		checkBinary(t, typ, d)
		if typ.Codec.Compare != nil {
			checkKey(t, typ.OID, d)
		}
	})
}

func FuzzKeyIsReadOrRefused(f *testing.F) {
	for oid, texts := range samples {
		for i, s := range texts {
			if d, err := Parse(oid, NoTypmod, s, nil); err == nil {
				f.Add(numberOf(f, oid), AppendKey(nil, oid, d, i%2 == 1, false), i%2 == 1)
			}
		}
	}
	all := fuzzed()
	f.Fuzz(func(t *testing.T, kind uint16, b []byte, desc bool) {
		typ := all[int(kind)%len(all)]
		d, rest, err := DecodeKey(typ.OID, bytes.Clone(b), desc, false)
		if err != nil || d == nil {
			return
		}
		if len(rest) > len(b) {
			t.Fatalf("%s: %d bytes left of %d", typ.Name, len(rest), len(b))
		}
		checkKey(t, typ.OID, d)
	})
}
