package httpapi

import "net/http"

// route is one route: how it is found, what answers it, and what the OpenAPI
// document says of it. The router and the document are both made from the table.
type route struct {
	method, path string
	name         string // operationId
	summary      string
	tag          string
	// handle answers in a session; public answers without one, to anybody.
	handle func(*API, *request) error
	public func(*API, http.ResponseWriter, *http.Request)
	// body and answer name schemas; "" is none.
	body   string
	status int
	answer string
	// stream says that the body may be lines of any number.
	stream bool
	errors []int
}

// table is every route there is. Those with a session are also under /api/v1.
func table() []route {
	return []route{
		{method: "GET", path: "/collections", name: "listCollections", tag: "collections", summary: "List the collections: all tables with a vector column.",
			handle: (*API).list, status: 200, answer: "Collections"},
		{method: "POST", path: "/collections", name: "createCollection", tag: "collections", summary: "Make a collection: a table with an id, a vector, metadata and an index.",
			handle: (*API).create, body: "NewCollection", status: 201, answer: "Collection", errors: []int{409}},
		{method: "GET", path: "/collections/{name}", name: "getCollection", tag: "collections", summary: "Describe a collection and its state.",
			handle: (*API).show, status: 200, answer: "Collection", errors: []int{404}},
		{method: "DELETE", path: "/collections/{name}", name: "dropCollection", tag: "collections", summary: "Drop a collection and all its vectors.",
			handle: (*API).drop, status: 204, errors: []int{404, 409}},

		{method: "POST", path: "/collections/{name}/vectors", name: "putVectors", tag: "vectors",
			summary: "Store one vector or many: an object, an array, {\"vectors\": [...]}, or lines (application/x-ndjson). A vector whose id is there already is changed.",
			handle:  (*API).putVectors, body: "VectorsToStore", status: 201, answer: "Stored", stream: true, errors: []int{404, 409, 413}},
		{method: "GET", path: "/collections/{name}/vectors/{id}", name: "getVector", tag: "vectors", summary: "Read a vector by its id.",
			handle: (*API).vector, status: 200, answer: "Vector", errors: []int{404, 409}},
		{method: "DELETE", path: "/collections/{name}/vectors/{id}", name: "deleteVector", tag: "vectors", summary: "Delete a vector by its id.",
			handle: (*API).deleteVector, status: 204, errors: []int{404, 409}},
		{method: "POST", path: "/collections/{name}/search", name: "search", tag: "search", summary: "Find the nearest vectors, of those that pass a filter.",
			handle: (*API).search, body: "Search", status: 200, answer: "Found", errors: []int{404}},

		{method: "GET", path: "/collections/{name}/tier", name: "getTier", tag: "tiers", summary: "Say where a collection lies.",
			handle: (*API).showTier, status: 200, answer: "TierState", errors: []int{404}},
		{method: "POST", path: "/collections/{name}/tier", name: "setTier", tag: "tiers", summary: "Move a collection to a tier; 202 while it moves, 200 with \"wait\".",
			handle: (*API).setTier, body: "Move", status: 202, answer: "TierState", errors: []int{404, 409}},
		{method: "POST", path: "/collections/{name}/tier/promote", name: "promote", tag: "tiers", summary: "Move a collection one tier hotter.",
			handle: (*API).promote, body: "Move", status: 202, answer: "TierState", errors: []int{404, 409}},
		{method: "POST", path: "/collections/{name}/tier/demote", name: "demote", tag: "tiers", summary: "Move a collection one tier colder.",
			handle: (*API).demote, body: "Move", status: 202, answer: "TierState", errors: []int{404, 409}},
		{method: "POST", path: "/collections/{name}/tier/pin", name: "pin", tag: "tiers", summary: "Keep a collection from being demoted by itself.",
			handle: (*API).pin, status: 200, answer: "TierState", errors: []int{404}},
		{method: "POST", path: "/collections/{name}/tier/unpin", name: "unpin", tag: "tiers", summary: "Let a collection be demoted again.",
			handle: (*API).unpin, status: 200, answer: "TierState", errors: []int{404}},

		{method: "GET", path: "/collections/{name}/snapshots", name: "listSnapshots", tag: "snapshots", summary: "List a collection's snapshots.",
			handle: (*API).snapshots, status: 200, answer: "Snapshots", errors: []int{404}},
		{method: "POST", path: "/collections/{name}/snapshots", name: "createSnapshot", tag: "snapshots", summary: "Make a snapshot of a collection in the object store.",
			handle: (*API).createSnapshot, body: "NewSnapshot", status: 201, answer: "Snapshot", errors: []int{404, 409}},
		{method: "DELETE", path: "/collections/{name}/snapshots/{snapshot}", name: "dropSnapshot", tag: "snapshots", summary: "Drop a snapshot.",
			handle: (*API).dropSnapshot, status: 204, errors: []int{404}},
		{method: "POST", path: "/collections/{name}/snapshots/{snapshot}/restore", name: "restoreSnapshot", tag: "snapshots", summary: "Restore a snapshot as a new collection.",
			handle: (*API).restoreSnapshot, body: "Restore", status: 201, answer: "Collection", errors: []int{404, 409}},

		{method: "GET", path: "/healthz", name: "healthz", tag: "server", summary: "Say that the process lives.", public: (*API).healthz, status: 200, answer: "Health"},
		{method: "GET", path: "/readyz", name: "readyz", tag: "server", summary: "Say whether statements are accepted (503: not yet, or not any more).",
			public: (*API).readyz, status: 200, answer: "Health", errors: []int{503}},
		{method: "GET", path: "/metrics", name: "metrics", tag: "server", summary: "Metrics in Prometheus' text form.", public: (*API).metrics, status: 200},
		{method: "GET", path: "/openapi.json", name: "openapi", tag: "server", summary: "This document.", public: (*API).openapi, status: 200},
	}
}
