// Package storetest is the conformance suite of objectstore.Store: what every
// implementation and every wrapper promises, as tests. A store's own test calls
// Run with a function that makes an empty store.
package storetest
