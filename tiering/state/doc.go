// Package state decides where collections shall lie: the steps of a move, the
// policy that plans moves, the counting of accesses, and the clock that all of it
// reads. It is pure: it reads no file, starts no goroutine and knows no store, so
// that the server, its tests and the simulation (akidb-bench tiering-sim) run the
// same code.
//
// A collection has one owner at any time: the place that its Tier names. A move
// writes the new place, verifies it, switches the owner in one commit, and frees
// the old place. Only that commit changes the owner, and it comes after the new
// place is complete and before the old one is touched; so a crash at any point
// leaves the owner complete. What it may leave besides is one place that is
// written or freed again at the restart (machine.go).
package state
