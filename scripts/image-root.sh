#!/bin/sh
# image-root.sh DIR: adds to the folder that becomes the image's root what the
# binary needs of a system: certificates of authorities, users, folders. Time zones
# are inside the binary.
set -eu
mkdir -p "$1/etc/ssl/certs" "$1/tmp" "$1/var/lib/akidb" "$1/docker-entrypoint-initdb.d"
cp "${CA_CERTIFICATES:-/etc/ssl/certs/ca-certificates.crt}" "$1/etc/ssl/certs/"
echo 'akidb:x:10001:10001:AkiDB:/var/lib/akidb:/akidb' >"$1/etc/passwd"
echo 'akidb:x:10001:' >"$1/etc/group"
chmod 1777 "$1/tmp"
chmod 700 "$1/var/lib/akidb"
