#!/bin/sh
# build-static.sh VERSION FILE: builds a fully static akidb (glibc's static
# libraries, Go's own resolver and user lookup), which runs FROM scratch. GOARCH
# and CC choose another machine: GOARCH=arm64 CC=aarch64-linux-gnu-gcc.
set -eu
cd "$(dirname "$0")/.."
mkdir -p "$(dirname "$2")"
CGO_ENABLED=1 GOOS=linux exec "${GO:-go}" build -trimpath -tags netgo,osusergo \
  -ldflags "-s -w -X main.version=$1 -linkmode external -extldflags -static" -o "$2" ./cmd/akidb
