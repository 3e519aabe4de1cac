package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/retry"
)

// upload is a body on its way in parts. mu guards what is below it.
type upload struct {
	s      *Store
	ctx    context.Context
	cancel context.CancelCauseFunc
	key    string
	id     string
	size   int64
	free   chan []byte // buffers that no part is being sent from
	group  sync.WaitGroup

	mu    sync.Mutex
	parts []minio.CompletePart // by number, from 1
}

// abortTimeout bounds the cleaning up after a failure: what is left, SweepUploads
// removes.
const abortTimeout = 10 * time.Second

// putParts sends a body whose first two parts are read already.
func (s *Store) putParts(ctx context.Context, key string, first, next []byte, body io.Reader, o objectstore.PutOptions) (objectstore.Info, error) {
	id, err := s.begin(ctx, key, o)
	if err != nil {
		return objectstore.Info{}, err
	}
	u := &upload{s: s, key: key, id: id, free: make(chan []byte, parallelParts+1)}
	u.ctx, u.cancel = context.WithCancelCause(ctx)
	defer u.cancel(nil)
	err = u.send(first, next, body)
	u.group.Wait()
	if cause := context.Cause(u.ctx); cause != nil {
		err = cause // the failure of a part, or the caller's context
	}
	var in objectstore.Info
	if err == nil {
		in, err = u.complete(o)
	}
	if err != nil {
		return in, u.abort(err)
	}
	return in, nil
}

func (s *Store) begin(ctx context.Context, key string, o objectstore.PutOptions) (id string, err error) {
	po := s.putOptions(o)
	if s.sum(nil).crc32c != "" {
		po.UserMetadata["x-amz-checksum-algorithm"] = "CRC32C"
	}
	err = s.o.Retry.Do(ctx, objectstore.OpPut, func(int) (err error) {
		id, err = s.core.NewMultipartUpload(ctx, s.bucket, s.prefix+key, po)
		return s.failOrNil(ctx, objectstore.OpPut, key, err)
	})
	return id, err
}

// send starts a goroutine a part, as many as there are buffers.
func (u *upload) send(first, next []byte, body io.Reader) error {
	for range parallelParts - 1 {
		u.free <- nil // allocated when needed
	}
	for number, data := 1, first; ; number++ {
		if number > maxParts {
			return fmt.Errorf("the object is larger than %d parts of %d bytes", maxParts, partBytes)
		}
		u.start(number, data)
		if number == 1 {
			data = next
			continue
		}
		buf, err := u.buffer()
		if err != nil {
			return err
		}
		n, err := fillPart(body, buf)
		if err != nil {
			u.cancel(err)
			return err
		}
		if n == 0 {
			return nil
		}
		data = buf[:n]
	}
}

func (u *upload) buffer() ([]byte, error) {
	select {
	case buf := <-u.free:
		if buf == nil {
			buf = make([]byte, partBytes)
		}
		return buf[:partBytes], nil
	case <-u.ctx.Done():
		return nil, context.Cause(u.ctx)
	}
}

func (u *upload) start(number int, data []byte) {
	u.size += int64(len(data))
	u.group.Go(func() {
		part, err := u.part(number, data)
		if err != nil {
			u.cancel(err)
			return
		}
		u.mu.Lock()
		for len(u.parts) < number {
			u.parts = append(u.parts, minio.CompletePart{})
		}
		u.parts[number-1] = part
		u.mu.Unlock()
		u.free <- data[:cap(data)]
	})
}

func (u *upload) part(number int, data []byte) (minio.CompletePart, error) {
	check := u.s.sum(data)
	var part minio.ObjectPart
	err := u.s.o.Retry.Do(u.ctx, objectstore.OpPut, func(int) (err error) {
		o := minio.PutObjectPartOptions{Md5Base64: check.md5, SSE: u.s.readKey(), DisableContentSha256: true, CustomHeader: http.Header{}}
		if check.crc32c != "" {
			o.CustomHeader.Set(crc32cHeader, check.crc32c)
		}
		part, err = u.s.core.PutObjectPart(u.ctx, u.s.bucket, u.s.prefix+u.key, u.id, number, bytes.NewReader(data), int64(len(data)), o)
		return u.s.failOrNil(u.ctx, objectstore.OpPut, u.key, err)
	})
	return minio.CompletePart{PartNumber: number, ETag: part.ETag, ChecksumCRC32C: check.crc32c}, err
}

// complete makes the object appear. It is not repeated here: whether an answer was
// lost, the retry wrapper finds out by the nonce.
func (u *upload) complete(o objectstore.PutOptions) (objectstore.Info, error) {
	po := minio.PutObjectOptions{ServerSideEncryption: u.s.readKey()}
	setCondition(&po, o)
	up, err := u.s.core.CompleteMultipartUpload(u.ctx, u.s.bucket, u.s.prefix+u.key, u.id, u.parts, po)
	if err != nil {
		return objectstore.Info{}, err
	}
	return u.s.uploaded(u.key, up, u.size), nil
}

// abort removes the parts, also when the caller has gone.
func (u *upload) abort(cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortTimeout)
	defer cancel()
	_ = u.s.abort(ctx, u.key, u.id) // the cause is what the caller must know; SweepUploads comes later
	return cause
}

func (s *Store) abort(ctx context.Context, key, id string) error {
	return retry.Policy{Retries: 2, First: 200 * time.Millisecond}.Do(ctx, objectstore.OpDelete, func(int) error {
		err := s.core.AbortMultipartUpload(ctx, s.bucket, s.prefix+key, id)
		var r minio.ErrorResponse
		if errors.As(err, &r) && r.Code == "NoSuchUpload" {
			return nil
		}
		return s.failOrNil(ctx, objectstore.OpDelete, key, err)
	})
}

// SweepUploads aborts uploads in parts under the prefix keyPrefix that began
// more than age ago: what crashes left. It says how many. MinIO lists unfinished
// uploads only of the key that is exactly keyPrefix, and removes them itself after
// a day.
func (s *Store) SweepUploads(ctx context.Context, keyPrefix string, age time.Duration) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	swept, limit := 0, time.Now().Add(-age)
	for up := range s.core.ListIncompleteUploads(ctx, s.bucket, s.prefix+keyPrefix, true) {
		if up.Err != nil {
			return swept, s.fail(ctx, objectstore.OpList, keyPrefix, up.Err)
		}
		if up.Initiated.After(limit) {
			continue
		}
		if err := s.abort(ctx, up.Key[len(s.prefix):], up.UploadID); err != nil {
			return swept, err
		}
		swept++
	}
	return swept, nil
}
