// Package run executes plans: one operator a file, pulling rows from its
// children one at a time. An Execution belongs to one goroutine and holds all
// state; the plan is shared and immutable.
//
// Memory: sorts and hash tables that grow past work_mem spill to temporary files.
package run
