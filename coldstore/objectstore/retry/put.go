package retry

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// put is one Put and what is known of its attempts.
type put struct {
	ctx    context.Context
	store  *Store
	key    string
	body   io.Reader
	seeker io.Seeker // nil: the body cannot seek
	replay *replay   // then, what is kept of it
	start  int64     // where the body began
	o      objectstore.PutOptions

	doubtful bool // an attempt may have happened although it failed
	info     objectstore.Info
}

func (p *put) run() error {
	err := p.store.policy.Do(p.ctx, objectstore.OpPut, p.attempt)
	if err == nil || !p.doubtful {
		return err
	}
	if mine, serr := p.happened(err); serr == nil && mine {
		return nil
	}
	p.info = objectstore.Info{}
	return err
}

func (p *put) attempt(n int) (err error) {
	if n > 1 {
		if err := p.rewind(); err != nil {
			return err
		}
	}
	p.info, err = p.store.inner.Put(p.ctx, p.key, p.body, p.o)
	if objectstore.ClassOf(err).Transient() {
		p.doubtful = true
		if p.replay != nil && p.replay.lost {
			err = final(err)
		}
	}
	return err
}

func (p *put) rewind() error {
	if p.seeker == nil {
		p.replay.at = 0
		return nil
	}
	_, err := p.seeker.Seek(p.start, io.SeekStart)
	return err
}

// keptBytes of a body that cannot seek are kept: what is smaller is put again whole.
// The S3 store repeats the parts of what is larger by itself.
const keptBytes = 16 << 20

// replay is a body that cannot seek. It can be read again as long as it has kept
// all that was read.
type replay struct {
	body io.Reader
	kept []byte
	at   int
	lost bool
}

func (r *replay) Read(p []byte) (int, error) {
	if r.at < len(r.kept) {
		n := copy(p, r.kept[r.at:])
		r.at += n
		return n, nil
	}
	n, err := r.body.Read(p)
	if r.lost = r.lost || len(r.kept)+n > keptBytes; r.lost {
		r.kept, r.at = nil, 0
		return n, err
	}
	r.kept = append(r.kept, p[:n]...)
	r.at = len(r.kept)
	return n, err
}

// happened reads back whether the object there is the one that this put wrote. If
// so, info describes it. A store that has just failed throughout is asked once; a
// refusal must be settled, with retries.
func (p *put) happened(last error) (bool, error) {
	stat := p.store.Stat
	if objectstore.ClassOf(last).Transient() {
		stat = p.store.inner.Stat
	}
	in, err := stat(p.ctx, p.key)
	if err != nil {
		return false, err
	}
	nonce := in.Nonce
	in.Nonce = ""
	p.info = in
	if nonce != "" {
		return nonce == p.o.Nonce, nil
	}
	if p.seeker == nil || in.Tag == p.o.IfMatch {
		return false, nil
	}
	return p.sameBytes(in)
}

// sameBytes compares the object with the body.
func (p *put) sameBytes(in objectstore.Info) (bool, error) {
	if err := p.rewind(); err != nil {
		return false, err
	}
	o, err := p.store.Get(p.ctx, p.key, objectstore.Range{})
	if err != nil || o.Tag != in.Tag {
		if o != nil {
			err = o.Body.Close()
		}
		return false, err
	}
	defer func() { _ = o.Body.Close() }() // only read
	return equal(bufio.NewReader(o.Body), p.body)
}

// equal reports whether both readers give the same bytes.
func equal(a, b io.Reader) (bool, error) {
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(a, x)
		m, err2 := io.ReadFull(b, y)
		if !bytes.Equal(x[:n], y[:m]) {
			return false, nil
		}
		if ended(err) && ended(err2) {
			return true, nil
		}
		if err != nil && !ended(err) {
			return false, err
		}
		if err2 != nil && !ended(err2) {
			return false, err2
		}
	}
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
