// Package crashpoint ends the process at a named place, as kill -9 and a power
// failure do: no defer runs, nothing is flushed. Tests start a server with
// AKIDB_CRASH_POINT=name, or name:n for the n-th time that the place is passed.
// Without the variable a place costs one comparison.
package crashpoint
