// Package httpapi owns the HTTP port: liveness, readiness and metrics. It knows
// nothing of SQL; what it shows is handed to it by internal/node.
package httpapi
