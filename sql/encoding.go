package sql

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
)

// checkEncoding refuses NUL bytes, at which the parser would stop silently, and
// text that is not UTF-8.
func checkEncoding(text string) error {
	if strings.IndexByte(text, 0) >= 0 {
		return pgerr.New(pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8": 0x00`)
	}
	if utf8.ValidString(text) {
		return nil
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return errBadSequence(text[i:])
		}
		i += n
	}
	return nil
}

// errBadSequence names as many bytes as the first one announces, as PostgreSQL does.
func errBadSequence(rest string) error {
	n := 1
	switch c := rest[0]; {
	case c >= 0xc0 && c <= 0xdf:
		n = 2
	case c >= 0xe0 && c <= 0xef:
		n = 3
	case c >= 0xf0 && c <= 0xf7:
		n = 4
	}
	var b strings.Builder
	for i := range min(n, len(rest)) {
		fmt.Fprintf(&b, " 0x%02x", rest[i])
	}
	return pgerr.New(pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8":`+b.String())
}
