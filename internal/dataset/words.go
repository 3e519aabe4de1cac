package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// wordVectors are words, most frequent first, with their vectors laid end to end.
type wordVectors struct {
	words  []string
	dim    int
	values []float32
}

func (w *wordVectors) row(i int) []float32 { return w.values[i*w.dim : (i+1)*w.dim] }

// parseWordVectors reads the JSON of a winkNLP word-embedding package: {"dimensions": d, "words": [...by frequency],
// "vectors": {word: [d values, norm, index]}, ...}. Words without a vector, or with a zero one, are left out: a
// cosine distance to them has no meaning.
func parseWordVectors(r io.Reader) (*wordVectors, error) {
	dec := json.NewDecoder(r)
	if err := expectDelim(dec, '{'); err != nil {
		return nil, err
	}
	var words []string
	dim, index := 0, map[string][]float32{}
	for dec.More() {
		name, err := stringToken(dec)
		if err != nil {
			return nil, err
		}
		switch name {
		case "dimensions":
			err = dec.Decode(&dim)
		case "words":
			err = dec.Decode(&words)
		case "vectors":
			err = decodeVectors(dec, dim, index)
		default:
			var skipped json.RawMessage
			err = dec.Decode(&skipped)
		}
		if err != nil {
			return nil, fmt.Errorf("word vectors, %q: %w", name, err)
		}
	}
	return inOrder(words, dim, index)
}

func decodeVectors(dec *json.Decoder, dim int, index map[string][]float32) error {
	if dim <= 0 {
		return errors.New("the dimensions must stand before the vectors")
	}
	if err := expectDelim(dec, '{'); err != nil {
		return err
	}
	for dec.More() {
		word, err := stringToken(dec)
		if err != nil {
			return err
		}
		values := make([]float32, 0, dim+2)
		if err := dec.Decode(&values); err != nil {
			return fmt.Errorf("%q: %w", word, err)
		}
		if len(values) < dim {
			return fmt.Errorf("%q has %d values, expected %d", word, len(values), dim)
		}
		index[word] = values[:dim]
	}
	return expectDelim(dec, '}')
}

func inOrder(words []string, dim int, index map[string][]float32) (*wordVectors, error) {
	w := &wordVectors{dim: dim, values: make([]float32, 0, len(words)*dim)}
	for _, word := range words {
		vector, ok := index[word]
		if !ok || squaredNorm(vector) == 0 {
			continue
		}
		delete(index, word) // a word listed twice counts once
		w.words = append(w.words, word)
		w.values = append(w.values, vector...)
	}
	if len(w.words) == 0 {
		return nil, errors.New("no word vectors found")
	}
	return w, nil
}

func stringToken(dec *json.Decoder) (string, error) {
	token, err := dec.Token()
	if err != nil {
		return "", err
	}
	text, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("expected a name, found %v", token)
	}
	return text, nil
}

func expectDelim(dec *json.Decoder, want json.Delim) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("expected %v, found %v", want, token)
	}
	return nil
}
