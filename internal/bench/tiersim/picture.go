package tiersim

import (
	"fmt"

	"github.com/akidb/akidb/internal/bench/chart"
)

// Size of the picture and of its plot area, in pixels.
const (
	pictureWidth, pictureHeight           = 720, 320
	plotLeft, plotTop, plotRight, plotLow = 60, 30, 640, 280
)

// tierNames and tierColours are by tier.
var (
	tierNames   = [3]string{"hot", "warm", "cold"}
	tierColours = [3]string{"#d9694a", "#e8b64c", "#5b8db8"}
)

// pointsPerDay is how fine the picture is.
const pointsPerDay = 8

// Picture draws the shares of the collections by tier over time: hot below, cold above.
func Picture(o *Outcome) string {
	c := chart.New(pictureWidth, pictureHeight)
	days, stride := o.Trace.days(), len(o.Samples)/o.Trace.days()/pointsPerDay
	at := func(sample int, share float64) chart.Point {
		return chart.Point{X: plotLeft + float64(sample)/float64(len(o.Samples)-1)*(plotRight-plotLeft), Y: plotLow - share*(plotLow-plotTop)}
	}
	below := make([]float64, len(o.Samples))
	for tier := range 3 {
		var upper, lower []chart.Point
		for i := 0; i < len(o.Samples); i += stride {
			share := float64(o.Samples[i].Collections[tier]) / float64(len(o.Trace.Rows))
			lower = append([]chart.Point{at(i, below[i])}, lower...)
			below[i] += share
			upper = append(upper, at(i, below[i]))
		}
		c.Area(append(upper, lower...), tierColours[tier])
		c.Text(chart.Point{X: plotRight + 14, Y: float64(plotLow - 20 - 18*tier)}, chart.Left, tierColours[tier], tierNames[tier])
	}
	for percent := 0; percent <= 100; percent += 20 {
		y := at(0, float64(percent)/100).Y
		c.Line(chart.Point{X: plotLeft - 4, Y: y}, chart.Point{X: plotLeft, Y: y}, "black")
		c.Text(chart.Point{X: plotLeft - 8, Y: y + 4}, chart.Right, "black", fmt.Sprintf("%d %%", percent))
	}
	for day := 0; day <= days; day += max(1, days/7) {
		x := plotLeft + float64(day)/float64(days)*(plotRight-plotLeft)
		c.Line(chart.Point{X: x, Y: plotLow}, chart.Point{X: x, Y: plotLow + 4}, "black")
		c.Text(chart.Point{X: x, Y: plotLow + 18}, chart.Middle, "black", fmt.Sprint(day))
	}
	c.Text(chart.Point{X: plotLeft, Y: 18}, chart.Left, "black", fmt.Sprintf("%s, policy %s: %d collections by tier, over days", o.Trace.Profile.Title, o.Variant.Name, len(o.Trace.Rows)))
	return c.String()
}
