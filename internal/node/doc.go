// Package node assembles a server: it opens the rooms in order, joins them, and
// closes them in reverse. It owns the layout of the data directory:
//
//	rows/    the row store
//	index/   checkpoints of vector indexes
//	tmp/     files of statements that spill; emptied at start
package node
