package bench

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/akidb/akidb/coldstore/objectstore/minioserver"
	"github.com/akidb/akidb/internal/bench/counting"
)

// bucketName is the bucket of every measurement.
const bucketName = "akidb-bench"

// Bucket is a MinIO of our own with one bucket, in a temporary directory, and a
// proxy before it that counts.
type Bucket struct {
	dir   string
	minio *minioserver.Server
	proxy *counting.Proxy
}

// StartBucket starts both.
func StartBucket() (*Bucket, error) {
	dir, err := os.MkdirTemp("", "akidb-bench-minio-")
	if err != nil {
		return nil, err
	}
	b := &Bucket{dir: dir}
	if b.minio, err = minioserver.New(dir, minioserver.Options{}); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err = b.minio.MakeBucket(bucketName); err == nil {
		b.proxy, err = counting.Start(b.minio.Endpoint)
	}
	if err != nil {
		b.minio.Stop()
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

// Close stops both and removes the data.
func (b *Bucket) Close() error {
	err := b.proxy.Close()
	b.minio.Stop()
	return errors.Join(err, os.RemoveAll(b.dir))
}

// env is the environment of a server that uses the bucket at an endpoint.
func (b *Bucket) env(endpoint string) []string {
	return []string{
		"AKIDB_S3_ENDPOINT=" + endpoint, "AKIDB_S3_BUCKET=" + bucketName, "AKIDB_S3_REGION=us-east-1",
		"AKIDB_S3_ACCESS_KEY=" + minioserver.AccessKey, "AKIDB_S3_SECRET_KEY=" + minioserver.SecretKey,
	}
}

// bytes is what the bucket takes on MinIO's disk, which adds under a kilobyte an object.
func (b *Bucket) bytes() (int64, error) {
	total := int64(0)
	err := filepath.WalkDir(filepath.Join(b.minio.Dir, bucketName), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
