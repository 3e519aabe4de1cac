package integration

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
)

// startCold starts a server over a bucket with a collection of 2,000 rows.
func startCold(t *testing.T, endpoint, bucket string) (*process, *pgx.Conn, string) {
	t.Helper()
	p := launch(t, t.TempDir(), coldFlags(t, endpoint, bucket, strings.ToLower(t.Name()))...)
	c := p.connect(t)
	fillItems(t, c, "items", 2000)
	return p, c, fingerprint(t, c, "items")
}

// checkBucket runs akidb check on a stopped server's data, with its bucket.
func checkBucket(t *testing.T, p *process) {
	t.Helper()
	bin, err := serverBinary()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"check", "--deep"}, p.flags...)
	if out, err := exec.Command(bin, append(args, p.dir)...).CombinedOutput(); err != nil {
		t.Errorf("akidb check: %v\n%s", err, out)
	}
}

// refusedWith runs a statement that must fail with a code.
func refusedWith(t *testing.T, c *pgx.Conn, sql, code string) *pgconn.PgError {
	t.Helper()
	_, err := c.Exec(t.Context(), sql)
	var e *pgconn.PgError
	if !asError(err, &e) || e.Code != code {
		t.Fatalf("%s: %v, want SQLSTATE %s", sql, err, code)
	}
	return e
}

func asError(err error, e **pgconn.PgError) bool {
	x, ok := err.(*pgconn.PgError) //nolint:errorlint // pgx gives it bare
	*e = x
	return ok
}

func same(t *testing.T, c *pgx.Conn, want, when string) {
	t.Helper()
	if got := fingerprint(t, c, "items"); got != want {
		t.Fatalf("%s:\n%s\nwant\n%s", when, got, want)
	}
}

func TestRetryOnTransientError(t *testing.T) {
	m := miniotest.Start(t, miniotest.Options{})
	bad := newBadBucket(t, m)
	_, c, want := startCold(t, bad.URL, makeBucket(t, m))
	for _, f := range []wrong{{status: 503, code: "SlowDown"}, {status: 500, code: "InternalError"}, {status: 429, code: "TooManyRequests"}} {
		addItems(t, c, "items", 10_001, 10_001) // else the segments of the last time do
		run(t, c, "DELETE FROM items WHERE id = 10001")
		seen := map[string]bool{}
		bad.answer(func(r *http.Request) *wrong { // every request is answered at its second attempt
			key := r.Method + r.URL.String() + r.Header.Get("Range")
			if !seen[key] {
				seen[key] = true
				return &f
			}
			return nil
		})
		run(t, c, "ALTER COLLECTION items SET TIER cold WAIT")
		same(t, c, want, "cold, every first attempt answered "+f.code)
		run(t, c, "ALTER COLLECTION items SET TIER warm WAIT")
		same(t, c, want, "warm again after "+f.code)
		if bad.requests() < 6 {
			t.Errorf("only %d requests were made", bad.requests())
		}
	}
}

func TestFailOnPermanentError(t *testing.T) {
	m := miniotest.Start(t, miniotest.Options{})
	bad := newBadBucket(t, m)
	_, c, want := startCold(t, bad.URL, makeBucket(t, m))
	run(t, c, "ALTER COLLECTION items SET TIER warm WAIT")
	for _, f := range []struct {
		wrong
		sqlstate string
	}{{wrong{status: 403, code: "AccessDenied"}, "42501"}, {wrong{status: 404, code: "NoSuchBucket"}, "58P01"}} {
		bad.answer(func(r *http.Request) *wrong {
			if r.Method == http.MethodPut || r.Method == http.MethodPost {
				return &f.wrong
			}
			return nil
		})
		e := refusedWith(t, c, "ALTER COLLECTION items SET TIER cold WAIT", f.sqlstate)
		if e.Hint == "" {
			t.Errorf("%s has no hint: %s", f.code, e.Message)
		}
		if tier := tierOf(t, c, "items"); tier != "warm" {
			t.Errorf("after %s the collection is %s", f.code, tier)
		}
		if got := query(t, c, "SELECT last_error FROM akidb.collection_tiers WHERE name = 'items'")[0][0]; got == "NULL" || got == "" {
			t.Errorf("after %s the view has no error", f.code)
		}
		same(t, c, want, "after "+f.code)
	}
	bad.answer(nil)
	run(t, c, "ALTER COLLECTION items SET TIER cold WAIT")
	same(t, c, want, "cold at last")
}

