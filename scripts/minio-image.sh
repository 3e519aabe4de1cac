#!/bin/bash
# minio-image.sh NAME: an image of the MinIO that tests use (make minio), for machines
# that cannot pull the official one.
set -euo pipefail
binary=${AKIDB_MINIO:-${XDG_CACHE_HOME:-$HOME/.cache}/akidb/minio}
[ -x "$binary" ] || { echo "minio-image: $binary is missing: make minio" >&2; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
ln "$binary" "$dir/minio" 2>/dev/null || cp "$binary" "$dir/minio"
mkdir "$dir/tmp" "$dir/data"
printf 'FROM scratch\nCOPY . /\nENV MINIO_BROWSER=off MINIO_UPDATE=off MINIO_CI_CD=on\nEXPOSE 9000\nENTRYPOINT ["/minio"]\n' >"$dir/Dockerfile"
docker build -q -t "$1" "$dir"
