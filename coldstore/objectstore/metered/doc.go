// Package metered counts what goes to an object store and comes from it. Below the
// retry wrapper it counts each attempt.
package metered
