package types

import (
	"cmp"
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
)

// maxJSONDepth bounds the nesting of arrays and objects, about where
// PostgreSQL's default max_stack_depth ends.
const maxJSONDepth = 12000

// checkJSON refuses text that is not JSON; json keeps its text as written.
func checkJSON(s string) (string, error) {
	p := jsonParser{jsonLexer: newJSONLexer(s, false)}
	if err := p.document(); err != nil {
		return "", err
	}
	return s, nil
}

// ParseJSONB reads JSON text into its normalised form.
func ParseJSONB(s string) (JSONB, error) {
	p := jsonParser{jsonLexer: newJSONLexer(s, true), build: true}
	if err := p.document(); err != nil {
		return "", err
	}
	return JSONB(p.out), nil
}

// jsonParser checks JSON text and, with build, appends its normalised form to
// out as it reads, without a tree in between.
type jsonParser struct {
	jsonLexer
	build bool
	out   []byte
	depth int
}

func (p *jsonParser) document() error {
	if err := p.next(); err != nil {
		return err
	}
	if err := p.value(); err != nil {
		return err
	}
	if p.tok != jsonEnd {
		return p.expected("end of input")
	}
	return nil
}

func (p *jsonParser) put(s string) {
	if p.build {
		p.out = append(p.out, s...)
	}
}

func (p *jsonParser) value() error {
	switch p.tok {
	case '{':
		return p.nested(p.object)
	case '[':
		return p.nested(p.array)
	case jsonString:
		if p.build {
			p.out = AppendJSONString(p.out, p.str)
		}
	case jsonNumber:
		if err := p.number(); err != nil {
			return err
		}
	case jsonTrue, jsonFalse, jsonNull:
		p.put(p.token())
	default:
		return p.expected("JSON value")
	}
	return p.next()
}

// number normalises as numeric does: 1e2 becomes 100, 1.0 stays.
func (p *jsonParser) number() error {
	if !p.build {
		return nil
	}
	text := p.token()
	if len(text) < 400 && text[0] != '-' && !strings.ContainsAny(text, "eE") {
		p.out = append(p.out, text...)
		return nil
	}
	d, err := ParseNumeric(text)
	if err != nil {
		return err
	}
	p.out = appendNumeric(p.out, d)
	return nil
}

func (p *jsonParser) nested(read func() error) error {
	if p.depth++; p.depth > maxJSONDepth {
		return stackTooDeep()
	}
	defer func() { p.depth-- }()
	return read()
}

func stackTooDeep() error {
	return pgerr.New(pgerr.StatementTooComplex, "stack depth limit exceeded").
		WithHint("Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.")
}

func (p *jsonParser) array() error {
	p.put("[")
	if err := p.next(); err != nil {
		return err
	}
	for first := true; ; first = false {
		if first && p.tok == ']' {
			break
		}
		if err := p.value(); err != nil {
			return err
		}
		if p.tok == ']' {
			break
		}
		if p.tok != ',' {
			return p.expected(`"," or "]"`)
		}
		p.put(", ")
		if err := p.next(); err != nil {
			return err
		}
	}
	p.put("]")
	return p.next()
}

// jsonSpan is one member of an object while it is written: its bytes in out
// begin with the key.
type jsonSpan struct {
	key        string
	start, end int
}

func (p *jsonParser) object() error {
	var members []jsonSpan
	p.put("{")
	open := len(p.out)
	if err := p.next(); err != nil {
		return err
	}
	for p.tok != '}' || len(members) > 0 {
		if p.tok != jsonString {
			if len(members) > 0 {
				return p.expected("string")
			}
			return p.expected(`string or "}"`)
		}
		m, err := p.member()
		if err != nil {
			return err
		}
		members = append(members, m)
		if p.tok == '}' {
			break
		}
		if p.tok != ',' {
			return p.expected(`"," or "}"`)
		}
		p.put(", ")
		if err := p.next(); err != nil {
			return err
		}
	}
	if p.build {
		p.out = orderMembers(p.out, open, members)
	}
	p.put("}")
	return p.next()
}

func (p *jsonParser) member() (jsonSpan, error) {
	m := jsonSpan{key: p.str, start: len(p.out)}
	if p.build {
		p.out = append(AppendJSONString(p.out, p.str), ": "...)
	}
	if err := p.next(); err != nil {
		return m, err
	}
	if p.tok != ':' {
		return m, p.expected(`":"`)
	}
	if err := p.next(); err != nil {
		return m, err
	}
	err := p.value()
	m.end = len(p.out)
	return m, err
}

// compareJSONKeys is the order of keys in a jsonb object: by length, then bytes.
func compareJSONKeys(a, b string) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

// orderMembers puts the members written from open on into jsonb's order; of
// equal keys the last one stays.
func orderMembers(out []byte, open int, members []jsonSpan) []byte {
	sorted := true
	for i := 1; i < len(members) && sorted; i++ {
		sorted = compareJSONKeys(members[i-1].key, members[i].key) < 0
	}
	if sorted {
		return out
	}
	slices.SortStableFunc(members, func(a, b jsonSpan) int { return compareJSONKeys(a.key, b.key) })
	written := slices.Clone(out[open:])
	out = out[:open]
	for i, m := range members {
		if i+1 < len(members) && members[i+1].key == m.key {
			continue
		}
		if len(out) > open {
			out = append(out, ", "...)
		}
		out = append(out, written[m.start-open:m.end-open]...)
	}
	return out
}

// AppendJSONString appends s as a JSON string with its quotes.
func AppendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}
