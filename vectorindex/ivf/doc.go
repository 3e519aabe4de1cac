// Package ivf is the vector index of the warm and the cold tier and of USING
// ivfflat: rows in cells around trained centres, coded by RaBitQ (package
// quantize), in a file of which a search reads a few cells. Vectors lie elsewhere:
// a search asks its Source for those of the best rows, in batches, and answers with
// exact distances.
package ivf
