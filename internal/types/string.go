package types

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
)

// stringCodec serves every type whose datum is a string; parse checks or
// normalises, nil takes the text as it is.
func stringCodec(parse func(string) (string, error), ordered bool) *Codec {
	c := &Codec{
		Parse: func(s string, _ *Env) (Datum, error) {
			if parse == nil {
				return s, nil
			}
			t, err := parse(s)
			if err != nil {
				return nil, err
			}
			return t, nil
		},
		Format:    func(dst []byte, d Datum, _ *Env) []byte { return append(dst, d.(string)...) },
		Encode:    func(dst []byte, d Datum) ([]byte, error) { return append(dst, d.(string)...), nil },
		AppendKey: func(dst []byte, d Datum) []byte { return appendStringKey(dst, d.(string)) },
		DecodeKey: decodeStringKey,
	}
	c.Decode = func(b []byte) (Datum, error) {
		s, err := checkedText(b)
		if err != nil {
			return nil, err
		}
		return c.Parse(s, defaultEnv)
	}
	if ordered {
		c.Compare = func(a, b Datum) int { return compareStrings(a.(string), b.(string)) }
	}
	return c
}

func decodeStringKey(b []byte) (Datum, []byte, error) {
	v, rest, err := decodeBytesKey(b)
	if err != nil {
		return nil, nil, err
	}
	return string(v), rest, nil
}

func compareStrings(a, b string) int { return strings.Compare(a, b) }

var (
	textCodec   = stringCodec(nil, true)
	nameCodec   = stringCodec(func(s string) (string, error) { return TruncateName(s), nil }, true)
	charCodec   = newCharCodec()
	bpcharCodec = newBpcharCodec()
	xmlCodec    = stringCodec(nil, false)
	jsonCodec   = stringCodec(checkJSON, false)
	inetCodec   = stringCodec(func(s string) (string, error) { return parseInet(s, false) }, true)
	cidrCodec   = stringCodec(func(s string) (string, error) { return parseInet(s, true) }, true)

	jsonpathCodec = newJSONPathCodec()
)

// checkedText takes wire bytes as text: valid UTF-8 without NUL.
func checkedText(b []byte) (string, error) {
	s := string(b)
	if err := CheckText(s); err != nil {
		return "", err
	}
	return s, nil
}

// CheckText refuses text that is not valid UTF-8 or holds a NUL byte (22021).
func CheckText(s string) error {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return nil
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == 0 || (r == utf8.RuneError && n == 1) {
			return badUTF8(s[i:])
		}
		i += n
	}
	return nil
}

func badUTF8(s string) error {
	n := 1
	switch c := s[0]; {
	case c >= 0xf0:
		n = 4
	case c >= 0xe0:
		n = 3
	case c >= 0xc0:
		n = 2
	}
	var hex []byte
	for i := 0; i < n && i < len(s); i++ {
		if i > 0 {
			hex = append(hex, ' ')
		}
		hex = append(hex, '0', 'x', hexDigits[s[i]>>4], hexDigits[s[i]&15])
	}
	return pgerr.Newf(pgerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": %s", hex)
}

// maxNameBytes is PostgreSQL's NAMEDATALEN - 1.
const maxNameBytes = 63

// TruncateName cuts an identifier to 63 bytes without splitting a character.
func TruncateName(s string) string {
	if len(s) <= maxNameBytes {
		return s
	}
	n := maxNameBytes
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func newCharCodec() *Codec {
	c := stringCodec(func(s string) (string, error) {
		if s == "" {
			return "", nil
		}
		return s[:1], nil
	}, true)
	c.Decode = func(b []byte) (Datum, error) {
		if err := exactly(b, 1); err != nil {
			return nil, err
		}
		if b[0] == 0 {
			return "", nil
		}
		return string(b[:1]), nil
	}
	c.Encode = func(dst []byte, d Datum) ([]byte, error) {
		if s := d.(string); s != "" {
			return append(dst, s[0]), nil
		}
		return append(dst, 0), nil
	}
	return c
}

// bpchar keeps its blanks in the datum (the typmod pads them) and ignores
// trailing ones in comparisons.
func newBpcharCodec() *Codec {
	c := stringCodec(nil, true)
	c.Compare = func(a, b Datum) int {
		return compareStrings(strings.TrimRight(a.(string), " "), strings.TrimRight(b.(string), " "))
	}
	c.AppendKey = func(dst []byte, d Datum) []byte {
		return appendStringKey(dst, strings.TrimRight(d.(string), " "))
	}
	return c
}

// jsonpath's binary form has a version byte; its text is PostgreSQL's print of
// the path.
func newJSONPathCodec() *Codec {
	c := stringCodec(func(s string) (string, error) {
		p, err := ParseJSONPath(s)
		if err != nil {
			return "", err
		}
		return p.String(), nil
	}, false)
	c.Decode = func(b []byte) (Datum, error) {
		if len(b) == 0 {
			return nil, shortMessage()
		}
		if b[0] != 1 {
			return nil, pgerr.Newf(pgerr.InternalError, "unsupported jsonpath version number: %d", b[0])
		}
		s, err := checkedText(b[1:])
		if err != nil {
			return nil, err
		}
		return c.Parse(s, defaultEnv)
	}
	c.Encode = func(dst []byte, d Datum) ([]byte, error) { return append(append(dst, 1), d.(string)...), nil }
	return c
}

func parseInet(s string, cidr bool) (string, error) {
	name := "inet"
	if cidr {
		name = "cidr"
	}
	host, bits, masked := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return "", invalidSyntax(name, s)
	}
	n := addr.BitLen()
	if masked {
		if n, err = strconv.Atoi(bits); err != nil || n < 0 || n > addr.BitLen() {
			return "", invalidSyntax(name, s)
		}
	}
	prefix := netip.PrefixFrom(addr, n)
	if cidr && prefix.Masked().Addr() != addr {
		return "", pgerr.Newf(pgerr.InvalidTextRepresentation, "invalid cidr value: \"%s\"", s).
			WithDetail("Value has bits set to right of mask.")
	}
	if !cidr && n == addr.BitLen() {
		return addr.String(), nil
	}
	return prefix.String(), nil
}
