package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// rest is the HTTP port of a server process.
type rest struct {
	*process
	url string
}

var httpAddress = regexp.MustCompile(`REST on (https?://\S+)`)

// launchREST starts a server with its HTTP port open.
func launchREST(t *testing.T, flags ...string) *rest {
	t.Helper()
	p := launch(t, t.TempDir(), append([]string{"--http-listen", "127.0.0.1:0"}, flags...)...)
	m := httpAddress.FindStringSubmatch(p.output.String())
	if m == nil {
		t.Fatalf("no HTTP port:\n%s", p.output)
	}
	return &rest{p, m[1]}
}

// do sends a request and returns the status and the decoded body.
func (r *rest) do(t *testing.T, method, path, body string, header ...string) (int, map[string]any) {
	t.Helper()
	rq, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		rq.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(rq)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &out); err != nil {
			t.Fatalf("%s %s: %s: %v", method, path, text, err)
		}
	}
	return res.StatusCode, out
}

// want sends a request whose answer must have a status and, as JSON text, contain a part.
func (r *rest) want(t *testing.T, method, path, body string, status int, part string) {
	t.Helper()
	got, answer := r.do(t, method, path, body)
	text := ""
	if answer != nil {
		b, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
	}
	if got != status || !strings.Contains(text, part) {
		t.Errorf("%s %s %.200s\n got %d %s\nwant %d with %s", method, path, body, got, text, status, part)
	}
}

// curl runs curl and returns what it prints.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("curl", append([]string{"-sS", "--fail-with-body"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// vector512 is the text of a vector that points a little elsewhere for each n.
func vector512(n int) string {
	var b strings.Builder
	for i := range 512 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d", (i*7+n*n*13+i*n)%101)
	}
	return "[" + b.String() + "]"
}

func TestTheSmokeTestsCurlLinesWork(t *testing.T) {
	r := launchREST(t)
	curl(t, "-X", "POST", r.url+"/collections", "-d", `{"name":"test","dimension":512,"metric":"cosine"}`)
	for i := range 100 {
		curl(t, "-X", "POST", r.url+"/collections/test/vectors", "-d", `{"vector":`+vector512(i)+`}`)
	}
	var found struct {
		Results []struct{ ID, Distance float64 }
	}
	if err := json.Unmarshal([]byte(curl(t, "-X", "POST", r.url+"/collections/test/search", "-d", `{"vector":`+vector512(42)+`,"k":10}`)), &found); err != nil {
		t.Fatal(err)
	}
	if len(found.Results) != 10 || found.Results[0].ID != 43 || found.Results[0].Distance > 1e-6 || found.Results[1].Distance < found.Results[0].Distance {
		t.Errorf("found %v", found.Results)
	}
	if m := curl(t, r.url+"/metrics"); !strings.Contains(m, `akidb_http_requests_total{route="/collections/{name}/vectors",status="201"} 100`) {
		t.Errorf("metrics without the 100 requests")
	}
}

