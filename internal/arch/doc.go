// Package arch holds no code: its tests keep the house in order. They read the
// imports of every package and the paths that the documents name.
package arch
