// Package vectorindex is the home of the vector indexes: distance holds the
// kernels, quantize the compact codes, hnsw the graph of the hot tier, ivf the
// cells of the warm and the cold tier.
//
// An index holds row ids and vectors and nothing else: it knows no tables, no
// transactions and no disk but its checkpoint. It can be thrown away and rebuilt
// from the rows at any time. Whoever owns one relies on this:
//
//   - Append makes a row found by every search that starts later, at once.
//   - Remove makes a row not found by searches that start later; the one id never
//     comes back with another vector.
//   - A search gives each row that is there from its start to its end exactly once
//     until a batch is empty, with its exact distance; others it may give or not.
//     Batches are sorted, and the first is the approximate answer.
//   - Everything may be called from any number of goroutines; Close waits for
//     searches and ends maintenance.
//   - A checkpoint is an image of one moment. Any bytes may be loaded: what no index
//     has written is refused, or does no harm.
package vectorindex
