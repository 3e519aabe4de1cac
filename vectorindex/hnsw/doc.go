// Package hnsw is the vector index of the hot tier: a hierarchical navigable
// small world graph (Malkov and Yashunin, 2016, algorithms 1 to 5) in memory, with
// a tail of vectors that are not in the graph yet and are searched exactly.
//
// # Memory
//
// A vector lives in a slot, a number below 2^31. What belongs to slots stands in
// arenas: chunks of anonymous memory off the Go heap that grow without copying,
// one arena for row ids, states, vectors, codes and neighbour lists each. Moving a
// vector from the tail into the graph copies nothing. Under l2, inner product and
// cosine the graph is walked on one-byte codes (package quantize); every
// candidate that is returned has been measured on its vector. Other metrics and
// kinds walk on the vectors.
//
// # The tail
//
// Every search goes through the whole tail, on codes like the graph's once there
// is a graph, else on the vectors: for 512 dimensions about 0.25 ms each 10,000
// rows. The tail has no bound here; Drain moves it, with all workers but one, so
// that searches find a free processor, and its owner decides when writers wait
// (package tiering). The first thousand vectors stay in it: so few are searched
// exactly in less time, and they give the codes their centre.
//
// # Concurrency
//
// Three kinds of locks, taken in this order:
//
//	maintain  one Build, Drain or WriteCheckpoint at a time
//	mu        the map of row ids, the list of the tail, new and free slots
//	active    the list of running searches, retired slots
//
// and, during insertion alone, entryMu, then one stripe of linkLocks at a time. A
// search takes mu and active for some instructions at its start and no lock
// after that: neighbour lists are read with atomic loads while they change, which
// can show a list half old and half new, each entry of it a valid node.
//
// # Invariants
//
//   - A slot's row id, vector and, in the graph, its code are written before the
//     slot can be reached, and don't change until it is retired.
//   - A neighbour list ends at the first none or after its capacity.
//   - A removed vector of the graph stays there, marked, and is not returned;
//     repair takes it out of every neighbour list, then retires the slot.
//   - A retired slot is used again when each search that ran then has been closed.
//   - A slot keeps its level and its blocks of upper lists for ever.
package hnsw
