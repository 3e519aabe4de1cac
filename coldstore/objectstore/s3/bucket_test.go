package s3

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
)

func TestABucketIsMadeWhenTheOptionsSaySo(t *testing.T) {
	m := miniotest.Start(t, miniotest.Options{})
	o := Options{Endpoint: m.Endpoint, Bucket: "fresh", AccessKey: miniotest.AccessKey, SecretKey: miniotest.SecretKey}
	for _, create := range []bool{false, true, true, false} {
		o.CreateBucket = create
		s, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Check(t.Context())
		_, stat := os.Stat(filepath.Join(m.Dir, "fresh"))
		if made := stat == nil; objectstore.Is(err, objectstore.NoBucket) == made || made && err != nil {
			t.Errorf("create_bucket %v: %v", create, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
