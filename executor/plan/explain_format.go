package plan

import (
	"encoding/json"
	"fmt"
	"strings"
)

// object is an ordered list of fields, for the formats that programs read.
type object []field

// summary is the whole document: the plan and the times around it.
func (e *explainer) summary(root *shape) object {
	out := object{{"Plan", e.object(root)}}
	if e.opts.Summary {
		out = append(out, field{"Planning Time", number(milliseconds(e.x.Planning))})
	}
	if e.opts.Analyze {
		out = append(out, field{"Triggers", []object{}})
		if e.opts.Summary {
			out = append(out, field{"Execution Time", number(milliseconds(e.x.Execution))})
		}
	}
	return out
}

// object is a node with PostgreSQL's key names, in its order.
func (e *explainer) object(s *shape) object {
	out := object{{"Node Type", s.kind}}
	var late []field
	for _, f := range s.traits {
		switch f.key {
		case "Strategy", "Partial Mode", "Operation":
			out = append(out, f)
		default:
			late = append(late, f)
		}
	}
	if s.relation != "" {
		out = append(out, field{"Parent Relationship", s.relation})
	}
	if s.subplan != "" {
		out = append(out, field{"Subplan Name", s.subplan})
	}
	out = append(out, field{"Parallel Aware", false}, field{"Async Capable", false})
	out = append(out, late...)
	out = append(out, e.measures(s)...)
	if len(s.output) > 0 {
		out = append(out, field{"Output", s.output})
	}
	out = append(out, s.props...)
	if len(s.below) == 0 {
		return out
	}
	children := make([]object, len(s.below))
	for i, c := range s.below {
		children[i] = e.object(c)
	}
	return append(out, field{"Plans", children})
}

// measures are the estimates and what happened.
func (e *explainer) measures(s *shape) (out []field) {
	if e.opts.Costs && s.info != nil {
		out = append(out, field{"Startup Cost", number(fmt.Sprintf("%.2f", s.info.Startup))},
			field{"Total Cost", number(fmt.Sprintf("%.2f", s.info.Cost))},
			field{"Plan Rows", number(fmt.Sprintf("%.0f", s.info.Rows))},
			field{"Plan Width", number(fmt.Sprint(s.info.Width))})
	}
	if s.stats == nil || s.bare {
		return out
	}
	if e.opts.Timing {
		out = append(out, field{"Actual Startup Time", number(loopTime(s.stats.Startup, s.stats.Loops))},
			field{"Actual Total Time", number(loopTime(s.stats.Total, s.stats.Loops))})
	}
	return append(out, field{"Actual Rows", number(fmt.Sprintf("%.0f", perLoop(s.stats.Rows, s.stats.Loops)))},
		field{"Actual Loops", number(fmt.Sprint(s.stats.Loops))})
}

// format writes one of the formats.
type format interface {
	document(b *strings.Builder, o object)
}

func document(f format, o object) string {
	var b strings.Builder
	f.document(&b, o)
	return b.String()
}

func indentTo(b *strings.Builder, depth int) { b.WriteString(strings.Repeat("  ", depth)) }

type jsonFormat struct{}

func (f jsonFormat) document(b *strings.Builder, o object) {
	b.WriteString("[\n  ")
	f.object(b, o, 1)
	b.WriteString("\n]")
}

func (f jsonFormat) object(b *strings.Builder, o object, depth int) {
	b.WriteString("{")
	for i, x := range o {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n")
		indentTo(b, depth+1)
		b.WriteString(jsonString(x.key) + ": ")
		f.value(b, x.value, depth+1)
	}
	b.WriteString("\n")
	indentTo(b, depth)
	b.WriteString("}")
}

func (f jsonFormat) value(b *strings.Builder, v any, depth int) {
	switch v := v.(type) {
	case object:
		f.object(b, v, depth)
	case []object:
		b.WriteString("[")
		for i, o := range v {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString("\n")
			indentTo(b, depth+1)
			f.object(b, o, depth+1)
		}
		b.WriteString("\n")
		indentTo(b, depth)
		b.WriteString("]")
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = jsonString(s)
		}
		b.WriteString("[" + strings.Join(quoted, ", ") + "]")
	case string:
		b.WriteString(jsonString(v))
	default:
		fmt.Fprint(b, v)
	}
}

// jsonString quotes as PostgreSQL does, which leaves <, > and & as they are.
func jsonString(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string can always be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

type yamlFormat struct{}

func (f yamlFormat) document(b *strings.Builder, o object) {
	b.WriteString("- ")
	f.object(b, o, 1)
}

// object writes fields one below the other; the first goes on in the line.
func (f yamlFormat) object(b *strings.Builder, o object, depth int) {
	for i, x := range o {
		if i > 0 {
			b.WriteString("\n")
			indentTo(b, depth)
		}
		b.WriteString(x.key + ": ")
		switch v := x.value.(type) {
		case object:
			b.WriteString("\n")
			indentTo(b, depth+1)
			f.object(b, v, depth+1)
		case []object:
			for _, c := range v {
				b.WriteString("\n")
				indentTo(b, depth+1)
				b.WriteString("- ")
				f.object(b, c, depth+2)
			}
		case []string:
			for _, s := range v {
				b.WriteString("\n")
				indentTo(b, depth+1)
				b.WriteString("- " + jsonString(s))
			}
		case string:
			b.WriteString(jsonString(v))
		default:
			fmt.Fprint(b, v)
		}
	}
}

type xmlFormat struct{}

func (f xmlFormat) document(b *strings.Builder, o object) {
	b.WriteString("<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Query>\n")
	f.object(b, o, 2)
	b.WriteString("  </Query>\n</explain>")
}

func (f xmlFormat) object(b *strings.Builder, o object, depth int) {
	for _, x := range o {
		tag := strings.ReplaceAll(x.key, " ", "-")
		indentTo(b, depth)
		switch v := x.value.(type) {
		case object:
			b.WriteString("<" + tag + ">\n")
			f.object(b, v, depth+1)
			indentTo(b, depth)
			b.WriteString("</" + tag + ">\n")
		case []object:
			f.list(b, tag, v, depth)
		case []string:
			b.WriteString("<" + tag + ">\n")
			for _, s := range v {
				indentTo(b, depth+1)
				b.WriteString("<Item>" + xmlText(s) + "</Item>\n")
			}
			indentTo(b, depth)
			b.WriteString("</" + tag + ">\n")
		default:
			b.WriteString("<" + tag + ">" + xmlText(fmt.Sprint(v)) + "</" + tag + ">\n")
		}
	}
}

// list writes the nodes below a node, each in a Plan element.
func (f xmlFormat) list(b *strings.Builder, tag string, list []object, depth int) {
	b.WriteString("<" + tag + ">\n")
	for _, o := range list {
		indentTo(b, depth+1)
		b.WriteString("<Plan>\n")
		f.object(b, o, depth+2)
		indentTo(b, depth+1)
		b.WriteString("</Plan>\n")
	}
	indentTo(b, depth)
	b.WriteString("</" + tag + ">\n")
}

// xmlText escapes what PostgreSQL escapes.
func xmlText(s string) string { return xmlEscapes.Replace(s) }

var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#x0d;")