func TestACollectionMadeByRESTIsAnOrdinaryTableAndTheReverse(t *testing.T) {
	r := launchREST(t)
	conn := r.connect(t)
	ctx := t.Context()
	r.want(t, "POST", "/collections", `{"name":"Odd \"name\"","dimension":3,"metric":"l2","columns":{"title":"text","price":"numeric"}}`, 201, `"metric":"l2"`)
	r.want(t, "POST", "/collections/Odd%20%22name%22/vectors", `{"vector":[1,2,3],"title":"it's","price":12.50,"metadata":{"tags":["a","b"]}}`, 201, `"ids":[1]`)
	var title, price, embedding, index string
	err := conn.QueryRow(ctx, `SELECT title, price::text, embedding::text FROM "Odd ""name""" WHERE metadata @> '{"tags":["a"]}'`).Scan(&title, &price, &embedding)
	if err != nil || title != "it's" || price != "12.50" || embedding != "[1,2,3]" {
		t.Errorf("in SQL: %q %q %q %v", title, price, embedding, err)
	}
	if err := conn.QueryRow(ctx, `SELECT indexdef FROM pg_indexes WHERE indexdef LIKE '%hnsw%'`).Scan(&index); err != nil || !strings.Contains(index, "vector_l2_ops") {
		t.Errorf("index %s %v", index, err)
	}
	for _, q := range []string{
		"CREATE SCHEMA shop", "CREATE TABLE shop.items (sku text PRIMARY KEY, label text, at timestamptz, n int[], v halfvec(2))",
		"INSERT INTO shop.items VALUES ('a', 'one', '2026-01-02 03:04:05+00', '{1,2}', '[1,0]'), ('b', 'two', NULL, NULL, '[0,1]'), ('c', 'none', NULL, NULL, NULL)",
		"CREATE INDEX ON shop.items USING hnsw (v halfvec_ip_ops)", "CREATE TABLE plain (id int PRIMARY KEY)",
	} {
		if _, err := conn.Exec(ctx, q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	r.want(t, "GET", "/collections/shop.items", "", 200, `"metric":"ip"`)
	r.want(t, "POST", "/collections/shop.items/search", `{"vector":[2,0],"filter":{"label":{"$ne":"two"}}}`, 200,
		`{"results":[{"at":"2026-01-02T03:04:05+00:00","distance":-2,"id":"a","label":"one","n":[1,2]}]}`)
	r.want(t, "POST", "/collections/shop.items/vectors", `[{"id":"a","label":"new"},{"id":"d","n":[3],"vector":[1,1]}]`, 201, `"ids":["a","d"]`)
	r.want(t, "GET", "/collections/shop.items/vectors/a", "", 200, `"label":"new","n":[1,2],"vector":[1,0]`)
	r.want(t, "GET", "/collections/plain", "", 400, `"sqlstate":"42809"`)
	r.want(t, "GET", "/collections", "", 200, `"name":"items"`)
}

func TestRESTNamesWhatIsWrong(t *testing.T) {
	r := launchREST(t)
	r.want(t, "POST", "/collections", `{"name":"a","dimension":2}`, 201, "")
	for _, tc := range []struct {
		method, path, body string
		status             int
		part               string
	}{
		{"POST", "/collections", `{"name":"a","dimension":2}`, 409, `"sqlstate":"42P07"`},
		{"POST", "/collections", `{"name":"b"}`, 400, `\"dimension\" is missing`},
		{"POST", "/collections", `{"name":"b","dimension":2,"metric":"far"}`, 400, "Available values: cosine, l2, ip, l1"},
		{"POST", "/collections", `{"name":"b","dimension":2,"columns":{"x":"int); DROP TABLE a; --"}}`, 400, `"sqlstate":"22023"`},
		{"POST", "/collections", `{"name":"b","dimension":"two"}`, 400, "a whole number"},
		{"POST", "/collections/a/vectors", `{"vector":[1,2`, 400, `"position":15`},
		{"POST", "/collections/a/vectors", `{"vector":[1,2}`, 400, `"position":15`},
		{"POST", "/collections/a/vectors", ``, 400, "the body is empty"},
		{"POST", "/collections/a/vectors", `[{"vector":[1,2]},{"vector":[1,2,3]}]`, 400, `"item":2`},
		{"POST", "/collections/a/vectors", `[{"vector":[1,2]},{"vector":[1,2,3]}]`, 400, `"sqlstate":"22000"`},
		{"POST", "/collections/a/vectors", `[{"vector":[1,2]},]`, 400, `"sqlstate":"22032"`},
		{"POST", "/collections/a/vectors", `{"vector":[1,2],"colour":"red"}`, 400, "What is not a column goes into"},
		{"POST", "/collections/a/vectors", `{"vector":[1,2],"vector":[1,2]}`, 400, "comes twice"},
		{"POST", "/collections/a/vectors", `{"metadata":{}}`, 400, `"sqlstate":"23502"`},
		{"POST", "/collections/a/vectors", `{"vector":"[1,2"}`, 400, `"sqlstate":"22P02"`},
		{"POST", "/collections/a/search", `{}`, 400, `\"vector\" is missing`},
		{"POST", "/collections/a/search", `{"vector":[1,2,3]}`, 400, "expected 2 dimensions, not 3"},
		{"POST", "/collections/a/search", `{"vector":[1,2],"k":0}`, 400, "outside of 1 .. 10000"},
		{"POST", "/collections/a/search", `{"vector":[1,2],"ef":100000}`, 400, "is outside the valid range"},
		{"POST", "/collections/a/search", `{"vector":[1,2],"filter":{"n":{"$near":1}}}`, 400, "$eq, $ne"},
		{"POST", "/collections/a/search", `{"vector":[1,2],"filter":[1]}`, 400, "an object is expected"},
		{"POST", "/collections/none/search", `{"vector":[1,2]}`, 404, `"sqlstate":"42P01"`},
		{"GET", "/collections/a/vectors/7", ``, 404, `"sqlstate":"02000"`},
		{"GET", "/collections/a/vectors/x", ``, 400, `"sqlstate":"22P02"`},
		{"GET", "/collection", ``, 404, `"status":404`},
		{"PATCH", "/collections/a", ``, 405, "It takes DELETE, GET, HEAD."},
		{"POST", "/collections/a/tier", `{"tier":"tepid"}`, 400, "hot, warm, cold"},
	} {
		r.want(t, tc.method, tc.path, tc.body, tc.status, tc.part)
	}
	r.want(t, "POST", "/collections/a/search", `{"vector":[1,2]}`, 200, `"results":[]`) // nothing of the refused is there
}

func TestABodyTooLargeIsRefusedAndLinesAreNot(t *testing.T) {
	t.Setenv("AKIDB_HTTP_MAX_BODY", "10000")
	r := launchREST(t)
	r.want(t, "POST", "/collections", `{"name":"a","dimension":2}`, 201, "")
	one := `{"vector":[1,2],"metadata":{"text":"` + strings.Repeat("x", 50) + `"}}`
	r.want(t, "POST", "/collections/a/vectors", "["+strings.Repeat(one+",", 200)+one+"]", 413, "x-ndjson")
	r.want(t, "POST", "/collections/a/search", `{"vector":[1,2]}`, 200, `"results":[]`)
	status, body := r.do(t, "POST", "/collections/a/vectors", strings.Repeat(one+"\n", 5000), "Content-Type", "application/x-ndjson")
	if status != 201 || body["count"] != 5000.0 {
		t.Errorf("lines: %d %v", status, body)
	}
	status, body = r.do(t, "POST", "/collections/a/vectors", one+"\n"+one+"\n{\"vector\":[1\n"+one, "Content-Type", "application/x-ndjson")
	if status != 400 || body["line"] != 3.0 {
		t.Errorf("a line that is wrong: %d %v", status, body)
	}
}

func TestFiltersChooseWhatSQLWouldChoose(t *testing.T) {
	r := launchREST(t)
	conn := r.connect(t)
	r.want(t, "POST", "/collections", `{"name":"f","dimension":2,"metric":"l2","columns":{"n":"integer","s":"text","tags":"text[]"}}`, 201, "")
	var b bytes.Buffer
	for i := range 500 {
		fmt.Fprintf(&b, `{"vector":[%d,%d],"n":%d,"s":"s%d","tags":["t%d"],"metadata":{"m":%d,"deep":{"x":"%d"},"odd":%t}}`+"\n", i%37, i%11, i%20, i%7, i%5, i%13, i%3, i%2 == 1)
	}
	b.WriteString(`{"vector":[0,0]}` + "\n")
	if status, body := r.do(t, "POST", "/collections/f/vectors", b.String(), "Content-Type", "application/x-ndjson"); status != 201 {
		t.Fatal(body)
	}
	for filter, where := range map[string]string{
		`{}`:                                "true",
		`{"n":5}`:                           "n = 5",
		`{"n":{"$gt":5,"$lte":9},"s":"s1"}`: "n > 5 AND n <= 9 AND s = 's1'",
		`{"n":null}`:                        "n IS NULL",
		`{"n":{"$ne":5}}`:                   "n IS DISTINCT FROM 5",
		`{"n":{"$in":[1,2,3]}}`:             "n IN (1,2,3)",
		`{"n":{"$nin":[1,2,3]}}`:            "(n IN (1,2,3)) IS NOT TRUE",
		`{"m":4}`:                           `metadata @> '{"m":4}'`,
		`{"m":{"$lt":4}}`:                   `metadata->'m' < '4'`,
		`{"deep.x":"1"}`:                    `metadata->'deep'->>'x' = '1'`,
		`{"deep.x":{"$in":["1","2"]}}`:      `metadata->'deep'->>'x' IN ('1','2')`,
		`{"metadata.odd":true,"m":{"$exists":true}}`: `(metadata->'odd')::bool`,
		`{"absent":{"$exists":false}}`:               "true",
		`{"absent":null,"m":{"$ne":4}}`:              `(metadata->'m') IS DISTINCT FROM '4'`,
		`{"$or":[{"n":1},{"m":2,"s":"s3"}]}`:         `n = 1 OR metadata @> '{"m":2}' AND s = 's3'`,
		`{"$not":{"n":{"$gte":3}}}`:                  "(n >= 3) IS NOT TRUE",
		`{"tags":{"$contains":"t2"}}`:                "'t2' = ANY (tags)",
		`{"s":{"$contains":"6"}}`:                    "s LIKE '%6%'",
		`{"deep":{"$contains":{"x":"2"}}}`:           `metadata->'deep' @> '{"x":"2"}'`,
		`{"deep":{"x":"2"}}`:                         `metadata @> '{"deep":{"x":"2"}}'`,
		`{"s":"'; DROP TABLE f; --"}`:                "false",
		`{"x' = '1":"1"}`:                            "false",
	} {
		rows, err := conn.Query(t.Context(), "SELECT id FROM f WHERE "+where+" ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		want, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			t.Fatal(err)
		}
		for _, exact := range []string{"true", "false"} {
			status, body := r.do(t, "POST", "/collections/f/search", `{"vector":[3,4],"k":1000,"exact":`+exact+`,"include":["id"],"filter":`+filter+`}`)
			if status != 200 {
				t.Errorf("%s: %v", filter, body)
				continue
			}
			got := map[int64]bool{}
			for _, x := range body["results"].([]any) {
				got[int64(x.(map[string]any)["id"].(float64))] = true
			}
			for _, id := range want {
				if !got[id] {
					t.Errorf("%s (exact %s): %d is missing", filter, exact, id)
					break
				}
			}
			if len(got) != len(want) {
				t.Errorf("%s (exact %s): %d found, %d by SQL", filter, exact, len(got), len(want))
			}
		}
	}
}

func TestRESTAsksForThePasswordOfTheRole(t *testing.T) {
	t.Setenv("AKIDB_AUTH_LOOPBACK", "scram-sha-256")
	t.Setenv("AKIDB_AUTH_PASSWORD", "let me in")
	r := launchREST(t)
	ask := func(user, password string) int {
		rq, err := http.NewRequest("GET", r.url+"/collections", nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			rq.SetBasicAuth(user, password)
		}
		res, err := http.DefaultClient.Do(rq)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode == http.StatusUnauthorized && !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic ") {
			t.Error("401 without a challenge")
		}
		return res.StatusCode
	}
	for _, tc := range []struct {
		user, password string
		status         int
	}{{"", "", 401}, {"postgres", "wrong", 401}, {"postgres", "let me in", 200}, {"postgres", "let me in", 200}, {"nobody", "let me in", 401}, {"postgres", "", 401}} {
		if got := ask(tc.user, tc.password); got != tc.status {
			t.Errorf("%s with %q: %d, want %d", tc.user, tc.password, got, tc.status)
		}
	}
	config, err := pgx.ParseConfig(fmt.Sprintf("host=%s port=%s user=postgres dbname=postgres password='let me in'", r.host, r.port))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "ALTER ROLE postgres PASSWORD 'another'"); err != nil {
		t.Fatal(err)
	}
	if ask("postgres", "let me in") != 401 || ask("postgres", "another") != 200 {
		t.Error("the old password still opens")
	}
}

