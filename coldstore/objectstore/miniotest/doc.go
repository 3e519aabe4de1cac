// Package miniotest starts a real MinIO for tests. A machine that has none skips
// the test and says so, unless CI=true.
package miniotest
