#!/bin/bash
# build-base-image.sh NAME: an image of this Debian machine's Go, gcc and glibc, for
# the Dockerfile's BUILD_IMAGE where golang:…-bookworm cannot be pulled:
#
#   scripts/build-base-image.sh akidb-build-base
#   docker build --build-arg BUILD_IMAGE=akidb-build-base -t akidb/akidb .
set -euo pipefail
goroot=$(go env GOROOT)
have=()
for p in bin sbin lib lib64 usr/bin usr/sbin usr/lib/gcc usr/lib/x86_64-linux-gnu usr/lib/compat-ld usr/lib64 usr/include usr/libexec etc/alternatives \
  etc/ld.so.cache etc/ld.so.conf etc/ld.so.conf.d etc/ssl etc/passwd etc/group etc/nsswitch.conf "${goroot#/}"; do
  if [ -e "/$p" ]; then have+=("$p"); fi
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tar -C / -c "${have[@]}" | docker import --change "ENV PATH=$goroot/bin:/usr/bin:/bin GOTOOLCHAIN=local GOFLAGS=-buildvcs=false" - "$1-files" >/dev/null
printf 'FROM %s-files\nRUN mkdir -m 1777 /tmp\n' "$1" >"$dir/Dockerfile"
docker build -q -t "$1" "$dir"
