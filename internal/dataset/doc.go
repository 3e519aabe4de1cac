// Package dataset fetches, converts and reads the real data that AkiDB is measured and demonstrated on.
//
// Three sets of full size live in a folder outside the repository, each in a folder of its own:
//
//	mnist784  60,000 x 784, l2      images of handwritten digits, queries from the test images
//	glove100  340,479 x 100, cosine English word vectors
//	emb512    100,000 x 512, cosine the 101,000 most frequent words through a fixed random non-linear projection
//
// A set's folder holds
//
//	base.f32     rows x dim little-endian float32
//	queries.f32  queries x dim little-endian float32
//	truth.i32    queries x 100 little-endian int32: the exact nearest base rows, nearest first, counted from 0
//	words.txt    one line a base row: its word (or, for mnist784, its digit)
//	meta.json    name, dim, rows, queries, metric, recipe and the SHA-256 of each file
//
// meta.json is written last, so a folder without it, or with another recipe or checksum, is made again.
//
// A small sample (5,000 words x 100) is embedded in the binary, for the demo and for tests; see Sample.
//
// The package never talks to a database.
package dataset
