// Package kubernetes tests the manifests in docs/deploy/kubernetes: each document is
// read strictly as what it says it is, by Kubernetes' own types, and the server
// checks the configuration that it would get. It is a module of its own, so that
// nobody else gets Kubernetes' packages.
package kubernetes
