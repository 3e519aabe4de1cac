package ddl

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/xdg-go/scram"

	"github.com/akidb/akidb/internal/pgerr"
)

// What PostgreSQL uses for SCRAM-SHA-256 (scram-common.h).
const (
	scramIterations = 4096
	scramSaltBytes  = 16
	scramPrefix     = "SCRAM-SHA-256$"
)

// verifier makes of a password what is kept of it. One that is a verifier
// already is kept as it is.
func verifier(password string) (string, error) {
	switch {
	case strings.HasPrefix(password, scramPrefix) && isVerifier(password):
		return password, nil
	case isMD5(password):
		return "", pgerr.Unsupported("an MD5 password").WithHint("Give the password itself, or a SCRAM-SHA-256 verifier.")
	}
	salt := make([]byte, scramSaltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	// PostgreSQL uses a password as it is where SASLprep does not allow it.
	client, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		client, err = scram.SHA256.NewClientUnprepped("", password, "")
	}
	if err != nil {
		return "", err
	}
	keys, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt), Iters: scramIterations})
	if err != nil {
		return "", err
	}
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s%d:%s$%s:%s", scramPrefix, scramIterations, text(salt), text(keys.StoredKey), text(keys.ServerKey)), nil
}

// isVerifier says whether a text is iterations:salt$stored key:server key after the prefix.
func isVerifier(text string) bool {
	var iterations int
	parts := strings.FieldsFunc(strings.TrimPrefix(text, scramPrefix), func(r rune) bool { return r == ':' || r == '$' })
	if len(parts) != 4 {
		return false
	}
	if _, err := fmt.Sscanf(parts[0], "%d", &iterations); err != nil || iterations < 1 {
		return false
	}
	for i, p := range parts[1:] {
		b, err := base64.StdEncoding.DecodeString(p)
		if err != nil || i > 0 && len(b) != sha256.Size {
			return false
		}
	}
	return true
}

// isMD5 says whether a text is PostgreSQL's form of an MD5 hash.
func isMD5(text string) bool {
	rest, ok := strings.CutPrefix(text, "md5")
	return ok && len(rest) == 32 && strings.Trim(rest, "0123456789abcdef") == ""
}
