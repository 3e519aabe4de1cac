package plan

import (
	"fmt"
	"strings"
	"time"
)

// text is the text format: one line a row.
func (e *explainer) text(root *shape) []string {
	t := textWriter{e: e}
	t.shape(root, 0)
	if e.opts.Summary {
		t.line(0, "Planning Time: "+milliseconds(e.x.Planning)+" ms")
		if e.opts.Analyze {
			t.line(0, "Execution Time: "+milliseconds(e.x.Execution)+" ms")
		}
	}
	return t.lines
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.3f", float64(d)/float64(time.Millisecond))
}

type textWriter struct {
	e     *explainer
	lines []string
}

func (t *textWriter) line(indent int, text string) {
	t.lines = append(t.lines, strings.Repeat("  ", indent)+text)
}

// shape prints a node at an indent of so many double blanks, as explain.c does.
func (t *textWriter) shape(s *shape, indent int) {
	if s.subplan != "" {
		t.line(indent, s.subplan)
		indent++
	}
	arrow := ""
	if indent > 0 {
		arrow = "->  "
	}
	t.line(indent, arrow+s.label+t.numbers(s))
	if indent > 0 {
		indent += 2
	}
	indent++
	if len(s.output) > 0 {
		t.line(indent, "Output: "+strings.Join(s.output, ", "))
	}
	for _, f := range s.props {
		t.line(indent, f.key+": "+valueText(f.value))
	}
	for _, c := range s.below {
		t.shape(c, indent)
	}
}

func valueText(v any) string {
	switch v := v.(type) {
	case []string:
		return strings.Join(v, ", ")
	case number:
		return string(v)
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// numbers are the parentheses after a node's label.
func (t *textWriter) numbers(s *shape) string {
	var b strings.Builder
	if t.e.opts.Costs && s.info != nil {
		fmt.Fprintf(&b, "  (cost=%.2f..%.2f rows=%.0f width=%d)", s.info.Startup, s.info.Cost, s.info.Rows, s.info.Width)
	}
	if s.stats == nil || s.bare {
		return b.String()
	}
	if s.stats.Loops == 0 {
		return b.String() + " (never executed)"
	}
	rows, loops := perLoop(s.stats.Rows, s.stats.Loops), s.stats.Loops
	if t.e.opts.Timing {
		fmt.Fprintf(&b, " (actual time=%s..%s rows=%.0f loops=%d)", loopTime(s.stats.Startup, loops), loopTime(s.stats.Total, loops), rows, loops)
	} else {
		fmt.Fprintf(&b, " (actual rows=%.0f loops=%d)", rows, loops)
	}
	return b.String()
}

func loopTime(total time.Duration, loops int64) string {
	return milliseconds(total / time.Duration(max(loops, 1)))
}
