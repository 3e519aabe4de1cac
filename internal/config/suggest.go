package config

import (
	"reflect"
	"slices"
)

// keys lists all keys of the file.
func keys(c *Config) []string {
	var out []string
	var walk func(v reflect.Type, prefix string)
	walk = func(t reflect.Type, prefix string) {
		for i := range t.NumField() {
			key := prefix + t.Field(i).Tag.Get("toml")
			if t.Field(i).Type.Kind() == reflect.Struct {
				walk(t.Field(i).Type, key+".")
				continue
			}
			out = append(out, key)
		}
	}
	walk(reflect.TypeOf(*c), "")
	return out
}

// suggest names the known word that is nearest to a misspelt one, "" when none is near.
func suggest(word string, known []string) string {
	slices.Sort(known)
	best, at := "", len(word)/2+1
	for _, k := range known {
		if d := edits(word, k); d < at {
			best, at = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// edits is the number of letters to change, add or remove between two words (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
