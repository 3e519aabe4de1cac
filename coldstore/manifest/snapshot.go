package manifest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/pgerr"
)

// Snapshot is a named manifest. It holds all that a restore needs, and shares
// the segments with whatever else names them.
type Snapshot struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Collection string    `json:"collection"`
	CreatedAt  time.Time `json:"created_at"`
	Nonce      string    `json:"nonce"`
	Manifest   *Manifest `json:"manifest"`
}

func newBody(data []byte) io.Reader { return bytes.NewReader(data) }

// CreateSnapshot stores a snapshot of m under a new id. Nothing but one small
// object is uploaded. 42710 says that the id is taken.
func CreateSnapshot(ctx context.Context, s objectstore.Store, id, name string, m *Manifest, now time.Time) (*Snapshot, error) {
	snap := &Snapshot{ID: id, Name: name, Collection: m.Collection, CreatedAt: now.UTC(), Nonce: newNonce(), Manifest: m}
	data, err := encode(snapshotKind, snap)
	if err != nil {
		return nil, err
	}
	key := SnapshotKey(m.Collection, id)
	if err := objectstore.CheckKey(key); err != nil {
		return nil, pgerr.Newf(pgerr.InvalidParameterValue, "invalid snapshot id \"%s\"", id).WithDetail("%v.", err)
	}
	o := objectstore.PutOptions{IfAbsent: true, Nonce: snap.Nonce, Size: int64(len(data))}
	_, putErr := s.Put(ctx, key, newBody(data), o)
	if putErr == nil {
		return snap, nil
	}
	if !ambiguous(putErr) {
		return nil, putErr
	}
	there, err := ReadSnapshot(ctx, s, m.Collection, id)
	switch {
	case err == nil && there.Nonce == snap.Nonce:
		return snap, nil
	case err == nil:
		return nil, pgerr.Newf(pgerr.DuplicateObject, "snapshot \"%s\" already exists", id)
	}
	return nil, errors.Join(putErr, err)
}

// ReadSnapshot reads a snapshot; 42704 when there is none.
func ReadSnapshot(ctx context.Context, s objectstore.Store, collection, id string) (*Snapshot, error) {
	key := SnapshotKey(collection, id)
	data, _, err := get(ctx, s, key)
	if objectstore.Is(err, objectstore.NotFound) {
		return nil, pgerr.Newf(pgerr.UndefinedObject, "snapshot \"%s\" does not exist", id)
	}
	if err != nil {
		return nil, err
	}
	return DecodeSnapshot(key, collection, id, data)
}

// DecodeSnapshot reads a snapshot from its bytes; key is for errors.
func DecodeSnapshot(key, collection, id string, data []byte) (*Snapshot, error) {
	snap := &Snapshot{}
	if err := decode(snapshotKind, key, data, snap); err != nil {
		return nil, err
	}
	if snap.ID != id || snap.Collection != collection || snap.Manifest == nil {
		return nil, damaged(snapshotKind, key, "It is another snapshot.")
	}
	if what := snap.Manifest.check(collection); what != "" {
		return nil, damaged(snapshotKind, key, "%s", what)
	}
	return snap, nil
}

// ListSnapshots reads all snapshots of a collection, in the order of their ids.
func ListSnapshots(ctx context.Context, s objectstore.Store, collection string) ([]*Snapshot, error) {
	var out []*Snapshot
	err := objectstore.Each(ctx, s, SnapshotPrefix(collection), func(i objectstore.Info) error {
		snap, err := ReadSnapshot(ctx, s, collection, snapshotOf(i.Key))
		if pgerr.Code(err) == pgerr.UndefinedObject {
			return nil // dropped since it was listed
		}
		out = append(out, snap)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DropSnapshot removes a snapshot and the objects that only it named: kept are
// all manifests that are still to be read, and all other snapshots. The snapshot
// goes first, so that a crash leaves garbage and never a snapshot with holes.
func DropSnapshot(ctx context.Context, s objectstore.Store, snap *Snapshot, kept []*Manifest) error {
	others, err := ListSnapshots(ctx, s, snap.Collection)
	if err != nil {
		return err
	}
	for _, o := range others {
		if o.ID != snap.ID {
			kept = append(kept, o.Manifest)
		}
	}
	if err := s.Delete(ctx, SnapshotKey(snap.Collection, snap.ID)); err != nil {
		return err
	}
	for _, key := range Unshared(snap.Manifest, kept) {
		if err := s.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
