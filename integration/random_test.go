package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// randomSetting reads RANDOM_SECONDS, how long random statements run, and
// RANDOM_SEED, which make longer and other runs.
func randomSetting(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// TestRandomStatementsNeverBreakTheServer gives the statements of the corpus, cut
// up and put together again, to a server over several connections. Whatever they
// say, the process goes on, no answer is an internal error, every statement ends
// soon after its timeout, and nothing is left of the sessions at the end.
func TestRandomStatementsNeverBreakTheServer(t *testing.T) {
	corpus := readCorpus(t)
	address := freeAddress(t)
	p := launch(t, t.TempDir(), "--http-listen", address)
	before := metric(t, address, "go_goroutines")
	seconds, seed := randomSetting("RANDOM_SECONDS", 5), randomSetting("RANDOM_SEED", 1)
	until := time.Now().Add(time.Duration(seconds) * time.Second)
	found := &findings{seen: map[string]string{}}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			w := &randomSession{p: p, corpus: corpus, found: found, rand: rand.New(rand.NewPCG(uint64(seed), uint64(i)))}
			w.run(until)
		})
	}
	wg.Wait()
	found.report(t)
	select {
	case err := <-p.exited:
		p.exited <- err
		t.Fatalf("the server ended: %v", err)
	default:
	}
	after := 0.0
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		after = metric(t, address, "go_goroutines")
		if after <= before+8 { // workers of tables that are left
			break
		}
	}
	if after > before+8 {
		t.Errorf("%v goroutines before, %v after the sessions", before, after)
	}
	t.Logf("%d statements, %d of them answered without an error, codes %v", found.total, found.good, found.codes)
}

// findings collects what should not be.
type findings struct {
	mu          sync.Mutex
	seen        map[string]string
	total, good int
	codes       map[string]int
}

func (f *findings) add(what, statement string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old, ok := f.seen[what]; !ok || len(statement) < len(old) {
		f.seen[what] = statement
	}
}

func (f *findings) count(code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total++
	if code == "" {
		f.good++
		return
	}
	if f.codes == nil {
		f.codes = map[string]int{}
	}
	f.codes[code]++
}

func (f *findings) report(t *testing.T) {
	for what, statement := range f.seen {
		t.Errorf("%s\n    %s", what, statement)
	}
}

// randomSession is one connection of the test.
type randomSession struct {
	p      *process
	corpus *corpus
	found  *findings
	rand   *rand.Rand
	conn   *pgconn.PgConn
	last   []string
}

func (w *randomSession) run(until time.Time) {
	for time.Now().Before(until) {
		if w.conn == nil && !w.open() {
			return
		}
		w.step(w.corpus.statement(w.rand))
	}
	if w.conn != nil {
		_ = w.conn.Close(context.Background()) // the server's side is what is looked at
	}
}

func (w *randomSession) open() bool {
	config, err := pgconn.ParseConfig(w.p.url())
	if err == nil {
		config.RuntimeParams["options"] = "-c statement_timeout=1s -c lock_timeout=200ms"
		w.conn, err = pgconn.ConnectConfig(context.Background(), config)
	}
	if err != nil {
		w.found.add("no connection: "+err.Error(), strings.Join(w.last, "\n"))
		return false
	}
	return true
}

func (w *randomSession) step(sql string) {
	if w.last = append(w.last, sql); len(w.last) > 5 {
		w.last = w.last[1:]
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	began := time.Now()
	_, err := io.Copy(io.Discard, &results{w.conn.Exec(ctx, sql)})
	if took := time.Since(began); took > 10*time.Second {
		w.found.add("a statement outlives its timeout", fmt.Sprintf("%v: %s", took, sql))
	}
	var e *pgconn.PgError
	switch {
	case err == nil:
		w.found.count("")
	case errors.As(err, &e):
		w.found.count(e.Code)
		if e.Code == "XX000" {
			w.found.add("internal error: "+e.Message, sql)
		}
	default:
		if !strings.Contains(strings.ToLower(sql), "terminate") {
			w.found.add("the connection broke: "+err.Error(), strings.Join(w.last, "\n    "))
		}
	}
	if w.conn.IsClosed() {
		w.conn = nil
		return
	}
	if w.conn.TxStatus() == 'E' {
		_, _ = w.conn.Exec(context.Background(), "ROLLBACK").ReadAll() // seen at the next statement
	}
}

// results reads the answer of a query string to its end, keeping none of it.
type results struct{ r *pgconn.MultiResultReader }

func (r *results) Read([]byte) (int, error) {
	for r.r.NextResult() {
		rows := r.r.ResultReader()
		for rows.NextRow() {
		}
		if _, err := rows.Close(); err != nil {
			_ = r.r.Close() // says the same
			return 0, err
		}
	}
	if err := r.r.Close(); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

// corpus is what random statements are made of.
type corpus struct {
	statements [][]string
	words      [][]string // literals, names, operators: each word can stand for one of its kind
}

// statementWords cuts SQL into strings, names, numbers, operators, white space.
var statementWords = regexp.MustCompile(`(?s)'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$|[A-Za-z_][A-Za-z_0-9]*|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|::|[-+*/<>=~!@#%^&|?]+|\s+|.`)

const (
	wordString = iota
	wordName
	wordNumber
	wordOperator
	wordKeyword
	wordOther
)

func kindOf(word string) int {
	switch c := word[0]; {
	case c == '\'':
		return wordString
	case c >= '0' && c <= '9':
		return wordNumber
	case c >= 'A' && c <= 'Z' && len(word) > 1 && word == strings.ToUpper(word):
		return wordKeyword
	case c == '"' || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z':
		return wordName
	case strings.ContainsRune("-+*/<>=~!@#%^&|?", rune(c)):
		return wordOperator
	}
	return wordOther
}

// hardWords are values at the edges.
var hardWords = [][]string{
	wordString: {"''", "'NaN'", "'[1,2,3]'", "'[0,0,0]'", "'{}'", "'infinity'", "'-infinity'", "'{1:1}/3'", "'1e400'", "'\\x00'", "'9223372036854775807'", "'4713-01-01 BC'", "'294276-12-31'", "'$.**'", "'{{1},{2}}'", "'[1:2]={1,2}'"},
	wordName:   {"NULL", "DEFAULT", "true", "ctid", "tableoid", "items", "orders", "id", "pg_class", "CURRENT_DATE", "row_number", "unnest", "generate_series", "int2", "numeric", "vector", "sparsevec", "bit", "jsonb", "interval"},
	wordNumber: {"0", "1", "2147483648", "9223372036854775807", "99999999999999999999", "1e308", "1e-400", "32768", "16001", "1000000000"},
}

func readCorpus(t *testing.T) *corpus {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(sameDir, "*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no statements under %s: %v", sameDir, err)
	}
	c := &corpus{words: make([][]string, wordOther+1)}
	for _, f := range files {
		for _, s := range readStatements(t, f) {
			c.add(s.sql)
		}
	}
	text, err := os.ReadFile("../sql/testdata/statements")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if first, _, _ := strings.Cut(line, " "); first != "" && first == strings.ToUpper(first) && len(first) > 3 {
			c.add(line)
		}
	}
	for kind, hard := range hardWords {
		for range 1 + len(c.words[kind])/max(1, 4*len(hard)) {
			c.words[kind] = append(c.words[kind], hard...)
		}
	}
	return c
}

