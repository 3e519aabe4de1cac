#!/bin/bash
# release.sh VERSION DIR: static binaries for linux/amd64 and linux/arm64 as archives,
# with their bills of materials (CycloneDX) and checksums. The other machine needs
# Debian's cross compiler (gcc-aarch64-linux-gnu); without it its archive is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1 out=$2
go=${GO:-go}
cyclonedx=${CYCLONEDX:?the module of cyclonedx-gomod, see Makefile}
declare -A compiler=([amd64]=x86_64-linux-gnu-gcc [arm64]=aarch64-linux-gnu-gcc)
rm -rf "$out"
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GOBIN=$work $go install "$cyclonedx"
for arch in ${ARCHS:-amd64 arm64}; do
  cc=${compiler[$arch]}
  if [ "$arch" = "$($go env GOHOSTARCH)" ]; then cc=${CC:-gcc}; fi
  if ! command -v "$cc" >/dev/null; then
    echo "release: no $cc, so no archive for $arch (Debian: apt-get install gcc-${cc%-gcc})" >&2
    continue
  fi
  name=akidb-$version-linux-$arch
  mkdir "$work/$name"
  GOARCH=$arch CC=$cc scripts/build-static.sh "$version" "$work/$name/akidb"
  cp LICENSE README.md CHANGELOG.md "$work/$name/"
  "$work/cyclonedx-gomod" bin -json -version "v$version" -output "$out/$name.cdx.json" "$work/$name/akidb"
  # The same input gives the same archive.
  tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" -c "$name" | gzip -n >"$out/$name.tar.gz"
done
(cd "$out" && sha256sum -- * >SHA256SUMS && cat SHA256SUMS)
