package dataset

import (
	"bytes"
	"compress/gzip"
	"slices"
	"testing"
)

func TestTheSampleIsWhole(t *testing.T) {
	set := Sample()
	if set.Rows() != SampleRows || set.Dim != 100 || len(set.Words) != SampleRows || len(set.Queries) != sampleQueries || len(set.Truth) != sampleQueries {
		t.Fatalf("%d rows x %d, %d words, %d queries", set.Rows(), set.Dim, len(set.Words), len(set.Queries))
	}
	seen := map[string]bool{}
	for i, word := range set.Words {
		if word == "" || seen[word] {
			t.Fatalf("word %d is %q", i, word)
		}
		seen[word] = true
		if squaredNorm(set.Base(i)) == 0 {
			t.Fatalf("%q has a zero vector", word)
		}
	}
	if len(sampleFile) > 700<<10 {
		t.Errorf("the embedded sample has %d bytes", len(sampleFile))
	}
}

func TestTheSampleKnowsWhichWordsAreNear(t *testing.T) {
	set := Sample()
	for word, near := range map[string]string{"france": "french", "king": "queen", "monday": "tuesday", "river": "lake"} {
		row := slices.Index(set.Words, word)
		if row < 0 {
			t.Errorf("%q is not in the sample", word)
			continue
		}
		var words []string
		for _, r := range Exact(set, [][]float32{set.Base(row)}, nil, 11)[0] {
			words = append(words, set.Words[r])
		}
		if words[0] != word || !slices.Contains(words, near) {
			t.Errorf("near %q are %v, without %q", word, words, near)
		}
	}
}

func TestASampleDecodesToWhatWasEncoded(t *testing.T) {
	words := &wordVectors{words: []string{"a", "b", "c"}, dim: 2, values: []float32{127, -127, 0.5, 0.25, 0, 0}}
	packed, err := encodeSample(words, 1)
	if err != nil {
		t.Fatal(err)
	}
	set, err := decodeSample(packed)
	if err != nil {
		t.Fatal(err)
	}
	if set.Rows() != 2 || !slices.Equal(set.Base(0), []float32{127, -127}) || !slices.Equal(set.Queries[0], []float32{0, 0}) ||
		!slices.Equal(set.Words, []string{"a", "b"}) {
		t.Errorf("decoded %+v", set)
	}
}

// FuzzDecodeSample: any bytes give a set or an error.
func FuzzDecodeSample(f *testing.F) {
	words := &wordVectors{words: []string{"a", "b"}, dim: 2, values: []float32{1, 2, 3, 4}}
	packed, err := encodeSample(words, 1)
	if err != nil {
		f.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		f.Fatal(err)
	}
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(unzipped); err != nil {
		f.Fatal(err)
	}
	f.Add(raw.Bytes())
	f.Add([]byte(sampleMagic))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write(raw); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if set, err := decodeSample(packed.Bytes()); err == nil && (set.Rows() != len(set.Words) || set.Dim < 1) {
			t.Fatalf("accepted a set of %d rows, %d words, dim %d", set.Rows(), len(set.Words), set.Dim)
		}
	})
}
