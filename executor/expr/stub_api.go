package expr

// String prints e as EXPLAIN does: (price < '20'::numeric).
func String(e Expr) string { return "" }