func TestADamagedAnswerOfTheBucketIsNeverServed(t *testing.T) {
	m := miniotest.Start(t, miniotest.Options{})
	bad := newBadBucket(t, m)
	p, c, want := startCold(t, bad.URL, makeBucket(t, m))
	run(t, c, "ALTER COLLECTION items SET TIER cold WAIT")
	read := func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/segments/")
	}
	p.stop(t) // nothing is cached in memory
	q := launch(t, p.dir, p.flags...)
	c = q.connect(t)
	bad.answer(func(r *http.Request) *wrong {
		if read(r) {
			return &wrong{flip: true}
		}
		return nil
	})
	e := refusedWith(t, c, "SELECT md5(string_agg(word || embedding::text, ',')) FROM items", "XX001")
	if !strings.Contains(e.Message+e.Detail, "segments/") {
		t.Errorf("the error does not name the object: %s %s", e.Message, e.Detail)
	}
	refusedWith(t, c, "ALTER COLLECTION items SET TIER warm WAIT", "XX001")
	n := 0
	bad.answer(func(r *http.Request) *wrong {
		if n++; read(r) && n%3 == 0 {
			return &wrong{truncate: true}
		}
		return nil
	})
	same(t, c, want, "with bodies cut in the middle")
	bad.answer(func(r *http.Request) *wrong {
		if read(r) {
			return &wrong{status: 404, code: "NoSuchKey"}
		}
		return nil
	})
	refusedWith(t, c, "ALTER COLLECTION items SET TIER warm WAIT", "XX001") // what is missing is damaged, too
	bad.answer(nil)
	same(t, c, want, "when the bucket is well again")
	run(t, c, "ALTER COLLECTION items SET TIER hot WAIT")
	same(t, c, want, "hot")
}

func TestS3ConnectionLostDuringUpload(t *testing.T) {
	m := miniotest.Start(t, miniotest.Options{})
	network := newBadNet(t, m)
	p, c, want := startCold(t, network.endpoint(), makeBucket(t, m))
	run(t, c, "ALTER COLLECTION items SET TIER warm WAIT")
	for name, cut := range map[string]func(){
		"reset":     func() { network.toxic("limit_data", "upstream", `{"bytes": 60000}`) },
		"blackhole": func() { network.toxic("timeout", "upstream", `{"timeout": 0}`) },
	} {
		cut()
		_, err := c.Exec(t.Context(), "ALTER COLLECTION items SET TIER cold WAIT")
		var e *pgconn.PgError
		if !asError(err, &e) || !strings.HasPrefix(e.Code, "58") {
			t.Fatalf("%s: %v, want an error of class 58", name, err)
		}
		if tier := tierOf(t, c, "items"); tier != "warm" {
			t.Errorf("%s: the collection is %s", name, tier)
		}
		same(t, c, want, name)
		addItems(t, c, "items", 10_001, 10_001)
		run(t, c, "DELETE FROM items WHERE id = 10001")
		network.heal()
	}
	network.toxic("latency", "downstream", `{"latency": 50, "jitter": 30}`)
	network.toxic("bandwidth", "upstream", `{"rate": 2000}`)
	run(t, c, "ALTER COLLECTION items SET TIER cold WAIT")
	network.heal()
	same(t, c, want, "cold, over a slow network")
	p.stop(t)
	checkBucket(t, p)
}

func TestS3ConnectionLostDuringDownload(t *testing.T) {
	m := miniotest.Start(t, miniotest.Options{})
	network := newBadNet(t, m)
	p, c, want := startCold(t, network.endpoint(), makeBucket(t, m))
	run(t, c, "ALTER COLLECTION items SET TIER cold WAIT")
	p.stop(t)
	p = launch(t, p.dir, p.flags...)
	c = p.connect(t)
	network.toxic("limit_data", "downstream", `{"bytes": 20000}`)
	_, err := c.Exec(t.Context(), "ALTER COLLECTION items SET TIER warm WAIT")
	var e *pgconn.PgError
	if err != nil && (!asError(err, &e) || !strings.HasPrefix(e.Code, "58")) {
		t.Fatalf("%v, want an error of class 58", err)
	}
	network.heal()
	network.toxic("timeout", "downstream", `{"timeout": 0}`)
	if err != nil {
		started := time.Now()
		if _, err = c.Exec(t.Context(), "ALTER COLLECTION items SET TIER warm WAIT"); !asError(err, &e) || !strings.HasPrefix(e.Code, "58") {
			t.Fatalf("%v, want an error of class 58", err)
		}
		t.Logf("a bucket that does not answer is given up after %v", time.Since(started).Round(100*time.Millisecond))
		if tier := tierOf(t, c, "items"); tier != "cold" {
			t.Errorf("the collection is %s", tier)
		}
	}
	network.heal()
	run(t, c, "ALTER COLLECTION items SET TIER warm WAIT")
	same(t, c, want, "warm again")
	p.stop(t)
	checkBucket(t, p)
}
