package expr

import "strings"

// A numberPrinter walks a template and a number's text together.
type numberPrinter struct {
	*numberFormat
	out        []byte
	number     string
	at         int // in number
	place      int // of the digit patterns, from 0
	spaces     int // digit patterns before the number's first digit
	last       int // the last digit that FM shows, -1 when all are shown
	negative   bool
	bracketed  bool
	signed     bool // the sign is written, or needs none
	inNumber   bool
	places     int
	lastPlaced signPlace
}

// print shows a number, given without its sign, whose first digit stands
// spaces patterns after the template's first.
func (f *numberFormat) print(number string, sign byte, spaces int) string {
	p := &numberPrinter{numberFormat: f, number: number, spaces: spaces, negative: sign == '-', last: -1, bracketed: f.bracket, lastPlaced: f.sign}
	if f.plus || f.minus {
		p.signed = !f.plus || f.minus
	} else {
		if !p.negative && f.fill {
			p.bracketed = false
			p.signed = f.sign == signNone
		}
		if f.sign == signBefore && f.pre == f.signAt {
			p.lastPlaced = signAfter
		}
	}
	p.places = f.post + f.pre - 1
	if f.fill && f.point {
		p.last = lastRelevant(number)
		if p.last >= 0 && f.zeroEnd > spaces {
			p.last = max(p.last, min(len(number)-1, f.zeroEnd-spaces))
		}
	}
	if !p.signed && spaces == 0 {
		p.places++
	}
	for i := range f.nodes {
		if n := &f.nodes[i]; n.key == "" {
			p.out = append(p.out, n.text...)
		} else {
			p.pattern(n.key)
		}
	}
	return string(p.out)
}

// lastRelevant is the place of the last digit after the point that is not
// zero, or of the point; -1 without a point.
func lastRelevant(number string) int {
	point := strings.IndexByte(number, '.')
	if point < 0 {
		return -1
	}
	last := point
	for i := point + 1; i < len(number); i++ {
		if number[i] != '0' {
			last = i
		}
	}
	return last
}

func (p *numberPrinter) write(c byte) { p.out = append(p.out, c) }

// filler is a blank, which FM leaves out.
func (p *numberPrinter) filler() {
	if !p.fill {
		p.write(' ')
	}
}

func (p *numberPrinter) signByte() byte {
	if p.negative {
		return '-'
	}
	return '+'
}

func (p *numberPrinter) pattern(key string) {
	switch strings.ToUpper(key) {
	case "9", "0", ".", "D":
		p.digit(key)
	case ",", "G":
		if p.inNumber {
			p.write(',')
		} else {
			p.filler()
		}
	case "L":
		p.write(' ')
	case "RN":
		p.romanPattern(key)
	case "TH":
		if !p.roman && p.number[0] != '#' && !p.negative && !p.point {
			p.out = append(p.out, ordinalSuffix(p.number, key)...)
		}
	case "MI":
		if p.negative {
			p.write('-')
		} else {
			p.filler()
		}
	case "PL":
		if !p.negative {
			p.write('+')
		} else {
			p.filler()
		}
	case "SG":
		p.write(p.signByte())
	}
}

func (p *numberPrinter) romanPattern(key string) {
	s := p.number
	if key == "rn" {
		s = strings.ToLower(s)
	}
	if !p.fill {
		s = strings.Repeat(" ", max(15-len(s), 0)) + s
	}
	p.out = append(p.out, s...)
}

// zeroFrom tells whether place is at or behind the template's first 0.
func (p *numberPrinter) zeroFrom(place int) bool { return p.zeroStart > 0 && p.zeroStart-1 <= place }

// hiddenZero tells whether the number's next digit is the 0 of 0.5, which 9.9
// does not show.
func (p *numberPrinter) hiddenZero() bool {
	return p.zeroStart == 0 && p.at == 0 && p.number[0] == '0' && p.post != 0
}

func (p *numberPrinter) relevantIsPoint() bool { return p.last >= 0 && p.number[p.last] == '.' }

// digit is a 9, a 0 or the point.
func (p *numberPrinter) digit(key string) {
	if p.roman {
		return
	}
	p.inNumber = false
	if !p.signed && (p.place >= p.spaces || p.zeroStart > 0 && p.zeroStart-1 == p.place) && (!p.hiddenZero() || p.relevantIsPoint()) {
		p.leadingSign()
	}
	switch {
	case p.place < p.spaces && !p.zeroFrom(p.place):
		p.filler()
	case p.place < p.spaces:
		p.write('0')
		p.inNumber = true
	default:
		p.numberByte(key)
	}
	end := p.places
	if p.spaces > 0 {
		end++
	}
	if p.point {
		end++
	}
	if p.last >= 0 && p.last == p.at {
		end = p.place
	}
	if p.place+1 == end {
		p.trailingSign()
	}
	p.place++
}

func (p *numberPrinter) leadingSign() {
	switch {
	case p.sign != signNone:
		if p.lastPlaced == signBefore {
			p.write(p.signByte())
			p.signed = true
		}
		return
	case p.bracketed:
		if p.negative {
			p.write('<')
		} else {
			p.write(' ')
		}
	case p.negative:
		p.write('-')
	default:
		p.filler()
	}
	p.signed = true
}

func (p *numberPrinter) trailingSign() {
	switch {
	case p.signed && p.bracketed:
		if p.negative {
			p.write('>')
		} else {
			p.write(' ')
		}
	case p.sign != signNone && p.lastPlaced == signAfter:
		p.write(p.signByte())
	}
}

// numberByte shows the number's next byte.
func (p *numberPrinter) numberByte(key string) {
	if p.at >= len(p.number) {
		return
	}
	switch c := p.number[p.at]; {
	case c == '.':
		if p.last < 0 || !p.relevantIsPoint() || p.fill {
			p.write('.')
		}
	case p.last >= 0 && p.at > p.last && key != "0":
	case p.hiddenZero():
		if !p.fill {
			p.write(' ')
		} else if p.relevantIsPoint() {
			p.write('0')
		}
	default:
		p.write(c)
		p.inNumber = true
	}
	p.at++
}
