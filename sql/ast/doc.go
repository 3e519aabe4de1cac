// Package ast holds syntax trees as plain structs, free of cgo and of any
// meaning: names are not resolved and types are not known. Package sql makes
// them; executor/plan binds them. Positions (Pos) are 1-based characters of
// the statement's text, 0 where unknown.
package ast
