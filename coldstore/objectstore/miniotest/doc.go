// Package miniotest starts a real MinIO for tests. The binary is $AKIDB_MINIO, or
// $XDG_CACHE_HOME/akidb/minio (~/.cache/akidb/minio), or is built there once, which
// takes minutes; `make minio` does it ahead. MinIO is never linked and not in
// go.mod. A machine without it skips the test and says so, unless CI=true.
package miniotest
