package ddl

import (
	"slices"
	"testing"
)

func TestNamesInLiteralsAreReadAsRegclassReadsThem(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"seq", []string{"seq"}}, {"Seq", []string{"seq"}}, {`"Seq"`, []string{"Seq"}}, {"s.seq", []string{"s", "seq"}},
		{`"a.b"."c""d"`, []string{"a.b", `c"d`}}, {" seq ", []string{"seq"}}, {"", nil}, {"a.", nil}, {`"a`, nil}, {`"a"b`, nil},
	} {
		if got := splitName(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q", c.text, got)
		}
	}
}
