package server

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/xdg-go/scram"
)

func makeVerifier(t testing.TB, password string) string {
	t.Helper()
	c, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		t.Fatal(err)
	}
	kf := scram.KeyFactors{Salt: "0123456789abcdef", Iters: 4096}
	s, err := c.GetStoredCredentialsWithError(kf)
	if err != nil {
		t.Fatal(err)
	}
	b := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", kf.Iters, b([]byte(kf.Salt)), b(s.StoredKey), b(s.ServerKey))
}

func TestVerifiersAreReadOrRefused(t *testing.T) {
	if _, ok := parseVerifier(makeVerifier(t, "x")); !ok {
		t.Error("a good verifier was refused")
	}
	for _, v := range []string{"", "md5abc", "SCRAM-SHA-256$", "SCRAM-SHA-256$x:y$z:w", "SCRAM-SHA-256$4096:AA==$AA==", "SCRAM-SHA-256$4096$AA==:AA=="} {
		if _, ok := parseVerifier(v); ok {
			t.Errorf("%q was taken", v)
		}
	}
}
