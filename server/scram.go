package server

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
	"github.com/xdg-go/stringprep"

	"github.com/akidb/akidb/internal/pgerr"
)

// Kinds of authentication messages.
const (
	authOK        = 0
	authSASL      = 10
	authSASLNext  = 11
	authSASLFinal = 12
)

const scramMechanism = "SCRAM-SHA-256"

// maxAuthMessage bounds what an unknown client may send.
const maxAuthMessage = 64 << 10

// scram runs SCRAM-SHA-256 (RFC 7677) against a verifier in PostgreSQL's form.
// A role that does not exist or has no password takes the same steps and fails
// at the end, so that it cannot be told from a wrong password.
func (c *client) scram(verifier string) error {
	failed := func() error {
		return c.refuse(pgerr.Newf(pgerr.InvalidPassword, "password authentication failed for user %q", c.user))
	}
	creds, ok := parseVerifier(verifier)
	if !ok {
		creds = mockCredentials(c.user)
	}
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return creds, nil })
	if err != nil {
		return err
	}
	conv := server.NewConversation()
	c.out.begin('R')
	c.out.int32(authSASL)
	c.out.string(scramMechanism)
	c.out.byte(0)
	c.out.end()
	c.out.flush()

	m, err := c.saslMessage()
	if err != nil {
		return err
	}
	mechanism := m.string()
	first := m.bytes(int(m.int32()))
	if err := m.end("SASLInitialResponse"); err != nil || mechanism != scramMechanism {
		return c.refuse(pgerr.New(pgerr.ProtocolViolation, "client selected an invalid SASL authentication mechanism"))
	}
	reply, err := conv.Step(string(first))
	if err != nil {
		return failed()
	}
	c.writeAuth(authSASLNext, reply)
	c.out.flush()
	if m, err = c.saslMessage(); err != nil {
		return err
	}
	reply, err = conv.Step(string(m.b))
	if err != nil || !ok {
		return failed()
	}
	c.writeAuth(authSASLFinal, reply)
	return nil
}

func (c *client) saslMessage() (*body, error) {
	typ, b, err := c.in.next()
	if err != nil {
		return nil, err
	}
	if typ != 'p' || len(b) > maxAuthMessage {
		return nil, c.refuse(pgerr.Newf(pgerr.ProtocolViolation, "expected SASL response, got message type %d", typ))
	}
	return &body{b: b}, nil
}

func (c *client) writeAuth(kind int32, data ...string) {
	c.out.begin('R')
	c.out.int32(kind)
	for _, d := range data {
		c.out.bytes([]byte(d))
	}
	c.out.end()
}

// parseVerifier reads SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>.
func parseVerifier(v string) (scram.StoredCredentials, bool) {
	var none scram.StoredCredentials
	rest, ok := strings.CutPrefix(v, scramMechanism+"$")
	if !ok {
		return none, false
	}
	params, keys, ok := strings.Cut(rest, "$")
	if !ok {
		return none, false
	}
	iters, salt, ok1 := strings.Cut(params, ":")
	stored, server, ok2 := strings.Cut(keys, ":")
	n, err := strconv.Atoi(iters)
	if !ok1 || !ok2 || err != nil || n < 1 {
		return none, false
	}
	var raw [3][]byte
	for i, s := range []string{salt, stored, server} {
		if raw[i], err = base64.StdEncoding.DecodeString(s); err != nil {
			return none, false
		}
	}
	if len(raw[1]) != sha256.Size || len(raw[2]) != sha256.Size {
		return none, false
	}
	return scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(raw[0]), Iters: n},
		StoredKey:  raw[1], ServerKey: raw[2],
	}, true
}

// VerifyPassword says whether a password is that of a verifier. It takes as long
// for a verifier that is none.
func VerifyPassword(verifier, password string) bool {
	creds, ok := parseVerifier(verifier)
	if !ok {
		creds = mockCredentials("")
	}
	if prepared, err := stringprep.SASLprep.Prepare(password); err == nil { // RFC 5802; PostgreSQL too takes others as they are
		password = prepared
	}
	salted, err := pbkdf2.Key(sha256.New, password, []byte(creds.Salt), creds.Iters, sha256.Size)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, salted)
	_, _ = mac.Write([]byte("Client Key")) // a hash takes everything
	stored := sha256.Sum256(mac.Sum(nil))
	return hmac.Equal(stored[:], creds.StoredKey) && ok
}

// mockKey makes the salts of roles that have no password: random for each
// start, the same for each role.
var mockKey = func() []byte {
	k := make([]byte, sha256.Size)
	_, _ = rand.Read(k) // never fails (crypto/rand)
	return k
}()

func mockCredentials(user string) scram.StoredCredentials {
	mac := hmac.New(sha256.New, mockKey)
	_, _ = fmt.Fprint(mac, user) // a hash takes everything
	sum := mac.Sum(nil)
	return scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(sum[:16]), Iters: 4096},
		StoredKey:  sum, ServerKey: sum,
	}
}
