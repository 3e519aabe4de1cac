// Package counting is a proxy before an object store that counts the requests and
// bytes of whoever uses it, and can add the round trip of a store that is farther
// away, so that two systems are measured in the same way.
package counting
