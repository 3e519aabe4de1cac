package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/internal/config"
	"github.com/akidb/akidb/internal/pgerr"
)

// CheckStore tries the object store of a configuration: whether it is there, takes
// conditional writes, gives back what was written, lists and deletes. It needs no
// data directory but for a store inside one.
func CheckStore(ctx context.Context, c config.Config, log *slog.Logger, out io.Writer) (err error) {
	n := &node{config: c, log: log, metrics: newMetrics()}
	d, err := n.coldDurations()
	if err != nil {
		return err
	}
	b, err := n.openBucket(d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if b.check != nil {
		if err := b.check(ctx); err != nil {
			return withHint(err)
		}
	}
	if err := objectstore.Probe(ctx, b.store); err != nil {
		return withHint(err)
	}
	page, err := b.store.List(ctx, "", "", 1)
	if err != nil {
		return withHint(err)
	}
	empty := "it holds objects"
	if len(page.Objects) == 0 {
		empty = "it is empty"
	}
	fmt.Fprintf(out, "ok: the store can be written, read, listed and deleted, and honours conditional writes; %s\n", empty)
	return nil
}

// withHint adds what an error of the store advises.
func withHint(err error) error {
	if hint := pgerr.As(err).Hint; hint != "" {
		return fmt.Errorf("%w\nhint: %s", err, hint)
	}
	return err
}
