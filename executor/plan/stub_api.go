package plan

// Stubs of the API under construction; each moves to its own file.

// Explain prints a plan; text gives one line a row, the other formats one value.
func Explain(p *Plan, opts ExplainOptions, x Explanation) ([]string, error) { return nil, nil }
