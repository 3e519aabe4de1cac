// Package vectorindex is the home of the vector indexes: distance holds the
// kernels, quantize the compact codes, hnsw the graph of the hot tier, and
// conformance the suite that an index has to pass.
//
// An index holds row ids and vectors and nothing else: it knows no tables, no
// transactions and no disk but its checkpoint. It can be thrown away and rebuilt
// from the rows at any time.
package vectorindex
