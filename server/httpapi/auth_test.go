package httpapi

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
)

// roles is an engine that knows roles and nothing else.
type roles map[string]string

func (r roles) NewSession(context.Context, executor.SessionOptions) (executor.Session, error) {
	return nil, pgerr.New(pgerr.CannotConnectNow, "there are no sessions in this test")
}
func (r roles) Cancel(int32, uint32) {}
func (r roles) Verifier(role string) (string, bool, bool) {
	v, ok := r[role]
	return v, v != "nologin", ok
}
func (r roles) HasDatabase(string) bool { return true }

func TestWhoAsksIsFoundAsOnThePostgreSQLPort(t *testing.T) {
	api := New(Options{
		Admin: roles{"postgres": "secret", "reader": "word", "group": "nologin"}, TLSRequired: true,
		VerifyPassword: func(verifier, password string) bool { return verifier == password && verifier != "" },
		AuthMethod: func(a net.Addr) string {
			if a.(*net.TCPAddr).IP.IsLoopback() {
				return "trust"
			}
			return "scram-sha-256"
		},
	})
	for _, tc := range []struct {
		from, host, user, password, header string
		tls                                bool
		want, code                         string
	}{
		{from: "127.0.0.1:1", host: "localhost:8080", want: "postgres"},
		{from: "127.0.0.1:1", host: "127.0.0.1:8080", user: "reader", want: "reader"},
		{from: "[::1]:1", host: "[::1]:8080", want: "postgres"},
		{from: "[::ffff:127.0.0.1]:1", host: "localhost", want: "postgres"},
		{from: "127.0.0.1:1", host: "evil.example", code: "28000"},
		{from: "127.0.0.1:1", host: "evil.example", user: "postgres", password: "secret", want: "postgres"},
		{from: "127.0.0.1:1", host: "localhost", header: "X-Forwarded-For", code: "28000"},
		{from: "127.0.0.1:1", host: "localhost", user: "nobody", code: "28000"},
		{from: "127.0.0.1:1", host: "localhost", user: "group", code: "28000"},
		{from: "192.0.2.1:1", host: "db", user: "postgres", password: "secret", code: "28000"},
		{from: "192.0.2.1:1", host: "db", user: "postgres", password: "secret", tls: true, want: "postgres"},
		{from: "192.0.2.1:1", host: "db", user: "postgres", password: "wrong", tls: true, code: "28P01"},
		{from: "192.0.2.1:1", host: "db", user: "nobody", password: "x", tls: true, code: "28P01"},
		{from: "192.0.2.1:1", host: "db", tls: true, code: "28000"},
	} {
		r := httptest.NewRequest("GET", "/collections", nil)
		r.RemoteAddr, r.Host = tc.from, tc.host
		if tc.user != "" {
			r.SetBasicAuth(tc.user, tc.password)
		}
		if tc.header != "" {
			r.Header.Set(tc.header, "203.0.113.9")
		}
		if tc.tls {
			r.TLS = &tls.ConnectionState{}
		}
		got, err := api.user(r)
		if got != tc.want || tc.code != "" && pgerr.Code(err) != tc.code || tc.code == "" && err != nil {
			t.Errorf("%+v: %s %v", tc, got, err)
		}
	}
}
