package dir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// List implements objectstore.Store. It reads only folders that can hold keys of
// the page.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) (objectstore.Page, error) {
	if err := objectstore.CheckPrefix(prefix); err != nil {
		return objectstore.Page{}, &objectstore.Error{Class: objectstore.Invalid, Op: objectstore.OpList, Place: s.String(), Key: prefix, Err: err}
	}
	if limit <= 0 || limit > objectstore.MaxPage {
		limit = objectstore.MaxPage
	}
	l := lister{ctx: ctx, root: s.root, prefix: prefix, after: after, limit: limit}
	_, err := os.Stat(s.root)
	if err == nil {
		err = l.folder("")
	}
	if err != nil {
		return objectstore.Page{}, s.fail(ctx, objectstore.OpList, prefix, err)
	}
	return l.page, nil
}

type lister struct {
	ctx           context.Context
	root          string
	prefix, after string
	limit         int
	page          objectstore.Page
}

// folder goes through the entries of a folder in the order of their keys: a
// folder's name counts with its slash, since "a-b" comes before "a/b".
func (l *lister) folder(rel string) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(l.root, filepath.FromSlash(rel)))
	if err != nil {
		return missing(err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(name(a), name(b)) })
	for _, e := range entries {
		if e.Name()[0] == '.' {
			continue
		}
		if err := l.entry(rel+name(e), e); err != nil || l.page.More {
			return err
		}
	}
	return nil
}

func (l *lister) entry(key string, e fs.DirEntry) error {
	if e.IsDir() {
		if l.reaches(key) {
			return l.folder(key)
		}
		return nil
	}
	if !e.Type().IsRegular() || key <= l.after || !strings.HasPrefix(key, l.prefix) {
		return nil
	}
	if len(l.page.Objects) == l.limit {
		l.page.More = true
		return nil
	}
	fi, err := e.Info()
	if err != nil {
		return missing(err)
	}
	l.page.Objects = append(l.page.Objects, info(key, fi))
	return nil
}

// reaches reports whether keys of the page can lie in the folder.
func (l *lister) reaches(folder string) bool {
	inside := strings.HasPrefix(folder, l.prefix) || strings.HasPrefix(l.prefix, folder)
	passed := folder <= l.after && !strings.HasPrefix(l.after, folder)
	return inside && !passed
}

func name(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}

// missing forgives what was deleted during the listing.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
