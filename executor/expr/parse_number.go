package expr

import (
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// parseNumberTemplate is to_number: it takes the digits that the template has
// places for.
func parseNumberTemplate(s, template string) (types.Datum, error) {
	if template == "" {
		return nil, nil
	}
	f, err := parseNumberFormat(template)
	if err != nil {
		return nil, err
	}
	if f.roman {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "\"RN\" not supported for input")
	}
	if f.sci {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "\"EEEE\" not supported for input")
	}
	r := numberReader{numberFormat: f, s: s}
	for i := range f.nodes {
		if r.s == "" {
			break
		}
		r.node(&f.nodes[i])
	}
	return r.result()
}

type numberReader struct {
	*numberFormat
	s         string
	digits    []byte
	pre, post int
	negative  bool
	signSeen  bool
	pointSeen bool
}

func (r *numberReader) node(n *formatNode) {
	switch strings.ToUpper(n.key) {
	case "":
		r.skip()
	case "9", "0", ".", "D":
		r.digit()
	case ",", "G":
		if r.s[0] == ',' {
			r.skip()
		}
	case "L":
		for r.s != "" && !strings.ContainsRune("0123456789+-.,", rune(r.s[0])) {
			r.skip()
		}
	case "S", "MI", "PL", "SG":
		r.takeSign()
	case "TH":
		r.skip()
		if r.s != "" {
			r.skip()
		}
	}
}

func (r *numberReader) skip() {
	_, size := utf8.DecodeRuneInString(r.s)
	r.s = r.s[size:]
}

func (r *numberReader) takeSign() {
	if r.s == "" || r.signSeen {
		return
	}
	switch r.s[0] {
	case '-':
		r.negative = true
	case '<':
		if !r.bracket {
			return
		}
		r.negative = true
	case '+':
	default:
		return
	}
	r.signSeen = true
	r.s = r.s[1:]
}

func (r *numberReader) digit() {
	r.s = strings.TrimLeft(r.s, " ")
	if len(r.digits) == 0 {
		r.takeSign()
	}
	if r.s == "" {
		return
	}
	switch c := r.s[0]; {
	case c >= '0' && c <= '9':
		if r.pointSeen {
			if r.post == r.numberFormat.post {
				return
			}
			r.post++
		} else {
			r.pre++
		}
		r.digits = append(r.digits, c)
		r.s = r.s[1:]
	case c == '.' && r.point && !r.pointSeen:
		r.pointSeen = true
		r.digits = append(r.digits, c)
		r.s = r.s[1:]
	}
	if r.sign == signAfter && r.s != "" && (r.s[0] == '-' || r.s[0] == '+') {
		r.takeSign()
	}
}

func (r *numberReader) result() (types.Datum, error) {
	if r.pre+r.post == 0 {
		return nil, pgerr.Newf(pgerr.InvalidTextRepresentation, "invalid input syntax for type numeric: \"%s\"", " "+string(r.digits))
	}
	text := string(r.digits)
	if r.negative {
		text = "-" + text
	}
	v, err := types.ParseNumeric(text)
	if err != nil {
		return nil, err
	}
	if r.multi && r.shift > 0 {
		ten, err := types.NumericPower(types.NumericFromInt64(10), types.NumericFromInt64(int64(r.shift)))
		if err != nil {
			return nil, err
		}
		return datum(types.NumericDiv(v, ten))
	}
	return types.NumericRound(v, int32(r.numberFormat.post)), nil
}
