// Package storage is the vocabulary in which the executor asks for rows and the
// storage rooms answer: options, specifications, iterators. It is a leaf: no
// code, only types, so that internal/rowstore and tiering can satisfy the
// interfaces that executor declares (executor/source.go) without importing it.
package storage
