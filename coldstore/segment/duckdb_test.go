package segment

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore/dir"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/dataset"
	"github.com/akidb/akidb/internal/types"
)

// duckFolder has DuckDB, which `make readers` installs.
const duckFolder = "../../integration/duckdb"

// duckAnswer is the result of one statement, values as DuckDB prints them.
type duckAnswer struct {
	Names []string
	Types []string
	Rows  [][]*string
}

func (a duckAnswer) text(row, col int) string {
	if a.Rows[row][col] == nil {
		return "NULL"
	}
	return *a.Rows[row][col]
}

// duckdb runs statements in a fresh DuckDB; it skips the test when there is none.
func duckdb(t *testing.T, statements ...string) []duckAnswer {
	t.Helper()
	if _, err := os.Stat(filepath.Join(duckFolder, "node_modules/@duckdb/node-api")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("DuckDB is not installed")
		}
		t.Skip("DuckDB is not installed: run make readers")
	}
	in, err := json.Marshal(statements)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "read.mjs")
	cmd.Dir = duckFolder
	cmd.Stdin = strings.NewReader(string(in))
	var failure strings.Builder
	cmd.Stderr = &failure
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("DuckDB: %v\n%s", err, failure.String())
	}
	var answers []duckAnswer
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

// moodOID is an enum that a user has made.
var moodOID = types.EnumOID(7001)

// testUsers has the labels of three moods.
type testUsers struct{}

func (testUsers) EnumOrder(types.OID, string) (float64, error) { panic("not asked for") }
func (testUsers) EnumLabel(_ types.OID, order float64) (string, bool) {
	return []string{"", "sad", "ok", "happy, or so"}[int(order)], true
}
func (testUsers) RowFields(types.OID) ([]string, []types.OID, bool) {
	panic("not asked for")
}