func (c *corpus) add(sql string) {
	if strings.Contains(sql, "pg_sleep") || strings.Contains(sql, "STDIN") || strings.Contains(sql, "_timeout") {
		return // the test reads answers only
	}
	words := statementWords.FindAllString(strings.TrimSuffix(strings.TrimSpace(sql), ";"), -1)
	if len(words) == 0 {
		return
	}
	c.statements = append(c.statements, words)
	for _, w := range words {
		k := kindOf(w)
		c.words[k] = append(c.words[k], w)
	}
}

// wrappers are ways to run a statement.
var wrappers = []string{
	"EXPLAIN %s", "EXPLAIN (ANALYZE, VERBOSE) %s", "SELECT * FROM (%s) q LIMIT 3", "SELECT q FROM (%s) q ORDER BY 1", "CREATE TEMP TABLE x AS %s",
	"PREPARE s AS %s; EXECUTE s; EXECUTE s; DEALLOCATE s", "DEALLOCATE ALL; PREPARE s AS %s", "BEGIN; %s; ROLLBACK", "SAVEPOINT a; %s; ROLLBACK TO a",
	"BEGIN; DECLARE c CURSOR FOR %s; FETCH 2 FROM c; COMMIT", "BEGIN ISOLATION LEVEL REPEATABLE READ; %s; COMMIT", "WITH q AS (%s) SELECT count(*) FROM q, q r",
	"SELECT (%s)", "SELECT ARRAY(%s)", "SELECT EXISTS (%s)", "SELECT i, (%s) FROM generate_series(1, 3) i", "COPY (%s) TO STDOUT", "CREATE VIEW x AS %s",
	"%s UNION ALL %[1]s", "(%s) EXCEPT (%[1]s)",
}

// statement is one of the corpus, changed.
func (c *corpus) statement(r *rand.Rand) string {
	words := slices.Clone(c.statements[r.IntN(len(c.statements))])
	if r.IntN(4) > 0 {
		for range 1 + r.IntN(3) {
			words = c.change(words, r)
		}
	}
	sql := strings.Join(words, "")
	for r.IntN(4) == 0 {
		sql = fmt.Sprintf(wrappers[r.IntN(len(wrappers))], sql)
	}
	return sql
}

func (c *corpus) change(words []string, r *rand.Rand) []string {
	if len(words) == 0 {
		return words
	}
	i := r.IntN(len(words))
	switch r.IntN(25) {
	case 0:
		return slices.Delete(words, i, min(len(words), i+1+r.IntN(3)))
	case 1:
		j := min(len(words), i+1+r.IntN(6))
		return slices.Insert(words, i, slices.Clone(words[i:j])...)
	case 2:
		other := c.statements[r.IntN(len(c.statements))]
		return append(words[:i:i], other[r.IntN(len(other)):]...)
	default:
		for range 20 { // white space, punctuation and mostly keywords stay
			if i = r.IntN(len(words)); kindOf(words[i]) < wordKeyword || r.IntN(30) == 0 {
				break
			}
		}
		if pool := c.words[kindOf(words[i])]; len(pool) > 0 {
			words[i] = pool[r.IntN(len(pool))]
		}
		return words
	}
}

// freeAddress is an address of this machine where nothing listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it gave its address
	return l.Addr().String()
}

// metric is a figure of a server's HTTP port.
func metric(t testing.TB, address, name string) float64 {
	t.Helper()
	answer, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }() // it is read
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no metric %s in %.2000s", name, text)
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
