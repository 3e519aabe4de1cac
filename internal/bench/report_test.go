package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPercentilesAreOfTheNearestRank(t *testing.T) {
	var durations []time.Duration
	for i := 100; i > 0; i-- {
		durations = append(durations, time.Duration(i)*time.Millisecond)
	}
	l := summarise(durations, 10*time.Second)
	if l.PerSecond != 10 || l.P50 != 50 || l.P95 != 95 || l.P99 != 99 {
		t.Errorf("%+v", l)
	}
	if one := summarise([]time.Duration{time.Millisecond}, time.Second); one.P50 != 1 || one.P99 != 1 {
		t.Errorf("of one call: %+v", one)
	}
	if none := summarise(nil, time.Second); none != (Latency{}) {
		t.Errorf("of no calls: %+v", none)
	}
}

func TestRecallCountsTheExactAnswersThatWereFound(t *testing.T) {
	for _, tc := range []struct {
		found []int64
		exact []int32
		k     int
		want  float64
	}{
		{[]int64{1, 2, 3}, []int32{3, 2, 9, 8}, 3, 2.0 / 3},
		{[]int64{1}, []int32{1}, 10, 1},
		{nil, nil, 10, 1},
		{nil, []int32{1}, 10, 0},
	} {
		if got := recall(tc.found, tc.exact, tc.k); got != tc.want {
			t.Errorf("%v in %v at %d: %v, want %v", tc.found, tc.exact, tc.k, got, tc.want)
		}
	}
}

func TestAReportHasItsNumbersAndAWellFormedPicture(t *testing.T) {
	dir := t.TempDir()
	result := func(system string, qps float64) *Result {
		return &Result{System: system, Set: "words", Metric: "cosine", Dim: 3, Rows: 10, LoadRowsPerSecond: 12345, BuildSeconds: 1.5,
			Searches: []Search{{Clients: 1, Ef: 10, Recall: 0.8, Latency: Latency{PerSecond: qps}}, {Clients: 1, Ef: 40, Recall: 0.95, Latency: Latency{PerSecond: qps / 2}}}}
	}
	if err := WriteReport(dir, []*Result{result("AkiDB", 6000), result("Other <&>", 500)}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "search.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## words (10 x 3, cosine)", "| AkiDB | 12345 |", "| AkiDB | 1 | 40 | 0.9500 | 3000 |", "words.svg"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
	svg, err := os.Open(filepath.Join(dir, "words.svg"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = svg.Close() }() // only read
	for d := xml.NewDecoder(svg); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the picture is not XML: %v", err)
		}
	}
	again, err := ReadResult(filepath.Join(dir, "words-akidb.json"))
	if err != nil || again.Searches[1].Recall != 0.95 || again.LoadRowsPerSecond != 12345 {
		t.Errorf("read back: %+v, %v", again, err)
	}
}

func TestACopyStreamIsTheSameHoweverItIsRead(t *testing.T) {
	encode := func(buf []byte, i int) []byte { return appendInt4Field(appendInt8Field(buf, int64(i)), int32(-i)) }
	whole, err := io.ReadAll(newCopyStream(2, 10_000, encode))
	if err != nil {
		t.Fatal(err)
	}
	if len(whole) != len(copySignature)+10_000*(2+12+8)+2 {
		t.Errorf("%d bytes", len(whole))
	}
	var parts []byte
	stream, small := newCopyStream(2, 10_000, encode), make([]byte, 7)
	for {
		n, err := stream.Read(small)
		parts = append(parts, small[:n]...)
		if errors.Is(err, io.EOF) {
			break
		}
	}
	if string(parts) != string(whole) {
		t.Error("read in small parts it differs")
	}
}
