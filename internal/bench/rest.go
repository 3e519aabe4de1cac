package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/akidb/akidb/internal/dataset"
)

// URL is the HTTP port of the server.
func (s *Server) URL() string { return "http://" + s.http }

// REST compares the same searches over REST and over the wire: it stores a set as
// lines in one request, then searches with each ef and number of clients.
func REST(ctx context.Context, server *Server, set *dataset.Set, efs, counts []int, span time.Duration, out io.Writer) error {
	body := restLines(set)
	began := time.Now()
	if err := post(ctx, server.URL()+"/collections", "application/json",
		fmt.Appendf(nil, `{"name": "bench", "dimension": %d, "metric": %q}`, set.Dim, set.Metric)); err != nil {
		return err
	}
	if err := post(ctx, server.URL()+"/collections/bench/vectors", "application/x-ndjson", body); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%s: %d vectors of %d stored over REST into the indexed collection: %.0f/s\n", set.Name, set.Rows(), set.Dim,
		float64(set.Rows())/time.Since(began).Seconds()); err != nil {
		return err
	}
	operator := map[dataset.Metric]string{dataset.Cosine: "<=>", dataset.L2: "<->"}[set.Metric]
	for _, ef := range efs {
		for _, count := range counts {
			conns, err := connectClients(ctx, server.DSN(), count, fmt.Sprintf("SET hnsw.ef_search = %d", ef))
			if err != nil {
				return err
			}
			rest := restClient{url: server.URL() + "/collections/bench/search", set: set, ef: ef}
			rest.prepare()
			statement := "SELECT id FROM bench ORDER BY embedding " + operator + " $1 LIMIT 10"
			for _, way := range []struct {
				name string
				find func(conn *pgx.Conn, q int) ([]int64, error)
			}{
				{"wire", func(conn *pgx.Conn, q int) ([]int64, error) {
					return queryIDs(ctx, conn, statement, nil, Vector(set.Queries[q]))
				}},
				{"REST", func(_ *pgx.Conn, q int) ([]int64, error) { return rest.search(ctx, q) }},
			} {
				if err := compareWay(ctx, conns, set, way.name, ef, span, way.find, out); err != nil {
					return errors.Join(err, conns.close())
				}
			}
			if err := conns.close(); err != nil {
				return err
			}
		}
	}
	return nil
}

func compareWay(ctx context.Context, conns clients, set *dataset.Set, name string, ef int, span time.Duration, find func(*pgx.Conn, int) ([]int64, error), out io.Writer) error {
	found := 0.0
	for q := range set.Queries {
		ids, err := find(conns[0], q)
		if err != nil {
			return err
		}
		for i := range ids {
			ids[i]-- // ids are given from 1 in the order of the lines
		}
		found += recall(ids, set.Truth[q], 10)
	}
	latency, err := conns.timed(ctx, span, func(conn *pgx.Conn, client, n int) error {
		_, err := find(conn, (n*len(conns)+client)%len(set.Queries))
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s ef %-3d %2d clients: recall@10 %.4f %7.0f/s, p50 %.3f ms, p95 %.3f ms, p99 %.3f ms\n", name, ef, len(conns),
		found/float64(len(set.Queries)), latency.PerSecond, latency.P50, latency.P95, latency.P99)
	return err
}

// restLines are a set's vectors as lines of JSON.
func restLines(set *dataset.Set) []byte {
	var b []byte
	for i := range set.Rows() {
		b = append(appendNumbers(append(b, `{"vector":`...), set.Base(i)), "}\n"...)
	}
	return b
}

func appendNumbers(b []byte, v []float32) []byte {
	b = append(b, '[')
	for i, x := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, float64(x), 'g', -1, 32)
	}
	return append(b, ']')
}

// restClient searches over REST with bodies that are made before.
type restClient struct {
	url    string
	set    *dataset.Set
	ef     int
	bodies []string
}

func (c *restClient) prepare() {
	for _, q := range c.set.Queries {
		c.bodies = append(c.bodies, fmt.Sprintf(`{"k":10,"ef":%d,"include":["id"],"vector":%s}`, c.ef, appendNumbers(nil, q)))
	}
}

func (c *restClient) search(ctx context.Context, q int) ([]int64, error) {
	rq, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader(c.bodies[q]))
	if err != nil {
		return nil, err
	}
	var found struct {
		Results []struct{ ID int64 }
	}
	text, err := send(rq)
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	ids := make([]int64, len(found.Results))
	for i, r := range found.Results {
		ids[i] = r.ID
	}
	return ids, err
}

func post(ctx context.Context, url, kind string, body []byte) error {
	rq, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	rq.Header.Set("Content-Type", kind)
	_, err = send(rq)
	return err
}

func send(rq *http.Request) ([]byte, error) {
	res, err := http.DefaultClient.Do(rq)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	if res.StatusCode >= 300 {
		return nil, fmt.Errorf("%s: %s", res.Status, text)
	}
	return text, nil
}