// duckColumns are columns with what DuckDB makes of them: its type, and how it
// prints each value ("" stands for PostgreSQL's own text).
var duckColumns = []struct {
	name   string
	oid    types.OID
	typmod int32
	duck   string
	values [][2]string
}{
	{"a_bool", types.BoolOID, -1, "BOOLEAN", [][2]string{{"t", "true"}, {"f", "false"}}},
	{"a_smallint", types.Int2OID, -1, "SMALLINT", [][2]string{{"-32768", ""}, {"32767", ""}}},
	{"an_int", types.Int4OID, -1, "INTEGER", [][2]string{{"-2147483648", ""}, {"2147483647", ""}}},
	{"a_bigint", types.Int8OID, -1, "BIGINT", [][2]string{{"-9223372036854775808", ""}, {"9223372036854775807", ""}}},
	{"an_oid", types.OidOID, -1, "BIGINT", [][2]string{{"4294967295", ""}, {"0", ""}}},
	{"a_real", types.Float4OID, -1, "FLOAT", [][2]string{{"1.5", ""}, {"NaN", "nan"}, {"-Infinity", "-inf"}}},
	{"a_double", types.Float8OID, -1, "DOUBLE", [][2]string{{"0.1", ""}, {"-1.7976931348623157e+308", ""}, {"Infinity", "inf"}}},
	{"a_decimal", types.NumericOID, decimal(9, 2), "DECIMAL(9,2)", [][2]string{{"-0.01", ""}, {"9999999.99", ""}, {"NaN", "NULL"}}},
	{"a_wide_decimal", types.NumericOID, decimal(38, 10), "DECIMAL(38,10)", [][2]string{{"-9999999999999999999999999999.9999999999", ""}, {"0.0000000001", ""}}},
	{"a_numeric", types.NumericOID, -1, "VARCHAR", [][2]string{{"1.500", ""}, {"1e-30", "0.000000000000000000000000000001"}}},
	{"A \"text\"", types.TextOID, -1, "VARCHAR", [][2]string{{"", "''"}, {"häß 漢字 🙂", ""}}},
	{"a_varchar", types.VarcharOID, 14, "VARCHAR", [][2]string{{"abc", ""}}},
	{"a_bytea", types.ByteaOID, -1, "BLOB", [][2]string{{"\\x00ff61", `\x00\xFFa`}}},
	{"a_uuid", types.UUIDOID, -1, "UUID", [][2]string{{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", ""}}},
	{"a_date", types.DateOID, -1, "DATE", [][2]string{{"2024-02-29", ""}, {"infinity", ""}, {"-infinity", ""}, {"0044-03-15 BC", "0044-03-15 (BC)"}}},
	{"a_time", types.TimeOID, -1, "TIME", [][2]string{{"12:34:56.789012", ""}, {"00:00:00", ""}, {"24:00:00", ""}}},
	{"a_timetz", types.TimeTZOID, -1, "VARCHAR", [][2]string{{"12:34:56+02", ""}}},
	{"a_timestamp", types.TimestampOID, -1, "TIMESTAMP", [][2]string{{"2024-02-29 12:00:00.000001", ""}, {"infinity", ""}, {"-infinity", ""}, {"294276-12-31 00:00:00", "NULL"}}},
	{"a_timestamptz", types.TimestampTZOID, -1, "TIMESTAMP WITH TIME ZONE", [][2]string{{"2024-02-29 12:00:00+02", "2024-02-29 10:00:00+00"}, {"infinity", ""}}},
	{"an_interval", types.IntervalOID, -1, "VARCHAR", [][2]string{{"1 year -2 mons 3 days -04:05:06.000007", "10 mons 3 days -04:05:06.000007"}}},
	{"bits", types.BitOID, 5, "VARCHAR", [][2]string{{"10101", ""}}},
	{"a_json", types.JSONOID, -1, "JSON", [][2]string{{`{"a":  1}`, ""}, {"null", ""}}},
	{"a_jsonb", types.JSONBOID, -1, "JSON", [][2]string{{`{"a": [1, 2.50, "x"]}`, ""}}},
	{"an_inet", types.InetOID, -1, "VARCHAR", [][2]string{{"192.168.0.1/24", ""}}},
	{"embedding", types.VectorOID, 3, "FLOAT[]", [][2]string{{"[1,2,3.5]", "[1.0, 2.0, 3.5]"}}},
	{"a_halfvec", types.HalfVecOID, 2, "FLOAT[]", [][2]string{{"[65504,-0.5]", "[65504.0, -0.5]"}}},
	{"a_sparsevec", types.SparseVecOID, 1000, "VARCHAR", [][2]string{{"{1:0.5,1000:-3}/1000", ""}}},
	{"ints", types.Int4ArrayOID, -1, "INTEGER[]", [][2]string{{"{1,NULL,3}", "[1, NULL, 3]"}, {"{}", "[]"}, {"{{1,2},{3,4}}", "[1, 2, 3, 4]"}}},
	{"texts", types.TextArrayOID, -1, "VARCHAR[]", [][2]string{{`{a,"",NULL}`, "[a, '', NULL]"}}},
	{"dates", types.DateArrayOID, -1, "DATE[]", [][2]string{{"{2000-01-01,NULL}", "[2000-01-01, NULL]"}}},
}

// quoted is a name in SQL.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// duckRows has a row a value, the values of a column one after the other, and a last row of NULLs.
func duckRows(t *testing.T) (*catalog.Table, []testRow) {
	var cols []catalog.Column
	height := 1
	for _, c := range duckColumns {
		cols = append(cols, catalog.Column{Name: c.name, Type: c.oid, Typmod: c.typmod})
		height = max(height, len(c.values)+1)
	}
	table := tableOf(cols...)
	rows := make([]testRow, height)
	for i := range rows {
		rows[i] = testRow{id: types.RowID(i + 1), row: make(types.Row, len(cols))}
		for at, c := range duckColumns {
			if i < len(c.values) {
				rows[i].row[at] = parse(t, c.oid, c.typmod, c.values[i][0])
			}
		}
	}
	return table, rows
}

// fileStore is a store whose objects are files below the folder.
func fileStore(t *testing.T) (*dir.Store, string) {
	folder := t.TempDir()
	s, err := dir.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	return s, folder
}

// objectFile is the file that holds an object.
func objectFile(t *testing.T, folder, name string) string {
	var found string
	if err := filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() && strings.HasPrefix(filepath.Base(path), name) {
			found = path
		}
		return err
	}); err != nil || found == "" {
		t.Fatalf("no file %s: %v", name, err)
	}
	return found
}

func TestDuckDBReadsEveryTypeUnderItsName(t *testing.T) {
	table, rows := duckRows(t)
	for _, codec := range []Compression{None, Snappy, Zstd} {
		t.Run(string(codec), func(t *testing.T) {
			s, folder := fileStore(t)
			write(t, s, "a.parquet", table, rows, Options{Compression: codec})
			from := " FROM '" + objectFile(t, folder, "a.parquet") + "'"
			texts := []string{}
			for _, c := range duckColumns {
				texts = append(texts, "CAST("+quoted(c.name)+" AS VARCHAR)")
			}
			answers := duckdb(t, "DESCRIBE SELECT *"+from, "SELECT "+strings.Join(texts, ", ")+from+" ORDER BY _akidb_row_id")
			described, values := answers[0], answers[1]
			if described.text(0, 0) != "_akidb_row_id" || described.text(0, 1) != "BIGINT" {
				t.Errorf("the first column is %s %s", described.text(0, 0), described.text(0, 1))
			}
			for at, c := range duckColumns {
				if name, typ := described.text(at+1, 0), described.text(at+1, 1); name != c.name || typ != c.duck {
					t.Errorf("%s is %s of type %s instead of %s", c.name, name, typ, c.duck)
				}
				for i := range rows {
					want := "NULL"
					if i < len(c.values) {
						if want = c.values[i][1]; want == "" {
							want = types.FormatString(c.oid, rows[i].row[at], nil)
						}
						if want == "''" {
							want = ""
						}
					}
					if got := values.text(i, at); got != want {
						t.Errorf("%s: %s became %q instead of %q", c.name, show(rows[i].row[at]), got, want)
					}
				}
			}
		})
	}
}

func TestDuckDBReadsTheLabelsOfEnums(t *testing.T) {
	table := tableOf(column(moodOID, -1), column(types.UserArrayOID(moodOID), -1))
	enum := func(order float64) types.Datum { return types.Enum{Type: moodOID, Order: order} }
	rows := []testRow{
		{id: 1, row: types.Row{enum(1), types.NewArray(moodOID, []types.Datum{enum(3), nil, enum(2)})}},
		{id: 2, row: types.Row{nil, nil}},
		{id: 3, row: types.Row{enum(3), &types.Array{Elem: moodOID}}},
	}
	s, folder := fileStore(t)
	sum := write(t, s, "a.parquet", table, rows, Options{Users: testUsers{}})
	if r := open(t, s, sum); len(r.Pruned([]Predicate{{1, IsNull, nil}})) != 1 {
		t.Error("the row group with a NULL is excluded")
	} else {
		scanned, err := r.Scan(t.Context(), ScanOptions{Columns: allColumns(table)})
		if err != nil {
			t.Fatal(err)
		}
		defer scanned.Close()
		got := make(types.Row, 2)
		for _, want := range rows {
			if _, ok, err := scanned.Next(got); !ok || err != nil {
				t.Fatal(ok, err)
			}
			for c := range got {
				if !same(got[c], want.row[c]) {
					t.Errorf("%s became %s", show(want.row[c]), show(got[c]))
				}
			}
		}
	}
	a := duckdb(t, "SELECT c1, CAST(c2 AS VARCHAR) FROM '"+objectFile(t, folder, "a.parquet")+"' ORDER BY _akidb_row_id")[0]
	for i, want := range [][]string{
		{"sad", "['happy, or so', NULL, ok]"}, {"NULL", "NULL"}, {"happy, or so", "[]"},
	} {
		for c := range want {
			if a.text(i, c) != want[c] {
				t.Errorf("row %d: %s instead of %s", i+1, a.text(i, c), want[c])
			}
		}
	}
}

// wordRows are the sample's words with their vectors, and as many pairs of words
// with the sum of their vectors.
func wordRows() (*catalog.Table, []testRow) {
	set := dataset.Sample()
	table := tableOf(
		catalog.Column{Name: "id", Type: types.Int8OID, Typmod: -1},
		catalog.Column{Name: "word", Type: types.TextOID, Typmod: -1},
		catalog.Column{Name: "embedding", Type: types.VectorOID, Typmod: int32(set.Dim)})
	n := set.Rows()
	rows := make([]testRow, 2*n)
	for i := range rows {
		v, word := slices.Clone(types.Vector(set.Base(i%n))), set.Words[i%n]
		if i >= n {
			other := (i + 1) % n
			for j, x := range set.Base(other) {
				v[j] += x
			}
			word += " " + set.Words[other]
		}
		rows[i] = testRow{types.RowID(i + 1), uint32(i / 100), types.Row{int64(i), word, v}}
	}
	return table, rows
}

func TestDuckDBFindsTheSameNeighboursOverAllSegmentsOfACollection(t *testing.T) {
	table, rows := wordRows()
	s, folder := fileStore(t)
	half := len(rows) / 2
	write(t, s, "collections/1/segments/a.parquet", table, rows[:half], Options{})
	write(t, s, "collections/1/segments/b.parquet", table, rows[half:], Options{Compression: Snappy})
	glob := "'" + filepath.Dir(objectFile(t, folder, "a.parquet")) + "/*.parquet'"
	query := rows[1234].row[2].(types.Vector)
	literal := types.FormatString(types.VectorOID, query, nil) + "::FLOAT[]"
	answers := duckdb(t,
		"SELECT count(*), min(id), max(id), min(word), max(word), min(len(embedding)), max(len(embedding)) FROM "+glob,
		"SELECT count(*) FROM "+glob+" WHERE id BETWEEN 4990 AND 5009",
		"SELECT id, list_cosine_distance(embedding, "+literal+") AS d FROM "+glob+" ORDER BY d, id LIMIT 10",
		"SELECT id, list_distance(embedding, "+literal+") AS d FROM "+glob+" ORDER BY d, id LIMIT 10",
		fmt.Sprintf("SELECT id, array_cosine_distance(embedding::FLOAT[%[1]d], %[2]s[%[1]d]) AS d FROM %[3]s ORDER BY d, id LIMIT 10", len(query), strings.TrimSuffix(literal, "[]"), glob),
		"SELECT DISTINCT CAST(decode(key) AS VARCHAR), CAST(decode(value) AS VARCHAR) FROM parquet_kv_metadata("+glob+") WHERE CAST(decode(key) AS VARCHAR) IN ('akidb.rows', 'akidb.dimension')",
	)
	words := make([]string, len(rows))
	for i := range rows {
		words[i] = rows[i].row[1].(string)
	}
	dim := strconv.Itoa(len(query))
	want := []string{strconv.Itoa(len(rows)), "0", strconv.Itoa(len(rows) - 1), slices.Min(words), slices.Max(words), dim, dim}
	for c := range want {
		if got := answers[0].text(0, c); got != want[c] {
			t.Errorf("%s is %s instead of %s", answers[0].Names[c], got, want[c])
		}
	}
	if got := answers[1].text(0, 0); got != "20" {
		t.Errorf("%s rows pass a filter that 20 pass", got)
	}
	for i, distance := range []func(a, b types.Vector) float64{cosineDistance, euclideanDistance, cosineDistance} {
		nearest := exactNearest(rows, query, distance)
		for rank := range 10 {
			id, d := answers[2+i].text(rank, 0), answers[2+i].text(rank, 1)
			theirs, err := strconv.ParseFloat(d, 64)
			if err != nil || id != fmt.Sprint(nearest[rank]) || math.Abs(theirs-distance(rows[nearest[rank]].row[2].(types.Vector), query)) > 1e-5 {
				t.Errorf("rank %d: row %s at %s instead of row %d", rank, id, d, nearest[rank])
			}
		}
	}
	if len(answers[5].Rows) != 2 {
		t.Errorf("metadata: %d keys", len(answers[5].Rows))
	}
}

func cosineDistance(a, b types.Vector) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return 1 - ab/math.Sqrt(aa*bb)
}

func euclideanDistance(a, b types.Vector) float64 {
	var sum float64
	for i := range a {
		sum += (float64(a[i]) - float64(b[i])) * (float64(a[i]) - float64(b[i]))
	}
	return math.Sqrt(sum)
}

// exactNearest are the ten nearest rows, by place.
func exactNearest(rows []testRow, query types.Vector, distance func(a, b types.Vector) float64) []int {
	at := make([]int, len(rows))
	d := make([]float64, len(rows))
	for i := range rows {
		at[i], d[i] = i, distance(rows[i].row[2].(types.Vector), query)
	}
	slices.SortStableFunc(at, func(i, j int) int { return cmp.Compare(d[i], d[j]) })
	return at[:10]
}
