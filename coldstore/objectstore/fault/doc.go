// Package fault is an object store that breaks on purpose: errors, delays, answers
// that get lost, bodies that are cut, flipped bits, stale listings. It is for tests,
// AkiDB's own and those of contributors, and is never part of a server's
// configuration.
//
//	f := fault.Wrap(store, 1)
//	f.Add(fault.Rule{Op: objectstore.OpPut, Key: "collections/*", Skip: 2, Count: 1, Effect: fault.LoseAnswer(objectstore.Unavailable)})
//
// Rules are asked in the order in which they were added; the first that fits a
// request breaks it. Chances come from a seeded generator, so that the same
// sequence of requests breaks in the same places.
package fault
