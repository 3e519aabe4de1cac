package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/types"
)

func connect(t *testing.T, addr, params string) *pgx.Conn {
	t.Helper()
	c, err := tryConnect(t, addr, params)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) }) // the server may have ended it
	return c
}

func tryConnect(t *testing.T, addr, params string) (*pgx.Conn, error) {
	t.Helper()
	if !strings.Contains(params, "sslmode") {
		params += "&sslmode=disable"
	}
	if !strings.Contains(params, "user=") {
		params += "&user=postgres"
	}
	return pgx.Connect(t.Context(), "postgres://"+addr+"/postgres?"+strings.TrimPrefix(params, "&"))
}

func wantCode(t *testing.T, err error, code string) *pgconn.PgError {
	t.Helper()
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("error %v, want SQLSTATE %s", err, code)
	}
	return e
}

func TestParametersAndResultsGoInTextAndBinary(t *testing.T) {
	_, addr := start(t, nil)
	for _, mode := range []string{"exec", "cache_statement", "simple_protocol"} {
		c := connect(t, addr, "default_query_exec_mode="+mode)
		if mode == "simple_protocol" {
			var n int32
			if err := c.QueryRow(t.Context(), "one").Scan(&n); err != nil || n != 1 {
				t.Errorf("%s: %d, %v", mode, n, err)
			}
			continue
		}
		var text, vector string
		if err := c.QueryRow(t.Context(), "echo", "häh", "[1,2.5]").Scan(&text, &vector); err != nil || text != "häh" || vector != "[1,2.5]" {
			t.Errorf("%s: %q %q %v", mode, text, vector, err)
		}
	}
}

func TestStatementsOfAStringRunUntilOneFails(t *testing.T) {
	_, addr := start(t, nil)
	c := connect(t, addr, "")
	results, err := c.PgConn().Exec(t.Context(), "one; count; divide; one").ReadAll()
	e := wantCode(t, err, "22012")
	if e.Severity != "ERROR" || len(results) != 2 || len(results[1].Rows) != 10 {
		t.Errorf("%d results before %v", len(results), e)
	}
	if _, err := c.Exec(t.Context(), "one"); err != nil {
		t.Errorf("the session did not go on: %v", err)
	}
	_, err = c.PgConn().Exec(t.Context(), "one;  missing").ReadAll()
	if e := wantCode(t, err, "42P01"); e.Position != 5 {
		t.Errorf("position %d counts from the wrong place", e.Position)
	}
	if r, err := c.PgConn().Exec(t.Context(), " ; -- nothing").ReadAll(); err != nil && len(r) != 0 {
		t.Errorf("empty query: %v %v", r, err)
	}
}

func TestAPanicEndsOneStatementAlone(t *testing.T) {
	_, addr := start(t, nil)
	c, other := connect(t, addr, ""), connect(t, addr, "")
	for _, text := range []string{"panic", "bug"} {
		_, err := c.Exec(t.Context(), text)
		wantCode(t, err, "XX000")
	}
	for _, x := range []*pgx.Conn{c, other} {
		if _, err := x.Exec(t.Context(), "one"); err != nil {
			t.Error(err)
		}
	}
}

// raw is a connection that speaks messages.
type raw struct {
	t *testing.T
	*pgproto3.Frontend
	conn net.Conn
}

func dialRaw(t *testing.T, addr string) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	r := &raw{t: t, Frontend: pgproto3.NewFrontend(conn, conn), conn: conn}
	r.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersionNumber, Parameters: map[string]string{"user": "postgres", "database": "postgres"}})
	r.until("ReadyForQuery")
	return r
}

func kindOf(m pgproto3.BackendMessage) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", m), "*pgproto3.")
}

// until reads messages up to one of a kind and returns the kinds of all.
func (r *raw) until(kind string) []string {
	r.t.Helper()
	if err := r.Flush(); err != nil {
		r.t.Fatal(err)
	}
	var kinds []string
	for {
		m, err := r.Receive()
		if err != nil {
			r.t.Fatalf("after %v: %v", kinds, err)
		}
		k := kindOf(m)
		if e, ok := m.(*pgproto3.ErrorResponse); ok {
			k += " " + e.Code
		}
		kinds = append(kinds, k)
		if kindOf(m) == kind {
			return kinds
		}
	}
}