func TestAWebPageOfElsewhereCannotUseTheTrustInThisMachine(t *testing.T) {
	r := launchREST(t)
	for _, header := range [][]string{{"Origin", "http://elsewhere.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		if status, _ := r.do(t, "POST", "/collections", `{"name":"a","dimension":2}`, header...); status != 403 {
			t.Errorf("with %s: %d", header, status)
		}
	}
	if status, _ := r.do(t, "GET", "/collections", "", "X-Forwarded-For", "203.0.113.7"); status != 401 {
		t.Errorf("through a proxy: %d", status)
	}
	if out, err := exec.Command("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: rebound.example", r.url+"/collections").Output(); err != nil || string(out) != "401" {
		t.Errorf("under another name: %s %v", out, err)
	}
}

func TestCollectionsMoveAndAreKeptInSnapshotsOverREST(t *testing.T) {
	r := launchREST(t)
	r.want(t, "POST", "/collections", `{"name":"a","dimension":8,"metric":"cosine"}`, 201, "")
	var b strings.Builder
	for i := range 500 {
		fmt.Fprintf(&b, `{"vector":[%d,%d,%d,1,2,3,%d,1],"metadata":{"n":%d}}`+"\n", i%17, i%13, i%7, i%29, i)
	}
	if status, body := r.do(t, "POST", "/collections/a/vectors", b.String(), "Content-Type", "application/x-ndjson"); status != 201 {
		t.Fatal(body)
	}
	search := `{"vector":[3,4,5,1,2,3,7,1],"k":5,"exact":true,"include":["id"]}`
	_, before := r.do(t, "POST", "/collections/a/search", search)
	same := func(collection string) {
		t.Helper()
		if _, after := r.do(t, "POST", "/collections/"+collection+"/search", search); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%s: %v, before %v", collection, after, before)
		}
	}
	for _, tier := range []string{"warm", "cold", "warm", "hot", "cold", "hot"} {
		r.want(t, "POST", "/collections/a/tier", `{"tier":"`+tier+`","wait":true}`, 200, `"tier":"`+tier+`"`)
		same("a")
	}
	r.want(t, "POST", "/collections/a/tier/demote", `{"wait":true}`, 200, `"tier":"warm"`)
	r.want(t, "POST", "/collections/a/tier/promote", `{"wait":true}`, 200, `"tier":"hot"`)
	r.want(t, "POST", "/collections/a/tier/promote", ``, 409, `"sqlstate":"55000"`)
	r.want(t, "POST", "/collections/a/tier/pin", ``, 200, `"pinned":true`)
	r.want(t, "POST", "/collections/a/tier/demote", `{"wait":true}`, 409, `"sqlstate":"55000"`)
	r.want(t, "POST", "/collections/a/tier/unpin", ``, 200, `"pinned":false`)
	r.want(t, "POST", "/collections/a/tier/demote", ``, 202, `"rows":500`)
	until(t, "the collection is warm", func() bool {
		_, state := r.do(t, "GET", "/collections/a/tier", "")
		return state["tier"] == "warm"
	})
	r.want(t, "GET", "/collections/a/snapshots", "", 200, `"snapshots":[]`)
	r.want(t, "POST", "/collections/a/snapshots", `{"name":"Nightly 1"}`, 201, `"name":"Nightly 1","rows":500`)
	r.want(t, "GET", "/collections/a/snapshots", "", 200, `"name":"Nightly 1"`)
	r.want(t, "POST", "/collections/a/vectors", `{"vector":[3,4,5,1,2,3,7,1]}`, 201, "")
	r.want(t, "POST", "/collections/a/snapshots/Nightly%201/restore", `{"as":"b"}`, 201, `"name":"b"`)
	same("b")
	r.want(t, "DELETE", "/collections/b/snapshots/Nightly%201", "", 404, `"sqlstate":"42704"`)
	r.want(t, "DELETE", "/collections/a/snapshots/Nightly%201", "", 204, "")
	r.want(t, "POST", "/collections/a/snapshots/Nightly%201/restore", `{"as":"c"}`, 404, `"sqlstate":"42704"`)
	metrics := curl(t, r.url+"/metrics")
	for _, name := range strings.Fields(`tier_collections tier_promotions_total tier_demotions_total tier_transition_duration_seconds
		tier_access_tracking_duration_seconds tier_worker_cycles_total tier_worker_duration_seconds tier_worker_errors_total snapshot_creates_total
		snapshot_restores_total snapshot_create_duration_seconds snapshot_restore_duration_seconds snapshot_size_bytes objectstore_requests_total
		objectstore_upload_bytes_total objectstore_download_bytes_total objectstore_retries_total statements_total statement_duration_seconds
		connections ram_bytes disk_bytes wal_fsync_duration_seconds`) {
		if !strings.Contains(metrics, "\n# HELP akidb_"+name+" ") {
			t.Errorf("there is no metric akidb_%s", name)
		}
	}
}

