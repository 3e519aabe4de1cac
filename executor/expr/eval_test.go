package expr

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/akidb/akidb/internal/pgerr"
)

// Each line of testdata/*.tsv is an expression, its type and its value as a
// PostgreSQL 15 server gave them, or ERROR, the SQLSTATE and the message.
func TestExpressionsGiveWhatPostgreSQLGives(t *testing.T) {
	files, err := filepath.Glob("testdata/*.tsv")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".tsv"), func(t *testing.T) { checkFile(t, file) })
	}
}

func checkFile(t *testing.T, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if lines.Text() == "" || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) < 3 {
			t.Fatalf("%s:%d: want three fields", file, n)
		}
		want := strings.Join(fields[1:], " | ")
		if got := describe(fields[0]); got != want {
			t.Errorf("%s:%d: %s\n got %s\nwant %s", file, n, fields[0], got, want)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func describe(text string) (out string) {
	typ, value, err := evalText(text)
	if err == nil {
		return typ + " | " + strings.ReplaceAll(value, "\n", `\n`)
	}
	if e := pgerr.As(err); e != nil {
		return "ERROR | " + e.Code + " | " + e.Message
	}
	return "ERROR | " + err.Error()
}
