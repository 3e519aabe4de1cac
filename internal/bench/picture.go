package bench

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Size of the picture and of its plot area, in pixels.
const (
	pictureWidth, pictureHeight           = 720, 440
	plotLeft, plotTop, plotRight, plotLow = 70, 30, 560, 390
)

var pictureColours = []string{"#1668a8", "#c8501e", "#3a8a3a", "#7a4fa0", "#8a7a1e", "#555555"}

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
	x := func(recall float64) float64 {
		return plotLeft + (recall-recallLow)/(1-recallLow+1e-9)*(plotRight-plotLeft)
	}
	y := func(qps float64) float64 { return plotLow - (math.Log10(qps)-bottom)/(top-bottom)*(plotLow-plotTop) }

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", pictureWidth, pictureHeight)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	for e := bottom; e <= top; e++ {
		for _, step := range []float64{1, 2, 5} {
			v := step * math.Pow(10, e)
			if e == top && step > 1 {
				break
			}
			fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%.0f</text>`+"\n",
				plotLeft, plotRight, y(v), y(v), plotLeft-6, y(v)+4, v)
		}
	}
	for r := recallLow; r <= 1.0001; r += 0.05 {
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%.2f</text>`+"\n",
			x(r), x(r), plotTop, plotLow, x(r), plotLow+18, r)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">recall@10</text><text x="%d" y="18">queries per second, one client</text>`+"\n",
		(plotLeft+plotRight)/2, plotLow+38, plotLeft)
	for i, r := range rs {
		colour := pictureColours[i%len(pictureColours)]
		var points []string
		for _, s := range oneClient(r) {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(s.Recall), y(s.PerSecond)))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(s.Recall), y(s.PerSecond), colour)
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), colour)
		fmt.Fprintf(&b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", plotRight+14, plotTop+14+18*i, colour, html.EscapeString(r.System))
	}
	b.WriteString("</svg>\n")
	return b.String()
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