func TestManyClientsOfRESTLeaveNothingBehind(t *testing.T) {
	r := launchREST(t)
	c := r.connect(t)
	r.want(t, "POST", "/collections", `{"name":"shared","dimension":4}`, 201, "")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	ask := func(ctx context.Context, method, path, body string) int {
		rq, err := http.NewRequestWithContext(ctx, method, r.url+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0
		}
		res, err := client.Do(rq)
		if err != nil {
			return 0 // it was given up
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		return res.StatusCode
	}
	var clients sync.WaitGroup
	for n := range 12 {
		clients.Go(func() {
			own := fmt.Sprintf("/collections/own%d", n)
			for i := range 40 {
				ctx := t.Context()
				if i%10 == 9 { // a client that does not wait
					short, cancel := context.WithTimeout(ctx, time.Duration(i)*50*time.Microsecond)
					defer cancel()
					ctx = short
				}
				for _, q := range []struct {
					method, path, body string
					want               []int
				}{
					{"POST", "/collections/shared/vectors", fmt.Sprintf(`[{"id":%d,"vector":[%d,1,2,3]},{"vector":[1,%d,2,3]}]`, n*1000+i, i, n), []int{201}},
					{"POST", "/collections/shared/search", `{"vector":[1,2,3,4],"k":3,"ef":100}`, []int{200}},
					{"POST", "/collections", fmt.Sprintf(`{"name":"own%d","dimension":4}`, n), []int{201, 409}},
					{"POST", own + "/vectors", `[{"vector":[1,2,3,4]},{"vector":[1,2]}]`, []int{400, 404}},
					{"POST", own + "/search", `{"vector":[1,2,3,4]}`, []int{200, 404}},
					{"DELETE", own, ``, []int{204, 404}},
				} {
					if got := ask(ctx, q.method, q.path, q.body); got != 0 && !slices.Contains(q.want, got) {
						t.Errorf("%s %s: %d", q.method, q.path, got)
					}
				}
			}
		})
	}
	clients.Wait()
	var busy, all int
	until(t, "all sessions are idle", func() bool {
		if err := c.QueryRow(t.Context(), "SELECT count(*) FILTER (WHERE state <> 'idle'), count(*) FROM pg_stat_activity WHERE application_name = 'REST'").Scan(&busy, &all); err != nil {
			t.Fatal(err)
		}
		return busy == 0
	})
	if all > 40 {
		t.Errorf("%d sessions", all)
	}
	must(t, c, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'REST'")
	r.want(t, "POST", "/collections/shared/search", `{"vector":[1,2,3,4],"k":1}`, 200, "results")
	var rows, distinct int
	if err := c.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT id) FROM shared").Scan(&rows, &distinct); err != nil || rows != distinct || rows < 12*36 {
		t.Errorf("%d rows, %d ids, %v", rows, distinct, err)
	}
}
