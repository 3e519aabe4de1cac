package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/akidb/akidb/"

// allowed says, for each room, which of our rooms its code may import (a room
// is a path prefix; a package may always import its own room). Tests may import
// anything.
var allowed = map[string][]string{
	"cmd/akidb-bench":       {"internal/bench", "internal/dataset", "tiering/state"},
	"cmd/akidb":             {"internal/config", "internal/node", "internal/migrate"},
	"internal/arch":         {},
	"internal/bench":        {"internal/dataset", "internal/types", "tiering/state", "coldstore/objectstore/minioserver"},
	"internal/crashpoint":   {},
	"internal/dataset":      {},
	"internal/migrate":      {"coldstore/objectstore"},
	"internal/config":       {},
	"internal/pgerr":        {},
	"internal/types":        {"internal/pgerr"},
	"internal/catalog":      {"internal/types", "internal/pgerr"},
	"internal/storage":      {"internal/types", "internal/catalog"},
	"internal/rowstore":     {"internal/types", "internal/pgerr", "internal/catalog", "internal/storage"},
	"internal/node":         {"internal", "executor", "server", "tiering", "vectorindex", "coldstore", "sql"},
	"sql":                   {"internal/pgerr", "internal/types"},
	"executor/expr":         {"internal/types", "internal/pgerr", "internal/catalog", "vectorindex/distance"},
	"executor/plan":         {"executor/expr", "internal/types", "internal/pgerr", "internal/catalog", "internal/storage", "sql"},
	"executor/pgcatalog":    {"executor/expr", "executor/plan", "internal/types", "internal/pgerr", "internal/catalog", "internal/storage", "sql"},
	"executor/run":          {"executor/expr", "executor/plan", "internal/types", "internal/pgerr", "internal/catalog", "internal/storage", "sql/ast"},
	"executor/ddl":          {"executor/expr", "executor/plan", "executor/run", "internal/types", "internal/pgerr", "internal/catalog", "internal/storage", "sql"},
	"executor":              {"internal/types", "internal/pgerr", "internal/catalog", "internal/storage", "sql"},
	"vectorindex":           {"internal/types", "internal/pgerr", "internal/storage"},
	"coldstore/objectstore": {"internal/pgerr"},
	"coldstore":             {"vectorindex", "internal/crashpoint", "internal/types", "internal/pgerr", "internal/catalog", "internal/storage"},
	"coldstore/cache":       {},
	"tiering/state":         {"internal/types", "internal/pgerr"},
	"tiering":               {"vectorindex", "coldstore", "internal/types", "internal/pgerr", "internal/catalog", "internal/storage", "internal/rowstore", "internal/crashpoint"},
	"server":                {"executor", "sql", "internal/types", "internal/pgerr"},
	"server/httpapi":        {"executor", "sql", "internal/types", "internal/pgerr", "internal/catalog"},
	"integration":           {"internal/dataset"},
}

// owners are libraries that only one room may import.
var owners = map[string]string{
	"github.com/cockroachdb/pebble/v2":    "internal/rowstore",
	"github.com/pganalyze/pg_query_go/v5": "sql",
	"github.com/jeroenrinzema/psql-wire":  "server",
	"github.com/BurntSushi/toml":          "internal/config",
	"github.com/apache/arrow/go/v17":      "coldstore",
	"github.com/minio/minio-go/v7":        "coldstore/objectstore",
	"github.com/prometheus/client_golang": "",
}

func TestEveryImportIsAnAllowedEdge(t *testing.T) {
	root := root(t)
	eachGoFile(t, root, func(path string) {
		if strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/gen/") {
			return
		}
		room := roomOf(filepath.Dir(path))
		if room == "" {
			t.Errorf("%s lies in no room: add it to the table", path)
			return
		}
		for _, imp := range imports(t, filepath.Join(root, path)) {
			if ours, ok := strings.CutPrefix(imp, module); ok && !mayImport(room, ours) {
				t.Errorf("%s (room %s) must not import %s", path, room, ours)
			}
			for lib, owner := range owners {
				if owner != "" && (imp == lib || strings.HasPrefix(imp, lib+"/")) && !within(room, owner) {
					t.Errorf("%s must not import %s: only %s may", path, imp, owner)
				}
			}
		}
	})
}

func TestTheDocumentsNameOnlyPathsThatExist(t *testing.T) {
	root := root(t)
	quoted := regexp.MustCompile("`((?:cmd|internal|server|sql|executor|vectorindex|tiering|coldstore|docs|integration)/[A-Za-z0-9_./-]*)`")
	for _, doc := range []string{"docs/ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "docs/GLOSSARY.md"} {
		text, err := os.ReadFile(filepath.Join(root, doc))
		if err != nil {
			t.Errorf("%s: %v", doc, err)
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s names %s, which does not exist", doc, m[1])
			}
		}
	}
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	root := root(t)
	seen := map[string]bool{}
	eachGoFile(t, root, func(path string) {
		dir := filepath.Dir(path)
		if seen[dir] || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(dir, "cmd/") || strings.Contains(path, "/gen/") {
			return
		}
		seen[dir] = true
		if _, err := os.Stat(filepath.Join(root, dir, "doc.go")); err != nil {
			t.Errorf("package %s has no doc.go", dir)
		}
	})
}

func mayImport(room, path string) bool {
	if within(path, room) {
		return true
	}
	for _, a := range allowed[room] {
		if within(path, a) {
			return true
		}
	}
	return false
}

func within(path, room string) bool { return path == room || strings.HasPrefix(path, room+"/") }

// roomOf is the longest room that holds dir.
func roomOf(dir string) string {
	best := ""
	for room := range allowed {
		if within(dir, room) && len(room) > len(best) {
			best = room
		}
	}
	return best
}

func imports(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func eachGoFile(t *testing.T, root string, fn func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "datasets" || d.Name() == "testdata" || d.Name() == "data") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			fn(filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}
