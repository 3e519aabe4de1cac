// Package minioserver runs a real MinIO, for tests (package miniotest) and
// measurements. The binary is $AKIDB_MINIO, or $XDG_CACHE_HOME/akidb/minio
// (~/.cache/akidb/minio), or is built there once, which takes minutes; `make minio`
// does it ahead. MinIO is never linked and not in go.mod.
package minioserver
