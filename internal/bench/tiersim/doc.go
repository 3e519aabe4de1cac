// Package tiersim simulates tiering: the accesses of thousands of collections over
// weeks, and what a policy makes of them. It drives the server's own code for it,
// tiering/state (counting, the policy, the state machine of a move), with a clock
// that is moved by hand; what is invented here are the accesses (Profile), the
// sizes and speeds (Model) and the prices (Prices).
//
// The same seed gives the same accesses under every policy, and the same outcome
// on every run.
package tiersim
