package migrate

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

func at(t *testing.T, s string) *time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return &v
}

func sumOf(t *testing.T, records ...record) string {
	t.Helper()
	s := newSum()
	for i := range records {
		if err := s.add(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	return s.String()
}

func TestASumChangesWithEveryValueAndNotWithHowItIsWritten(t *testing.T) {
	name, empty := "a", ""
	base := record{DocID: uuid.New(), ExternalID: &name, Vector: vector{1, 2}, Metadata: json.RawMessage(`{"a":100,"b":[1,null]}`), InsertedAt: at(t, "2025-01-01T00:00:00.000001Z")}
	same := base
	same.Metadata, same.InsertedAt = json.RawMessage(` {"b" : [1.0,null], "a":1e2}`), at(t, "2025-01-01T01:00:00.0000014+01:00")
	if sumOf(t, base) != sumOf(t, same) {
		t.Error("the same row has two sums")
	}
	other := record{DocID: uuid.New(), Vector: vector{3, 4}}
	if sumOf(t, base, other) != sumOf(t, other, base) {
		t.Error("the order counts")
	}
	for what, change := range map[string]func(*record){
		"doc_id": func(r *record) { r.DocID = uuid.New() }, "external_id": func(r *record) { r.ExternalID = &empty },
		"no external_id": func(r *record) { r.ExternalID = nil }, "vector": func(r *record) { r.Vector = vector{1, 2.0000002} },
		"shorter vector": func(r *record) { r.Vector = vector{1} }, "metadata": func(r *record) { r.Metadata = json.RawMessage(`{"a":"100","b":[1,null]}`) },
		"no metadata": func(r *record) { r.Metadata = nil }, "empty metadata": func(r *record) { r.Metadata = json.RawMessage(`{}`) },
		"inserted_at": func(r *record) { r.InsertedAt = at(t, "2025-01-01T00:00:00.000002Z") },
	} {
		changed := base
		changed.Vector = slices.Clone(base.Vector)
		change(&changed)
		if sumOf(t, base) == sumOf(t, changed) {
			t.Errorf("%s does not count", what)
		}
	}
	if s := sumOf(t, base, base); s == sumOf(t) || s == sumOf(t, base) {
		t.Error("a row that comes twice does not count twice")
	}
}

func TestNumbersOutOfRangeAreRefused(t *testing.T) {
	for _, text := range []string{`1e999999999`, `-1e-999999999`, `{"a":1e70000}`, `"\u0000"`, `{"\u0000":1}`} {
		if _, err := canonicalJSON([]byte(text)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	got, err := canonicalJSON([]byte(`"\\u0000"`))
	if err != nil || string(got) != `"\\u0000"` {
		t.Errorf("a backslash before u0000: %s %v", got, err)
	}
}

func TestAVectorIsReadAsFloat32(t *testing.T) {
	var v vector
	if err := json.Unmarshal([]byte(` [0.1, -2e3 ,3]`), &v); err != nil || !slices.Equal(v, vector{0.1, -2000, 3}) {
		t.Errorf("got %v %v", v, err)
	}
	for _, text := range []string{`"x"`, `[1,"2"]`, `[1,null]`, `{}`, `[1e39]`, `[NaN]`} {
		if err := json.Unmarshal([]byte(text), &v); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func FuzzCanonicalJSON(f *testing.F) {
	f.Add([]byte(`{"a":[1e2,null,"x"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := canonicalJSON(text)
		if err == nil && !json.Valid(first) {
			t.Errorf("%q gives %q", text, first)
		}
	})
}
