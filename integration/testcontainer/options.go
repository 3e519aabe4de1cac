package akidb

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/testcontainers/testcontainers-go"
)

// WithUser names the superuser, postgres unless told otherwise.
func WithUser(name string) testcontainers.CustomizeRequestOption {
	return testcontainers.WithEnv(map[string]string{"POSTGRES_USER": name})
}

// WithPassword sets the superuser's password.
func WithPassword(password string) testcontainers.CustomizeRequestOption {
	return testcontainers.WithEnv(map[string]string{"POSTGRES_PASSWORD": password})
}

// WithDatabase gives the database another name.
func WithDatabase(name string) testcontainers.CustomizeRequestOption {
	return testcontainers.WithEnv(map[string]string{"POSTGRES_DB": name})
}

// WithSetting sets the default of a session setting, as in "hnsw.ef_search", "80".
func WithSetting(name, value string) testcontainers.CustomizeRequestOption {
	key := "AKIDB_SETTINGS_" + strings.ToUpper(strings.ReplaceAll(name, ".", "__"))
	return testcontainers.WithEnv(map[string]string{key: value})
}

// WithInitScripts runs .sql files, in the order given, when the data directory is made.
func WithInitScripts(files ...string) testcontainers.CustomizeRequestOption {
	copies := make([]testcontainers.ContainerFile, 0, len(files))
	for i, f := range files {
		copies = append(copies, testcontainers.ContainerFile{
			HostFilePath: f, FileMode: 0o644,
			ContainerFilePath: fmt.Sprintf("/docker-entrypoint-initdb.d/%03d-%s", i, filepath.Base(f)),
		})
	}
	return testcontainers.WithFiles(copies...)
}

// Bucket is a bucket of an S3-compatible object store for cold collections.
type Bucket struct {
	Endpoint             string // as the container sees it: http://minio:9000
	Name, Prefix, Region string
	AccessKey, SecretKey string
	Create               bool // make the bucket if it is missing
}

// WithBucket puts cold collections and snapshots into a bucket.
func WithBucket(b Bucket) testcontainers.CustomizeRequestOption {
	env := map[string]string{
		"AKIDB_S3_ENDPOINT": b.Endpoint, "AKIDB_S3_BUCKET": b.Name,
		"AKIDB_S3_ACCESS_KEY": b.AccessKey, "AKIDB_S3_SECRET_KEY": b.SecretKey,
	}
	if b.Create {
		env["AKIDB_S3_CREATE_BUCKET"] = "true"
	}
	if b.Prefix != "" {
		env["AKIDB_S3_PREFIX"] = b.Prefix
	}
	if b.Region != "" {
		env["AKIDB_S3_REGION"] = b.Region
	}
	return testcontainers.WithEnv(env)
}

// environment turns NAME=value into a map.
func environment(list []string) map[string]string {
	out := map[string]string{}
	for _, kv := range list {
		name, value, _ := strings.Cut(kv, "=")
		out[name] = value
	}
	return out
}
