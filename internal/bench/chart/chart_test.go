package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestAPictureIsWellFormedWhateverItsTextsAre(t *testing.T) {
	c := New(100, 50)
	c.Line(Point{1, 2}, Point{3, 4}, Grid)
	c.Text(Point{5, 6}, Middle, "black", `<&"> ü`)
	c.Dot(Point{7, 8}, Colours[0])
	c.Bar(Point{9, 20}, Point{19, 10}, Colours[1])
	c.Curve([]Point{{1, 1}, {2, 2}}, Colours[2])
	c.Area([]Point{{1, 1}, {2, 2}, {3, 1}}, Colours[3])
	text := c.String()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
	for _, want := range []string{"&lt;&amp;", `x="9.0" y="10.0" width="10.0" height="10.0"`, `points="1.0,1.0 2.0,2.0"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
