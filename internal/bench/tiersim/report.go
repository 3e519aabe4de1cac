package tiersim

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

const gb = 1e9

// columns of the tables, in text and in Markdown.
var columns = []struct {
	name string
	cell func(Summary) string
}{
	{"policy", func(s Summary) string { return s.Variant }},
	{"hot / warm / cold, % of collections", func(s Summary) string { return percents(s.Share) }},
	{"served by hot / warm / cold, %", func(s Summary) string { return percents(s.Served) }},
	{"cold searches a day", func(s Summary) string { return fmt.Sprintf("%.0f", s.ColdPerDay) }},
	{"to hot, a day", func(s Summary) string { return fmt.Sprintf("%.0f", s.WarmUps) }},
	{"from cold, a day", func(s Summary) string { return fmt.Sprintf("%.0f", s.Restores) }},
	{"demotions a day", func(s Summary) string { return fmt.Sprintf("%.0f", s.Demotions) }},
	{"RAM GB", func(s Summary) string { return fmt.Sprintf("%.1f", float64(s.Usage.RAM)/gb) }},
	{"disk GB", func(s Summary) string { return fmt.Sprintf("%.0f", float64(s.Usage.Disk)/gb) }},
	{"bucket GB", func(s Summary) string { return fmt.Sprintf("%.0f", float64(s.Usage.Object)/gb) }},
	{"$ in 30 days", func(s Summary) string { return fmt.Sprintf("%.0f", s.Dollars) }},
}

func percents(share [3]float64) string {
	return fmt.Sprintf("%.1f / %.1f / %.1f", 100*share[0], 100*share[1], 100*share[2])
}

// WriteText prints the summaries of one profile.
func WriteText(out io.Writer, t *Trace, all []Summary) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "%s: %d collections, %d accesses in %d days; all of it hot would cost $%.0f in 30 days\n", t.Profile.Name, len(t.Rows),
		t.Accesses(), t.days(), all[0].AllHot) // errors come with Flush
	for _, c := range columns {
		_, _ = fmt.Fprintf(w, "%s\t", c.name) // as above
	}
	for _, s := range all {
		_, _ = fmt.Fprintln(w) // as above
		for _, c := range columns {
			_, _ = fmt.Fprintf(w, "%s\t", c.cell(s)) // as above
		}
	}
	_, _ = fmt.Fprintln(w) // as above
	return w.Flush()
}

// WriteDaily prints one outcome day by day.
func WriteDaily(out io.Writer, o *Outcome, p Prices) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(w, "%s, %s\nday\thot\twarm\tcold\tRAM GB\tdisk GB\tbucket GB\tpromoted\tdemoted\t\n", o.Trace.Profile.Name, o.Variant.Name) // errors come with Flush
	perDay := len(o.Samples) / o.Trace.days()
	for day := range o.Trace.days() {
		end := o.Samples[(day+1)*perDay-1]
		up, down := int64(0), int64(0)
		for _, f := range o.Flows[day*perDay : (day+1)*perDay] {
			up += f.Moves[1][0] + f.Moves[2][1]
			down += f.Moves[0][1] + f.Moves[1][2]
		}
		_, _ = fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%.1f\t%.0f\t%.0f\t%d\t%d\t\n", day+1, end.Collections[0], end.Collections[1], end.Collections[2],
			float64(end.Usage.RAM)/gb, float64(end.Usage.Disk)/gb, float64(end.Usage.Object)/gb, up, down) // as above
	}
	return w.Flush()
}

// Markdown is the part of the guide that one profile has.
func Markdown(t *Trace, all []Summary) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", t.Profile.About)
	fmt.Fprintf(&b, "Simulated: %d collections with %d million rows, %.1f million accesses in %d days. Without tiers: $%.0f in 30 days.\n\n",
		len(t.Rows), t.rows()/1e6, float64(t.Accesses())/1e6, t.days(), all[0].AllHot)
	fmt.Fprintf(&b, "![collections by tier over time](benchmarks/tiering-%s.svg)\n\n|", t.Profile.Name)
	for _, c := range columns {
		b.WriteString(" " + c.name + " |")
	}
	b.WriteString("\n|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, s := range all {
		b.WriteString(row(s))
	}
	return b.String()
}

// row is one line of the Markdown table.
func row(s Summary) string {
	line := "|"
	for _, c := range columns {
		line += " " + c.cell(s) + " |"
	}
	return line + "\n"
}

func (t *Trace) days() int { return int(float64(len(t.Steps)) * t.Step.Hours() / 24) }

func (t *Trace) rows() int64 {
	n := int64(0)
	for _, r := range t.Rows {
		n += r
	}
	return n
}
