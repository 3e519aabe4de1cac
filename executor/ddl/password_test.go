package ddl

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/xdg-go/scram"
)

// credentials reads a verifier as the server does.
func credentials(t *testing.T, v string) scram.StoredCredentials {
	t.Helper()
	parts := strings.FieldsFunc(strings.TrimPrefix(v, scramPrefix), func(r rune) bool { return r == ':' || r == '$' })
	if len(parts) != 4 || parts[0] != "4096" {
		t.Fatalf("verifier %q", v)
	}
	var raw [3][]byte
	for i, p := range parts[1:] {
		var err error
		if raw[i], err = base64.StdEncoding.DecodeString(p); err != nil {
			t.Fatal(err)
		}
	}
	return scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(raw[0]), Iters: 4096}, StoredKey: raw[1], ServerKey: raw[2],
	}
}

// logIn runs SCRAM between a client with a password and a server with a verifier.
func logIn(t *testing.T, password, v string) bool {
	t.Helper()
	client, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		t.Fatal(err)
	}
	creds := credentials(t, v)
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return creds, nil })
	if err != nil {
		t.Fatal(err)
	}
	a, b := client.NewConversation(), server.NewConversation()
	message, err := a.Step("")
	for err == nil && !b.Done() {
		if message, err = b.Step(message); err == nil {
			message, err = a.Step(message)
		}
	}
	return err == nil && a.Valid() && b.Valid()
}

func TestAVerifierLetsItsPasswordInAndNoOther(t *testing.T) {
	for _, password := range []string{"secret", "pässwörd", "with space", "\u00ad\u2168"} {
		v, err := verifier(password)
		if err != nil {
			t.Fatal(err)
		}
		if !logIn(t, password, v) {
			t.Errorf("%q is refused by its own verifier %s", password, v)
		}
		if logIn(t, password+"x", v) {
			t.Errorf("a wrong password passes the verifier of %q", password)
		}
		if again, err := verifier(v); err != nil || again != v {
			t.Errorf("a verifier is not kept as it is: %s, %v", again, err)
		}
	}
}

func TestTwoVerifiersOfAPasswordDiffer(t *testing.T) {
	a, _ := verifier("secret")
	if b, _ := verifier("secret"); a == b {
		t.Error("the salt does not change")
	}
}

func TestWhatOnlyLooksLikeAVerifierIsAPassword(t *testing.T) {
	const password = "SCRAM-SHA-256$4096:c2FsdA==$c2hvcnQ=:c2hvcnQ="
	v, err := verifier(password)
	if err != nil || v == password || !logIn(t, password, v) {
		t.Errorf("%s, %v", v, err)
	}
}
