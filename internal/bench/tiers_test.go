package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestATierReportSaysWhatWasMissedAndWhatWasNotMeasured(t *testing.T) {
	figures := []TierFigure{
		{Name: "fast", Unit: "s", Limit: 2, Goal: 0.2}, {Name: "slower", Unit: "ms", Limit: 5, Goal: 1}, {Name: "too slow", Unit: "s", Limit: 3, Goal: 1},
		{Name: "small", Unit: "x", Limit: 2, Goal: 3}, {Name: "broken", Unit: "s", Limit: 3, Goal: 1, Failed: "no | tier"},
	}
	for i, all := range [][]float64{{0.3, 0.1, 0.1}, {3}, {4}, {5.5}} {
		figures[i].take(all)
	}
	dir := t.TempDir()
	if err := WriteTierReport(dir, "words", figures); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "tiers.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| fast | 0.1 s | < 2 s | < 0.2 s | goal met |", "| slower | 3 ms | < 5 ms | < 1 ms | limit kept |", "| too slow | 4 s | < 3 s | < 1 s | LIMIT MISSED |",
		"| small | 5.5 x | > 2 x | > 3 x | goal met |", "| broken | - | < 3 s | < 1 s | not measured: no / tier |",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
	svg, err := os.ReadFile(filepath.Join(dir, "tiers.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAColdReportReplacesWhatWasMeasuredAgain(t *testing.T) {
	dir := t.TempDir()
	for _, results := range [][]ColdResult{
		{{System: "Other", Settings: "ivf, 10 cells", Set: "words", Recall: 0.96}, {System: "AkiDB", Settings: "cold", Set: "words", Recall: 0.97}},
		{{System: "AkiDB", Settings: "cold", Set: "words", Recall: 0.98}, {System: "AkiDB", Settings: "cold", Set: "words", LatencyMs: 20, Recall: 0.99}},
	} {
		if err := WriteColdReport(dir, results); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "cold.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| Other (ivf, 10 cells) | 0.960 |", "| AkiDB (cold) | 0.980 |", "## words, 20 ms added to each request", "| AkiDB (cold) | 0.990 |"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
	if strings.Contains(string(page), "0.970") {
		t.Error("the old result is still there")
	}
}
