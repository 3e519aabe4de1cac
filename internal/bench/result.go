package bench

import (
	"encoding/json"
	"fmt"
	"os"
)

// Result is what one system did with one set.
type Result struct {
	System  string  `json:"system"`
	Version string  `json:"version"`
	Machine Machine `json:"machine"`
	Set     string  `json:"set"`
	Metric  string  `json:"metric"`
	Dim     int     `json:"dim"`
	Rows    int     `json:"rows"`
	Queries int     `json:"queries"`

	// LoadRowsPerSecond is COPY into a table without an index, LoadKeyRowsPerSecond into one with a primary key.
	LoadRowsPerSecond    float64 `json:"load_rows_per_second"`
	LoadKeyRowsPerSecond float64 `json:"load_key_rows_per_second"`
	BuildSeconds         float64 `json:"build_seconds"`
	IndexMiB             float64 `json:"index_mib,omitempty"`
	MemoryMiB            float64 `json:"memory_mib,omitempty"`
	// RestartSeconds is from the start of the process after kill -9 until a search answers.
	RestartSeconds float64 `json:"restart_seconds,omitempty"`

	Searches []Search `json:"searches"`
	Filters  []Filter `json:"filters"`
	Commits  []Commit `json:"commits"`
}

// Search is one point of the curve: recall@10 and speed at an ef_search.
type Search struct {
	Ef      int     `json:"ef"`
	Clients int     `json:"clients"`
	Recall  float64 `json:"recall"`
	Latency
}

// Filter is a search among the rows that a condition on another column lets pass.
type Filter struct {
	Percent int `json:"percent"`
	// Mode is the value of hnsw.iterative_scan, "" is the server's default; "btree" stands before it when the
	// column of the filter has a btree index.
	Mode   string  `json:"mode,omitempty"`
	Ef     int     `json:"ef"`
	Recall float64 `json:"recall"`
	// Short counts the answers with fewer than 10 rows.
	Short int `json:"short"`
	Latency
}

// Commit is the speed of single-row inserts, each its own transaction, into the indexed table.
type Commit struct {
	Clients int `json:"clients"`
	Latency
}

// Write stores the result as JSON.
func (r *Result) Write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// ReadResult reads what Write wrote.
func ReadResult(path string) (*Result, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(Result)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}
