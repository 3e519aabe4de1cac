package expr

import (
	"strings"
	"unicode/utf8"
)

// A formatNode is a piece of a template of to_char and its likes: a pattern, or
// text that stands for itself.
type formatNode struct {
	key     string // the pattern in its written case; "" for text
	text    string // one character of text
	quoted  bool   // the text stood in quotes
	fill    bool   // FM
	name    bool   // TM
	ordinal string // TH or th
}

// A formatLanguage is the patterns of a kind of template, longest first at each letter.
type formatLanguage struct {
	keys     []string
	prefixes bool // FM and TM belong to one pattern, TH follows it
}

var dateLanguage = &formatLanguage{prefixes: true, keys: strings.Fields(
	"A.D. A.M. AD AM B.C. BC CC DAY DDD DD DY Day Dy D FF1 FF2 FF3 FF4 FF5 FF6 FX HH24 HH12 HH IDDD ID IW IYYY IYY IY I " +
		"J MI MM MONTH MON MS Month Mon OF P.M. PM Q RM SSSSS SSSS SS TZH TZM TZ US WW W Y,YYY YYYY YYY YY Y " +
		"a.d. a.m. ad am b.c. bc cc day ddd dd dy d ff1 ff2 ff3 ff4 ff5 ff6 fx hh24 hh12 hh iddd id iw iyyy iyy iy i " +
		"j mi mm month mon ms of p.m. pm q rm sssss ssss ss tzh tzm tz us ww w y,yyy yyyy yyy yy y")}

var numberLanguage = &formatLanguage{keys: strings.Fields(
	", . 0 9 B C D EEEE FM G L MI PL PR RN SG SP S TH V b c d eeee fm g l mi pl pr rn sg sp s th v")}

// parse cuts a template into nodes.
func (l *formatLanguage) parse(s string) []formatNode {
	var out []formatNode
	for s != "" {
		var n formatNode
		if l.prefixes {
			s = n.takePrefixes(s)
		}
		if key := l.match(s); key != "" {
			n.key = key
			s = s[len(key):]
			if l.prefixes {
				s = n.takeSuffix(s)
			}
			out = append(out, n)
			continue
		}
		if s == "" {
			break
		}
		if s[0] == '"' {
			var quoted []formatNode
			quoted, s = quotedText(s[1:])
			out = append(out, quoted...)
			continue
		}
		if s[0] == '\\' && len(s) > 1 && s[1] == '"' {
			s = s[1:]
		}
		_, size := utf8.DecodeRuneInString(s)
		out = append(out, formatNode{text: s[:size]})
		s = s[size:]
	}
	return out
}

func (l *formatLanguage) match(s string) string {
	for _, k := range l.keys {
		if strings.HasPrefix(s, k) {
			return k
		}
	}
	return ""
}

func (n *formatNode) takePrefixes(s string) string {
	for len(s) >= 2 {
		switch s[:2] {
		case "FM", "fm":
			n.fill = true
		case "TM", "tm":
			n.name = true
		default:
			return s
		}
		s = s[2:]
	}
	return s
}

func (n *formatNode) takeSuffix(s string) string {
	for len(s) >= 2 {
		switch s[:2] {
		case "TH", "th":
			n.ordinal = s[:2]
		case "SP":
		default:
			return s
		}
		s = s[2:]
	}
	return s
}

// quotedText reads up to the closing quote; a backslash escapes.
func quotedText(s string) (nodes []formatNode, rest string) {
	for s != "" {
		if s[0] == '"' {
			return nodes, s[1:]
		}
		if s[0] == '\\' && len(s) > 1 {
			s = s[1:]
		}
		_, size := utf8.DecodeRuneInString(s)
		nodes = append(nodes, formatNode{text: s[:size], quoted: true})
		s = s[size:]
	}
	return nodes, ""
}

// ordinalSuffix is st, nd, rd or th for a number in decimal.
func ordinalSuffix(number, style string) string {
	if number == "" {
		return ""
	}
	suffix := "th"
	last := number[len(number)-1]
	if len(number) < 2 || number[len(number)-2] != '1' {
		switch last {
		case '1':
			suffix = "st"
		case '2':
			suffix = "nd"
		case '3':
			suffix = "rd"
		}
	}
	if style == "TH" {
		return strings.ToUpper(suffix)
	}
	return suffix
}