func TestARowLimitSuspendsThePortal(t *testing.T) {
	_, addr := start(t, nil)
	r := dialRaw(t, addr)
	r.Send(&pgproto3.Parse{Query: "count"})
	r.Send(&pgproto3.Bind{})
	r.Send(&pgproto3.Execute{MaxRows: 4})
	r.Send(&pgproto3.Execute{MaxRows: 4})
	r.Send(&pgproto3.Execute{MaxRows: 4})
	r.Send(&pgproto3.Sync{})
	got := strings.Join(r.until("ReadyForQuery"), " ")
	rows := func(n int) string { return strings.Repeat("DataRow ", n) }
	want := "ParseComplete BindComplete " + rows(4) + "PortalSuspended " + rows(4) + "PortalSuspended " + rows(2) + "CommandComplete ReadyForQuery"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAfterAnErrorMessagesAreSkippedUntilSync(t *testing.T) {
	_, addr := start(t, nil)
	r := dialRaw(t, addr)
	r.Send(&pgproto3.Bind{PreparedStatement: "nothing"})
	r.Send(&pgproto3.Parse{Query: "one"})
	r.Send(&pgproto3.Execute{})
	r.Send(&pgproto3.Sync{})
	r.Send(&pgproto3.Parse{Name: "s", Query: "one"})
	r.Send(&pgproto3.Parse{Name: "s", Query: "one"})
	r.Send(&pgproto3.Sync{})
	if got := r.until("ReadyForQuery"); !reflect.DeepEqual(got, []string{"ErrorResponse 26000", "ReadyForQuery"}) {
		t.Errorf("first series: %v", got)
	}
	if got := r.until("ReadyForQuery"); !reflect.DeepEqual(got, []string{"ParseComplete", "ErrorResponse 42P05", "ReadyForQuery"}) {
		t.Errorf("second series: %v", got)
	}
}

func TestDescribeTellsParametersAndColumns(t *testing.T) {
	_, addr := start(t, nil)
	r := dialRaw(t, addr)
	r.Send(&pgproto3.Parse{Name: "e", Query: "echo"})
	r.Send(&pgproto3.Describe{ObjectType: 'S', Name: "e"})
	r.Send(&pgproto3.Parse{Name: "b", Query: "begin"})
	r.Send(&pgproto3.Describe{ObjectType: 'S', Name: "b"})
	r.Send(&pgproto3.Close{ObjectType: 'S', Name: "b"})
	r.Send(&pgproto3.Sync{})
	want := []string{"ParseComplete", "ParameterDescription", "RowDescription", "ParseComplete", "ParameterDescription", "NoData", "CloseComplete", "ReadyForQuery"}
	if got := r.until("ReadyForQuery"); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

func TestHostileMessagesEndAtMostTheirOwnSession(t *testing.T) {
	_, addr := start(t, nil)
	healthy := connect(t, addr, "")
	bind := func(rest ...byte) []byte { return frame('B', append([]byte{0, 0}, rest...)...) }
	for name, b := range map[string][]byte{
		"negative length":             {'Q', 0xff, 0xff, 0xff, 0xff},
		"length below four":           {'Q', 0, 0, 0, 1},
		"huge length without bytes":   {'Q', 0x3f, 0xff, 0xff, 0xff, 'x'},
		"length beyond the limit":     {'Q', 0x7f, 0xff, 0xff, 0xff},
		"unknown type":                {'~', 0, 0, 0, 4},
		"query without end":           frame('Q', 'o', 'n', 'e'),
		"parse with missing oids":     frame('P', 0, 'o', 'n', 'e', 0, 0x7f, 0xff),
		"bind with negative count":    bind(0xff, 0xff, 0xff, 0xff, 0, 0),
		"bind with length minus two":  bind(0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0, 0),
		"bind with length past end":   bind(0, 0, 0, 1, 0x00, 0xff, 0xff, 0xff, 0, 0),
		"bind with format nine":       bind(0, 1, 0, 9, 0, 0, 0, 0),
		"describe of nothing":         frame('D'),
		"close of an unknown kind":    frame('C', '?', 0),
		"execute without a limit":     frame('E', 0),
		"function call":               frame('F', 0, 0, 0, 0),
		"password out of place":       frame('p', 'x', 0),
		"copy data out of place":      frame('d', 'x'),
		"terminate":                   frame('X'),
		"two half messages and close": {'P', 0, 0, 0, 100, 'a', 'b'},
	} {
		r := dialRaw(t, addr)
		if _, err := r.conn.Write(append(b, frame('S')...)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = r.conn.(*net.TCPConn).CloseWrite()
		if _, err := io.Copy(io.Discard, r.conn); err != nil && errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := healthy.Exec(t.Context(), "one"); err != nil {
			t.Fatalf("%s: another session: %v", name, err)
		}
	}
}

func frame(typ byte, body ...byte) []byte {
	n := len(body) + 4
	return append([]byte{typ, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, body...)
}

func TestHostileStartUpsAreRefused(t *testing.T) {
	_, addr := start(t, nil)
	healthy := connect(t, addr, "")
	packet := func(code uint32, rest ...byte) []byte {
		n := len(rest) + 8
		return append([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), byte(code >> 24), byte(code >> 16), byte(code >> 8), byte(code)}, rest...)
	}
	gss := packet(codeGSS)
	for name, b := range map[string][]byte{
		"nothing":           {},
		"short":             {0, 0, 0, 4},
		"huge":              {0x7f, 0xff, 0xff, 0xff},
		"no terminator":     packet(196608, 'u', 's', 'e', 'r'),
		"no user":           packet(196608, 0),
		"protocol two":      packet(131072, 0),
		"many gss requests": []byte(strings.Repeat(string(gss), 1000)),
		"cancel of nobody":  packet(codeCancel, 0, 0, 0, 9, 0, 0, 0, 9),
		"http":              []byte("GET / HTTP/1.1\r\n\r\n"),
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = conn.Write(b) // the server may have closed already
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
		if _, err := healthy.Exec(t.Context(), "one"); err != nil {
			t.Fatalf("%s: another session: %v", name, err)
		}
	}
}

func TestWhoMayConnect(t *testing.T) {
	_, addr := start(t, func(o *Options) { o.MaxConnections = 1 })
	for params, code := range map[string]string{
		"user=nobody":  "28000",
		"user=nologin": "28000",
		"bad=1":        "42704",
	} {
		_, err := tryConnect(t, addr, params)
		wantCode(t, err, code)
	}
	_, err := pgx.Connect(t.Context(), "postgres://postgres@"+addr+"/other?sslmode=disable")
	wantCode(t, err, "3D000")
	// The refused ones are counted until the server has closed them.
	first, err := tryConnect(t, addr, "")
	for e := new(pgconn.PgError); errors.As(err, &e) && e.Code == "53300"; {
		first, err = tryConnect(t, addr, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = first.Close(context.Background()) }) // it is closed below
	_, err = tryConnect(t, addr, "")
	wantCode(t, err, "53300")
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSCRAMTakesTheRightPasswordOnly(t *testing.T) {
	verifier := makeVerifier(t, "secret")
	admin, addr := start(t, func(o *Options) {
		o.AuthMethod = func(net.Addr) string { return "scram-sha-256" }
		o.Admin.(*fakeAdmin).verifier = verifier
	})
	c := connect(t, addr, "password=secret")
	if _, err := c.Exec(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	_, err := tryConnect(t, addr, "password=wrong")
	wantCode(t, err, "28P01")
	admin.verifier = "" // a role without a password
	_, err = tryConnect(t, addr, "password=secret")
	wantCode(t, err, "28P01")
}

func TestTLSBothWays(t *testing.T) {
	cert, pool := selfSigned(t)
	_, addr := start(t, func(o *Options) {
		o.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		o.TLSRequired = true
	})
	c := connect(t, addr, "sslmode=require")
	if _, err := c.Exec(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	_, err := tryConnect(t, addr, "sslmode=disable")
	wantCode(t, err, "28000")

	direct, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: pool, ServerName: "localhost", NextProtos: []string{alpnProtocol}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = direct.Close() }()
	f := pgproto3.NewFrontend(direct, direct)
	f.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersionNumber, Parameters: map[string]string{"user": "postgres"}})
	if err := f.Flush(); err != nil {
		t.Fatal(err)
	}
	if m, err := f.Receive(); err != nil || kindOf(m) != "AuthenticationOk" {
		t.Errorf("direct TLS: %v %v", m, err)
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestACancelRequestEndsTheRunningStatement(t *testing.T) {
	_, addr := start(t, nil)
	c := connect(t, addr, "")
	done := make(chan error, 1)
	go func() {
		_, err := c.Exec(context.Background(), "sleep")
		done <- err
	}()
	for {
		if err := c.PgConn().CancelRequest(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			wantCode(t, err, "57014")
			if _, err := c.Exec(t.Context(), "one"); err != nil {
				t.Fatal(err)
			}
			return
		case <-time.After(5 * time.Millisecond): // the statement may not have begun
		}
	}
}

func TestAStatementEndsWhenItsClientHasGone(t *testing.T) {
	admin, addr := start(t, nil)
	r := dialRaw(t, addr)
	r.Send(&pgproto3.Query{String: "sleep"})
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	_ = r.conn.Close()
	deadline := time.Now().Add(10 * time.Second)
	for {
		admin.mu.Lock()
		var ended bool
		for _, s := range admin.sessions {
			s.mu.Lock()
			ended = s.cancel != nil
			s.mu.Unlock()
		}
		admin.mu.Unlock()
		if ended {
			return // Cleanup's Shutdown waits for the connection's goroutine
		}
		if time.Now().After(deadline) {
			t.Fatal("the statement did not begin")
		}
	}
}

func TestShutdownTellsIdleAndRunningSessions(t *testing.T) {
	admin := &fakeAdmin{sessions: map[int32]*fakeSession{}}
	s, err := New(Options{Admin: admin})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	idle, busy := dialRaw(t, l.Addr().String()), dialRaw(t, l.Addr().String())
	busy.Send(&pgproto3.Query{String: "sleep"})
	if err := busy.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*raw{idle, busy} {
		if got := r.until("ErrorResponse"); got[0] != "ErrorResponse 57P01" {
			t.Errorf("%v", got)
		}
	}
}

func TestNoticesAndNotificationsArrive(t *testing.T) {
	_, addr := start(t, nil)
	r := dialRaw(t, addr)
	r.Send(&pgproto3.Query{String: "notice"})
	if got := r.until("ReadyForQuery"); got[0] != "NoticeResponse" {
		t.Errorf("%v", got)
	}
	r.Send(&pgproto3.Query{String: "listen"})
	r.until("NotificationResponse") // while the client is idle
}

func TestAnIdleSessionIsEndedByItsLimit(t *testing.T) {
	_, addr := start(t, nil)
	r := dialRaw(t, addr)
	r.Send(&pgproto3.Query{String: "idle"})
	r.until("ReadyForQuery")
	if got := r.until("ErrorResponse"); got[0] != "ErrorResponse 57P05" {
		t.Errorf("%v", got)
	}
}

func TestCopyComesInWhateverTheMessagesAreCutInto(t *testing.T) {
	admin, addr := start(t, nil)
	r := dialRaw(t, addr)
	r.Send(&pgproto3.Query{String: "copy in"})
	r.until("CopyInResponse")
	for _, c := range "1\ta\\tb\t[1,2]\n2\t\\N\t\\N\n\\.\n" {
		r.Send(&pgproto3.CopyData{Data: []byte(string(c))})
	}
	r.Send(&pgproto3.CopyDone{})
	if got := r.until("ReadyForQuery"); !reflect.DeepEqual(got, []string{"CommandComplete", "ReadyForQuery"}) {
		t.Fatalf("%v", got)
	}
	want := []types.Row{{int64(1), "a\tb", types.Vector{1, 2}}, {int64(2), nil, nil}}
	if got := admin.rows(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	r.Send(&pgproto3.Query{String: "copy in"})
	r.until("CopyInResponse")
	r.Send(&pgproto3.CopyData{Data: []byte("x\ta\t[1]\n")})
	r.Send(&pgproto3.CopyData{Data: []byte("what follows is ignored\n")})
	r.Send(&pgproto3.CopyDone{})
	if got := r.until("ReadyForQuery"); !reflect.DeepEqual(got, []string{"ErrorResponse 22P02", "ReadyForQuery"}) {
		t.Errorf("%v", got)
	}
	r.Send(&pgproto3.Query{String: "copy in"})
	r.until("CopyInResponse")
	r.Send(&pgproto3.CopyFail{Message: "changed my mind"})
	if got := r.until("ReadyForQuery"); !reflect.DeepEqual(got, []string{"ErrorResponse 57014", "ReadyForQuery"}) {
		t.Errorf("%v", got)
	}
}

func TestCopyGoesOut(t *testing.T) {
	_, addr := start(t, nil)
	c := connect(t, addr, "")
	var out strings.Builder
	tag, err := c.PgConn().CopyTo(t.Context(), &out, "copy out")
	if err != nil || tag.String() != "COPY 2" {
		t.Fatalf("%v %v", tag, err)
	}
	if want := "1\ta\\tb\\\\\t\\N\n2\ta\\tb\\\\\t\\N\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
}

var _ executor.Admin = (*fakeAdmin)(nil)
