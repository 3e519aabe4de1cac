package bench

import (
	"fmt"
	"math"

	"github.com/akidb/akidb/internal/bench/chart"
)

// Size of the picture and of its plot area, in pixels.
const (
	pictureWidth, pictureHeight           = 720, 440
	plotLeft, plotTop, plotRight, plotLow = 70, 30, 560, 390
)

// picture draws recall (across) against queries per second (up, logarithmic) of
// one client, a line a system, as SVG.
func picture(rs []*Result) string {
	low, high, recallLow := math.Inf(1), 0.0, 1.0
	for _, r := range rs {
		for _, s := range oneClient(r) {
			low, high = min(low, s.PerSecond), max(high, s.PerSecond)
			recallLow = min(recallLow, s.Recall)
		}
	}
	if high == 0 {
		low, high = 1, 10
	}
	bottom, top := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	recallLow = math.Floor(recallLow*20) / 20
	at := func(recall, qps float64) chart.Point {
		return chart.Point{
			X: plotLeft + (recall-recallLow)/(1-recallLow+1e-9)*(plotRight-plotLeft),
			Y: plotLow - (math.Log10(qps)-bottom)/(top-bottom)*(plotLow-plotTop),
		}
	}
	c := chart.New(pictureWidth, pictureHeight)
	for e := bottom; e <= top; e++ {
		for _, step := range []float64{1, 2, 5} {
			v := step * math.Pow(10, e)
			if e == top && step > 1 {
				break
			}
			y := at(0, v).Y
			c.Line(chart.Point{X: plotLeft, Y: y}, chart.Point{X: plotRight, Y: y}, chart.Grid)
			c.Text(chart.Point{X: plotLeft - 6, Y: y + 4}, chart.Right, "black", fmt.Sprintf("%.0f", v))
		}
	}
	for r := recallLow; r <= 1.0001; r += 0.05 {
		x := at(r, 1).X
		c.Line(chart.Point{X: x, Y: plotTop}, chart.Point{X: x, Y: plotLow}, chart.Grid)
		c.Text(chart.Point{X: x, Y: plotLow + 18}, chart.Middle, "black", fmt.Sprintf("%.2f", r))
	}
	c.Text(chart.Point{X: (plotLeft + plotRight) / 2, Y: plotLow + 38}, chart.Middle, "black", "recall@10")
	c.Text(chart.Point{X: plotLeft, Y: 18}, chart.Left, "black", "queries per second, one client")
	for i, r := range rs {
		colour := chart.Colours[i%len(chart.Colours)]
		var points []chart.Point
		for _, s := range oneClient(r) {
			points = append(points, at(s.Recall, s.PerSecond))
			c.Dot(points[len(points)-1], colour)
		}
		c.Curve(points, colour)
		c.Text(chart.Point{X: plotRight + 14, Y: float64(plotTop + 14 + 18*i)}, chart.Left, colour, r.System)
	}
	return c.String()
}

func oneClient(r *Result) []Search {
	var out []Search
	for _, s := range r.Searches {
		if s.Clients == 1 && s.PerSecond > 0 {
			out = append(out, s)
		}
	}
	return out
}
