package chart

import (
	"fmt"
	"html"
	"strings"
)

// Colours tell series apart, in their order.
var Colours = []string{"#1668a8", "#c8501e", "#3a8a3a", "#7a4fa0", "#8a7a1e", "#555555"}

// Grid is the colour of lines that only guide the eye.
const Grid = "#ddd"

// Point is a place in pixels; y grows downwards.
type Point struct{ X, Y float64 }

// Anchor is where a text stands relative to its point.
type Anchor string

// The anchors.
const (
	Left   Anchor = "start"
	Middle Anchor = "middle"
	Right  Anchor = "end"
)

// Chart is a picture under way.
type Chart struct{ b strings.Builder }

// New begins a white picture.
func New(width, height int) *Chart {
	c := &Chart{}
	c.add(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`, width, height)
	c.add(`<rect width="100%%" height="100%%" fill="white"/>`)
	return c
}

func (c *Chart) add(format string, args ...any) { fmt.Fprintf(&c.b, format+"\n", args...) }

// Line draws a straight line.
func (c *Chart) Line(from, to Point, colour string) {
	c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`, from.X, from.Y, to.X, to.Y, colour)
}

// Text writes a text.
func (c *Chart) Text(at Point, anchor Anchor, colour, text string) {
	c.add(`<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`, at.X, at.Y, anchor, colour, html.EscapeString(text))
}

// Dot draws a small circle.
func (c *Chart) Dot(at Point, colour string) {
	c.add(`<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, at.X, at.Y, colour)
}

// Bar fills a rectangle.
func (c *Chart) Bar(corner, opposite Point, colour string) {
	c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, min(corner.X, opposite.X), min(corner.Y, opposite.Y),
		max(corner.X, opposite.X)-min(corner.X, opposite.X), max(corner.Y, opposite.Y)-min(corner.Y, opposite.Y), colour)
}

// Curve joins points by a thick line.
func (c *Chart) Curve(points []Point, colour string) {
	c.add(`<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`, joined(points), colour)
}

// Area fills what the points surround.
func (c *Chart) Area(points []Point, colour string) {
	c.add(`<polygon points="%s" fill="%s"/>`, joined(points), colour)
}

func joined(points []Point) string {
	var b strings.Builder
	for i, p := range points {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%.1f,%.1f", p.X, p.Y)
	}
	return b.String()
}

// String ends the picture.
func (c *Chart) String() string { return c.b.String() + "</svg>\n" }
