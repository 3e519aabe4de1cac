package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/xdg-go/scram"

	"github.com/akidb/akidb/internal/pgerr"
)

// tape is a connection whose client has said everything already.
type tape struct {
	io.Reader
	said bytes.Buffer // by the server
}

func (t *tape) Write(b []byte) (int, error)      { return t.said.Write(b) }
func (t *tape) Close() error                     { return nil }
func (t *tape) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (t *tape) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (t *tape) SetDeadline(time.Time) error      { return nil }
func (t *tape) SetReadDeadline(time.Time) error  { return nil }
func (t *tape) SetWriteDeadline(time.Time) error { return nil }

// panics fails a fuzz test when a guard had to catch a panic.
type panics struct {
	slog.Handler
	t *testing.T
}

func (p panics) Enabled(context.Context, slog.Level) bool { return true }
func (p panics) WithAttrs([]slog.Attr) slog.Handler       { return p }
func (p panics) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		// What the fake panics on purpose is no finding.
		if a.Key == "panic" && a.Value.String() != "a bug of ours" {
			p.t.Errorf("%s: %v", r.Message, a.Value)
		}
		return true
	})
	return nil
}

// fuzzServer serves nobody: it is what clients on a tape belong to.
func fuzzServer(t *testing.T, verifier string) *Server {
	method := "trust"
	if verifier != "" {
		method = "scram-sha-256"
	}
	admin := &fakeAdmin{sessions: map[int32]*fakeSession{}, verifier: verifier}
	return &Server{clients: map[*client]struct{}{}, done: make(chan struct{}), opts: Options{
		Admin: admin, ServerVersion: "16.4", MaxConnections: 1, Metrics: noMetrics{},
		Logger: slog.New(panics{t: t}), AuthMethod: func(net.Addr) string { return method },
	}}
}

// onTape is a client that has sent data.
func onTape(s *Server, data []byte) (*client, *tape) {
	conn := &tape{Reader: bytes.NewReader(data)}
	c := newClient(s, conn)
	s.conns.Add(1)
	s.add(c)
	return c, conn
}

// checkAnswers fails when what the server said is not a series of messages.
func checkAnswers(t *testing.T, said []byte) {
	t.Helper()
	in := newFrameReader(bytes.NewReader(said))
	for {
		typ, b, err := in.next()
		if err != nil {
			if !errors.Is(err, io.EOF) || in.w != in.r {
				t.Fatalf("answer of %d bytes is cut: %v", len(said), err)
			}
			return
		}
		if typ != 'E' && typ != 'N' {
			continue
		}
		if i := bytes.Index(b, []byte("\x00C")); len(b) < 8 || i < 0 {
			t.Fatalf("an error without SQLSTATE: %q", b)
		}
	}
}

func startupPacket(params ...string) []byte {
	b := []byte{0, 0, 0, 0, 0, 3, 0, 0}
	for _, p := range params {
		b = append(append(b, p...), 0)
	}
	b = append(b, 0)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// Whatever an unknown client sends first: it is refused in words, or it is in.
func FuzzStartup(f *testing.F) {
	request := func(code uint32, more ...byte) []byte {
		b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(8+len(more))), code)
		return append(b, more...)
	}
	good := startupPacket("user", "postgres", "database", "postgres", "options", `-c a=b --x-y=1\ 2 -cz=`, "_pq_.x", "1")
	for _, b := range [][]byte{
		good, append(request(codeSSL), good...), append(request(codeGSS), good...), request(codeCancel, 0, 0, 0, 1, 0, 0, 0, 2),
		bytes.Repeat(request(codeSSL), 6), startupPacket("user", "nobody"), startupPacket("user", "postgres", "options", "-c"),
		startupPacket(), {0x16, 3, 1}, {0, 0, 0, 4}, {0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 8, 0, 2, 0, 0}, append(good[:len(good)-1:len(good)-1], 'x'),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, conn := onTape(fuzzServer(t, ""), data)
		defer func() { _ = c.Close() }() // of a tape
		packet, err := c.preamble()
		said := bytes.TrimLeft(conn.said.Bytes(), "N")
		if err == nil && packet != nil {
			c.in, c.out = newFrameReader(c.Conn), newFrameWriter(c.Conn)
			err = c.login()
			if (err == nil) != (c.session != nil) {
				t.Fatalf("login: %v, session %v", err, c.session)
			}
			said = bytes.TrimLeft(conn.said.Bytes(), "N")
		}
		checkAnswers(t, said)
		if err != nil && len(said) == 0 && len(data) > maxStartup+8*maxPreambles {
			t.Fatalf("a refusal without words: %v", err)
		}
	})
}

