package sql

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

func TestStatementsParseAsTheFilesSay(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.HasPrefix(path, filepath.Join("testdata", "fuzz")) {
			return // what fuzzing has found
		}
		datadriven.RunTest(t, path, func(_ *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "parse":
				return parseLines(d.Input)
			case "whole":
				return parseWhole(d.Input)
			}
			return "unknown command " + d.Cmd
		})
	})
}

// parseLines parses each line by itself.
func parseLines(input string) string {
	var b strings.Builder
	for _, line := range strings.Split(input, "\n") {
		b.WriteString(parseWhole(line))
	}
	return b.String()
}

// parseWhole parses the text as one string.
func parseWhole(text string) string {
	statements, err := Parse(text)
	if err != nil {
		return describe(err)
	}
	if len(statements) == 0 {
		return "nothing\n"
	}
	var b strings.Builder
	for _, s := range statements {
		if len(statements) > 1 {
			fmt.Fprintf(&b, "%d %q ", s.Offset, s.Text)
		}
		b.WriteString(dump(s.Tree) + "\n")
	}
	return b.String()
}

func describe(err error) string {
	e := pgerr.As(err)
	if e == nil {
		return "no SQLSTATE: " + err.Error() + "\n"
	}
	text := fmt.Sprintf("ERROR %s: %s", e.Code, e.Message)
	if e.Position > 0 {
		text += fmt.Sprintf(" at %d", e.Position)
	}
	if e.Hint != "" {
		text += "\nHINT: " + e.Hint
	}
	return text + "\n"
}

func TestTextThatIsNotUTF8IsRefused(t *testing.T) {
	for text, message := range map[string]string{
		"SELECT 1\x00; DROP TABLE t":                     `invalid byte sequence for encoding "UTF8": 0x00`,
		"SELECT '\xff'":                                  `invalid byte sequence for encoding "UTF8": 0xff`,
		"SELECT '\xc3'":                                  `invalid byte sequence for encoding "UTF8": 0xc3 0x27`,
		"SELECT '\xe2\x82":                               `invalid byte sequence for encoding "UTF8": 0xe2 0x82`,
		"ALTER COLLECTION t SET TIER \xf5":               `invalid byte sequence for encoding "UTF8": 0xf5`,
		"SELECT 1" + strings.Repeat(" ", 10000) + "\x80": `invalid byte sequence for encoding "UTF8": 0x80`,
	} {
		for _, parse := range []func(string) error{
			func(s string) error { _, err := Parse(s); return err },
			func(s string) error { _, err := ParseExpr(s); return err },
		} {
			err := pgerr.As(parse(text))
			if err == nil || err.Code != pgerr.CharacterNotInRepertoire || err.Message != message {
				t.Errorf("%.40q: got %v, want %s", text, err, message)
			}
		}
	}
}

func TestParseExprTakesOneExpressionOnly(t *testing.T) {
	for _, text := range []string{"", "1, 2", "1 FROM t", "1; SELECT 2", "a AS b", "1 ORDER BY 1", "1 UNION SELECT 2", "1 WHERE true", "DISTINCT a", "1)", "(1", "1 LIMIT 1", "1 INTO t", ";", "--"} {
		e, err := ParseExpr(text)
		if code := pgerr.Code(err); code != pgerr.SyntaxError {
			t.Errorf("%q: got %v, %v, want a syntax error", text, e, err)
		}
	}
	e, err := ParseExpr("a +  bb")
	if err != nil {
		t.Fatal(err)
	}
	if op := e.(*ast.Op); op.Pos != 3 || op.Right.(*ast.ColumnRef).Pos != 6 {
		t.Errorf("positions %d and %d, want 3 and 6", op.Pos, op.Right.(*ast.ColumnRef).Pos)
	}
	_, err = ParseExpr("a + + )")
	if e := pgerr.As(err); e == nil || e.Position != 7 {
		t.Errorf("got %v, want position 7", err)
	}
	_, err = ParseExpr(strings.Repeat("(", 5000) + "1")
	if pgerr.Code(err) != pgerr.StatementTooComplex {
		t.Errorf("got %v, want 54001", err)
	}
}

// The error a client sees must point at the place in the whole string, in characters.
func TestPositionsOfTreesCountCharacters(t *testing.T) {
	statements, err := Parse("SELECT 'ä'; -- é\n SELECT 'ü', b FROM ö")
	if err != nil {
		t.Fatal(err)
	}
	second := statements[1]
	tree := second.Tree.(*ast.Select)
	if second.Offset != 18 {
		t.Errorf("offset %d, want 18", second.Offset)
	}
	if pos := tree.Targets[1].Expr.(*ast.ColumnRef).Pos; pos != 13 {
		t.Errorf("b is at %d, want 13", pos)
	}
	if pos := tree.From[0].(*ast.RangeVar).Pos; pos != 20 {
		t.Errorf("ö is at %d, want 20", pos)
	}
}

// corpus returns the inputs of all files of testdata.
func corpus(f *testing.F) []string {
	files, err := filepath.Glob("testdata/*")
	if err != nil {
		f.Fatal(err)
	}
	var out []string
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.IsDir() {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, block := range strings.Split(string(text), "\n\n") {
			input, _, found := strings.Cut(block, "\n----")
			_, input, _ = strings.Cut(input, "\n")
			if found {
				out = append(out, strings.Split(input, "\n")...)
			}
		}
	}
	if len(out) < 100 {
		f.Fatalf("only %d texts in testdata", len(out))
	}
	return out
}

// Whatever the text: no crash, every error has a SQLSTATE, and what can be
// printed parses to the same tree.
func FuzzParse(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text)
	}
	for _, text := range queries {
		f.Add(text)
	}
	for _, text := range expressions {
		f.Add("SELECT " + text)
	}
	for _, text := range hostile(40) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := Parse(text)
		if err != nil {
			if pgerr.Code(err) == pgerr.InternalError {
				t.Fatalf("%q: no SQLSTATE: %v", text, err)
			}
			return
		}
		for _, s := range statements {
			difference := unlike(s.Tree)
			if difference != "" && !strings.Contains(difference, pgerr.StatementTooComplex) {
				t.Fatalf("%q prints as %s", s.Text, difference)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	vector := "'[0.1" + strings.Repeat(",0.123456", 767) + "]'"
	for _, c := range []struct{ name, text string }{
		{"select 1", "SELECT 1"},
		{"nearest", "SELECT id FROM items ORDER BY embedding <=> $1 LIMIT 10"},
		{"nearest filtered", "SELECT id, name FROM items WHERE price < $2 AND category IN ('a', 'b') ORDER BY embedding <=> $1 LIMIT 10"},
		{"nearest inline 768", "SELECT id FROM items ORDER BY embedding <=> " + vector + " LIMIT 10"},
		{"insert", "INSERT INTO items (id, name, embedding) VALUES ($1, $2, $3)"},
		{"insert 1000 rows", "INSERT INTO items VALUES " + strings.Repeat("(1, 'abc', '[1,2,3]'), ", 999) + "(1, 'abc', '[1,2,3]')"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(c.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
