package s3

import (
	"bytes"
	"context"
	"io"

	"github.com/minio/minio-go/v7"

	"github.com/akidb/akidb/coldstore/objectstore"
)

const (
	// partBytes is the size above which a body goes in parts, and that of a part.
	partBytes = 16 << 20
	// parallelParts are sent at a time, while one more is being filled: 64 MiB.
	parallelParts = 3
	// maxParts is S3's limit; so an object has at most 156 GiB.
	maxParts = 10_000

	crc32cHeader = "x-amz-checksum-crc32c"
)

// Put implements objectstore.Store.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, o objectstore.PutOptions) (objectstore.Info, error) {
	if err := s.check(ctx, objectstore.OpPut, key); err != nil {
		return objectstore.Info{}, err
	}
	in, err := s.put(ctx, key, objectstore.Sized(body, o.Size), o)
	if err != nil {
		err = s.fail(ctx, objectstore.OpPut, key, err)
		if o.IfMatch != "" && objectstore.Is(err, objectstore.NotFound) { // nothing there is no match
			return objectstore.Info{}, reclass(err, objectstore.Condition)
		}
		return objectstore.Info{}, err
	}
	return in, nil
}

// put reads one part, and a second one to know whether there is one.
func (s *Store) put(ctx context.Context, key string, body io.Reader, o objectstore.PutOptions) (objectstore.Info, error) {
	first, err := readPart(body, o.Size)
	if err != nil {
		return objectstore.Info{}, err
	}
	if len(first) < partBytes {
		return s.putWhole(ctx, key, first, o)
	}
	next := make([]byte, partBytes)
	n, err := fillPart(body, next)
	if err != nil {
		return objectstore.Info{}, err
	}
	if n == 0 {
		return s.putWhole(ctx, key, first, o)
	}
	return s.putParts(ctx, key, first, next[:n], body, o)
}

// readPart reads up to a part into a buffer that grows with what there is: most
// objects are small.
func readPart(body io.Reader, size int64) ([]byte, error) {
	buf := make([]byte, min(max(size+1, 64<<10), partBytes))
	n := 0
	for {
		m, err := fillPart(body, buf[n:])
		if n += m; err != nil || n < len(buf) || n == partBytes {
			return buf[:n], err
		}
		buf = append(buf, make([]byte, min(3*len(buf), partBytes-len(buf)))...)
	}
}

// fillPart is io.ReadFull for which an early end is no error.
func fillPart(body io.Reader, buf []byte) (int, error) {
	n, err := io.ReadFull(body, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return n, err
}

// putWhole stores a body by one request.
func (s *Store) putWhole(ctx context.Context, key string, data []byte, o objectstore.PutOptions) (objectstore.Info, error) {
	po := s.putOptions(o)
	check := s.sum(data)
	if check.crc32c != "" {
		po.UserMetadata[crc32cHeader] = check.crc32c
	}
	setCondition(&po, o)
	up, err := s.core.PutObject(ctx, s.bucket, s.prefix+key, bytes.NewReader(data), int64(len(data)), check.md5, "", po)
	if err != nil {
		return objectstore.Info{}, err
	}
	return s.uploaded(key, up, int64(len(data))), nil
}

func (s *Store) putOptions(o objectstore.PutOptions) minio.PutObjectOptions {
	po := minio.PutObjectOptions{
		ServerSideEncryption: s.sse, ContentType: "application/octet-stream",
		DisableContentSha256: true, UserMetadata: map[string]string{},
	}
	if o.Nonce != "" {
		po.UserMetadata[nonceName] = o.Nonce
	}
	return po
}

func setCondition(po *minio.PutObjectOptions, o objectstore.PutOptions) {
	if o.IfAbsent {
		po.SetMatchETagExcept("*")
	}
	if o.IfMatch != "" {
		po.SetMatchETag(string(o.IfMatch))
	}
}

func (s *Store) uploaded(key string, up minio.UploadInfo, size int64) objectstore.Info {
	return s.info(key, minio.ObjectInfo{ETag: up.ETag, Size: size, LastModified: up.LastModified})
}