func FuzzStartupOptions(f *testing.F) {
	for _, s := range []string{"-c a=b", "--a-b=c", `-c a=b\ c`, "-c", "-x", `\`, "-c =", " \t\n-ca=b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := map[string]string{}
		if err := optionSettings(s, out); err != nil {
			if pgerr.Code(err) != pgerr.SyntaxError {
				t.Fatal(err)
			}
			return
		}
		if len(out) > len(s) {
			t.Fatalf("%d settings in %q", len(out), s)
		}
	})
}

// A client that does not know the password is refused whatever it sends.
func FuzzSCRAM(f *testing.F) {
	f.Add([]byte("n,,n=,r=abc"), []byte("c=biws,r=abc,p=AAAA"))
	f.Add([]byte("y,a=x,n=,r=abc"), []byte("c=biws,r=abc"))
	f.Add([]byte("p=tls-unique,,n=*,r=x"), []byte("p=,r="))
	f.Add([]byte("n,,m=ext,n=,r=x"), []byte{})
	f.Add([]byte{}, []byte("c=,r=,p="))
	f.Add([]byte("n,,n==2C=3D,r=\x00\xff"), []byte("c=biws,r=%00,p=%"))
	verifiers := []string{makeVerifier(f, "secret"), "SCRAM-SHA-256$4096:AA==$AA==:AA==", "none"}
	f.Fuzz(func(t *testing.T, first, final []byte) {
		for _, verifier := range verifiers {
			c, conn := onTape(fuzzServer(t, verifier), saslTape(first, final))
			c.in, c.out = newFrameReader(c.Conn), newFrameWriter(c.Conn)
			if err := c.guard(func() error { return c.scram(verifier) }); err == nil {
				t.Errorf("%q, %q is in", first, final)
			}
			_ = c.Close() // of a tape
			checkAnswers(t, conn.said.Bytes())
		}
	})
}

func saslTape(first, final []byte) []byte {
	var b bytes.Buffer
	w := newFrameWriter(&b)
	w.begin('p')
	w.string(scramMechanism)
	w.int32(int32(len(first)))
	w.bytes(first)
	w.end()
	w.begin('p')
	w.bytes(final)
	w.end()
	w.flush()
	return b.Bytes()
}

func TestTheRightPasswordIsLetInAndNoOther(t *testing.T) {
	creds, ok := parseVerifier(makeVerifier(t, "secret"))
	if !ok {
		t.Fatal("no verifier")
	}
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return creds, nil })
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{"secret": true, "Secret": false, "": false} {
		if got := converse(t, server, password); got != want {
			t.Errorf("%q: let in %t", password, got)
		}
	}
}

func converse(t *testing.T, server *scram.Server, password string) bool {
	t.Helper()
	c, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		t.Fatal(err)
	}
	client, conv := c.NewConversation(), server.NewConversation()
	said := ""
	for !conv.Done() {
		if said, err = client.Step(said); err != nil {
			return false
		}
		if said, err = conv.Step(said); err != nil {
			return false
		}
	}
	return conv.Valid()
}

func FuzzVerifier(f *testing.F) {
	f.Add(makeVerifier(f, "x"))
	f.Add("SCRAM-SHA-256$4096:AA==$AA==:AA==")
	f.Add("SCRAM-SHA-256$-1:$:")
	f.Fuzz(func(t *testing.T, v string) {
		creds, ok := parseVerifier(v)
		if !ok {
			return
		}
		b := base64.StdEncoding
		if len(creds.Salt) > len(v) || len(b.EncodeToString(creds.StoredKey)) > len(v) {
			t.Fatalf("%q became more", v)
		}
		if creds.Iters < 1 {
			t.Fatalf("%q: %d iterations", v, creds.Iters)
		}
	})
}

// Any bytes after the login end in messages, never in a panic, and a session
// that goes on says that it is ready.
func FuzzMessages(f *testing.F) {
	encode := func(msgs ...pgproto3.FrontendMessage) []byte {
		var b []byte
		var err error
		for _, m := range msgs {
			if b, err = m.Encode(b); err != nil {
				f.Fatal(err)
			}
		}
		return b
	}
	f.Add(encode(&pgproto3.Query{String: "one; count"}, &pgproto3.Terminate{}))
	f.Add(encode(&pgproto3.Parse{Name: "s", Query: "echo", ParameterOIDs: []uint32{25, 0}}, &pgproto3.Describe{ObjectType: 'S', Name: "s"},
		&pgproto3.Bind{PreparedStatement: "s", ParameterFormatCodes: []int16{0, 1}, Parameters: [][]byte{[]byte("x"), {0, 1, 0, 0, 0, 0, 0, 0}}, ResultFormatCodes: []int16{1}},
		&pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{MaxRows: 1}, &pgproto3.Close{ObjectType: 'P'}, &pgproto3.Flush{}, &pgproto3.Sync{}))
	f.Add(encode(&pgproto3.Query{String: "copy in"}, &pgproto3.CopyData{Data: []byte("1\tx\t[1]\n")}, &pgproto3.CopyDone{}))
	f.Add(encode(&pgproto3.Query{String: "copy csv"}, &pgproto3.CopyData{Data: []byte("1,\"x\n")}, &pgproto3.CopyFail{Message: "no"}, &pgproto3.Sync{}))
	f.Add(encode(&pgproto3.Query{String: "copy binary"}, &pgproto3.CopyData{Data: []byte("PGCOPY\n\xff\r\n\x00")}, &pgproto3.CopyDone{}))
	f.Add(encode(&pgproto3.Query{String: "copy out"}, &pgproto3.FunctionCall{}, &pgproto3.Query{String: "begin"}, &pgproto3.Query{String: "divide"}))
	f.Add([]byte{'Q', 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{'P', 0, 0, 0, 8, 0, 0, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte("sleep")) || bytes.Contains(data, []byte("listen")) || bytes.Contains(data, []byte("idle")) {
			t.Skip() // they wait
		}
		s := fuzzServer(t, "")
		c, conn := onTape(s, data)
		defer func() { _ = c.Close() }() // of a tape
		c.in, c.out = newFrameReader(c.Conn), newFrameWriter(c.Conn)
		c.params["user"], c.params["database"] = "postgres", "postgres"
		if err := c.open(map[string]string{}); err != nil {
			t.Fatal(err)
		}
		if err := c.run(); err == nil && !strings.ContainsRune(conn.said.String(), 'Z') {
			t.Fatal("a session without an answer")
		}
		checkAnswers(t, conn.said.Bytes())
	})
}
