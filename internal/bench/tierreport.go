package bench

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/akidb/akidb/internal/bench/chart"
)

// tierReport is what tiers.json holds.
type tierReport struct {
	Machine Machine      `json:"machine"`
	Set     string       `json:"set"`
	Figures []TierFigure `json:"figures"`
}

// WriteTierReport writes tiers.json, tiers.svg and tiers.md.
func WriteTierReport(dir, set string, figures []TierFigure) error {
	r := tierReport{ThisMachine(), set, figures}
	if err := writeJSON(filepath.Join(dir, "tiers.json"), r); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "tiers.svg"), []byte(tierPicture(figures)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "tiers.md"), []byte(r.markdown()), 0o644)
}

func (r *tierReport) markdown() string {
	var b strings.Builder
	b.WriteString("# Tiers and snapshots\n\nMade by `make bench`: a server, a MinIO on the same machine, SQL over the wire with one client. A move is the statement\n" +
		"`ALTER COLLECTION … SET TIER … WAIT`; of several the median counts. A limit may never be missed, a goal is what we are out for.\n")
	fmt.Fprintf(&b, "\nMachine: %s. Data: %s.\n\n![measured beside limit and goal](tiers.svg)\n\n", r.Machine, r.Set)
	b.WriteString("| benchmark | measured | limit | goal | |\n|---|---|---|---|---|\n")
	for i := range r.Figures {
		f := &r.Figures[i]
		sign := "<"
		if f.Unit == "x" {
			sign = ">"
		}
		fmt.Fprintf(&b, "| %s | %s | %s %g %s | %s %g %s | %s |\n", f.Name, f.value(), sign, f.Limit, f.Unit, sign, f.Goal, f.Unit, f.verdict())
	}
	b.WriteString("\n")
	for _, f := range r.Figures {
		if f.Note != "" {
			fmt.Fprintf(&b, "- %s: %s.\n", f.Name, f.Note)
		}
	}
	return b.String()
}

func (f *TierFigure) value() string {
	if f.Failed != "" || f.Measured == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3g %s", f.Measured, f.Unit)
}

func (f *TierFigure) verdict() string {
	limit, goal := f.met()
	switch {
	case f.Failed != "":
		return "not measured: " + strings.ReplaceAll(f.Failed, "|", "/")
	case f.Measured == 0:
		return "not measured"
	case goal:
		return "goal met"
	case limit:
		return "limit kept"
	}
	return "LIMIT MISSED"
}

// tierPicture draws each figure as a bar, logarithmic, in percent of its limit; a mark
// stands where the goal is. Of a figure where more is better the inverse is drawn.
func tierPicture(figures []TierFigure) string {
	const left, right, top, rowHeight, lowest = 230, 640, 40, 26, -3 // 0.001 to 1 of the limit
	low := float64(top + rowHeight*len(figures))
	c := chart.New(720, int(low)+50)
	x := func(share float64) float64 {
		return left + (min(max(math.Log10(share), lowest), 0.3)-lowest)/(0.3-lowest)*(right-left)
	}
	for e := lowest; e <= 0; e++ {
		at := x(math.Pow(10, float64(e)))
		c.Line(chart.Point{X: at, Y: top}, chart.Point{X: at, Y: low}, chart.Grid)
		c.Text(chart.Point{X: at, Y: low + 16}, chart.Middle, "black", fmt.Sprintf("%g %%", 100*math.Pow(10, float64(e))))
	}
	c.Text(chart.Point{X: left, Y: 20}, chart.Left, "black", "measured, in percent of the limit (less is better); a black line is the goal")
	c.Line(chart.Point{X: x(1), Y: top}, chart.Point{X: x(1), Y: low}, "#c00000")
	for i := range figures {
		f, y := &figures[i], float64(top+rowHeight*i)
		goal, share := f.Goal/f.Limit, f.Measured/f.Limit
		if f.Unit == "x" {
			goal, share = 1/goal, 1/share
		}
		c.Text(chart.Point{X: left - 8, Y: y + 17}, chart.Right, "black", f.Name)
		if limit, good := f.met(); f.Measured > 0 {
			colour := "#c00000"
			if good {
				colour = "#3a8a3a"
			} else if limit {
				colour = "#e8b64c"
			}
			c.Bar(chart.Point{X: left, Y: y + 5}, chart.Point{X: x(share), Y: y + rowHeight - 5}, colour)
			c.Text(chart.Point{X: max(x(share), x(goal)) + 6, Y: y + 17}, chart.Left, "black", f.value())
		}
		c.Line(chart.Point{X: x(goal), Y: y + 2}, chart.Point{X: x(goal), Y: y + rowHeight - 2}, "black")
	}
	return c.String()
}
