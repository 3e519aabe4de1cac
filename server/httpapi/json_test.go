package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

// read gives all items of a body, read a few bytes at a time.
func read(body string, lines bool) ([]string, error) {
	s := newItemStream(iotest.OneByteReader(strings.NewReader(body)), lines)
	s.buf = make([]byte, 4) // so that it grows and moves
	var out []string
	for {
		raw, at, err := s.next()
		if err != nil || raw == nil {
			return out, err
		}
		if got := body[at : at+int64(len(raw))]; got != string(raw) {
			return out, fmt.Errorf("item %s is said to lie where %s lies", raw, got)
		}
		out = append(out, string(raw))
	}
}

func TestABodyHasOneObjectOrAListOrLines(t *testing.T) {
	for _, tc := range []struct {
		body  string
		lines bool
		want  string
	}{
		{`{"a":1}`, false, `{"a":1}`},
		{" \n{\"a\":\"}]\\\"{\"} ", false, `{"a":"}]\"{"}`},
		{`[]`, false, ``},
		{`[{"a":[1,{}]} , {"b":2}]`, false, `{"a":[1,{}]}|{"b":2}`},
		{`{"vectors":[{"a":1},{"b":2}]}`, false, `{"a":1}|{"b":2}`},
		{` { "vectors" : [ ] } `, false, ``},
		{`{"vectors":3}`, false, `{"vectors":3}`},
		{"{\"a\":1}\n\n  {\"b\":2}\n", true, `{"a":1}|{"b":2}`},
		{"", true, ``},
	} {
		got, err := read(tc.body, tc.lines)
		if err != nil || strings.Join(got, "|") != tc.want {
			t.Errorf("%s: %v %v", tc.body, got, err)
		}
	}
}

func TestAWrongBodyIsRefusedWithThePositionOfTheFault(t *testing.T) {
	for body, position := range map[string]int64{
		``: 1, `3`: 1, `{"a":1} x`: 9, `[{"a":1}`: 9, `[{"a":1},]`: 10, `[{"a":1} {`: 10, `[{}] 1`: 6, `{"vectors":[{}]`: 16, `{"vectors":[{}],"x":1}`: 16,
		`{"a":1`: 7, `{"a":[1,}`: 9, `[1]`: 2,
	} {
		_, err := read(body, false)
		var r *requestError
		if !errors.As(err, &r) || r.position != position {
			t.Errorf("%s: %v, want position %d", body, err, position)
		}
	}
}

func FuzzTheScannerAgreesWithTheStandardLibrary(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e-3,-0,true,null,"é\u00e9\n"],"b":{}}`, `{"a":01}`, `{"a":1.}`, `{"a":"\x"}`, "{\"a\":\"\xff\"}", `{"a":{"b":[[]]}}`, `{"a" 1}`, `{,}`, `{"a":-}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := members(b, 0)
		valid := json.Valid(b) && bytes.HasPrefix(bytes.TrimLeft(b, " \n\t\r"), []byte("{"))
		if err == nil && !valid {
			t.Errorf("%q is not JSON", b)
		}
		if err != nil {
			return // stricter: no key twice, UTF-8 only, bounded nesting
		}
		var std map[string]json.RawMessage
		if e := json.Unmarshal(b, &std); e != nil || len(std) != len(list) {
			t.Errorf("%q: %d members, the library has %d (%v)", b, len(list), len(std), e)
		}
		for _, m := range list {
			if string(m.value) != string(bytes.TrimSpace(std[m.key])) {
				t.Errorf("%q: %s, the library has %s", b, m.value, std[m.key])
			}
		}
		if _, _, err := newItemStream(bytes.NewReader(b), false).next(); err != nil && !bytes.Contains(b, []byte("vectors")) {
			t.Errorf("%q: as a body: %v", b, err)
		}
	})
}
