package executor_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/tiering"
)

// server is an engine over a real store in a directory of its own.
type server struct {
	dir     string
	store   *rowstore.Store
	manager *tiering.Manager
	engine  *executor.Engine
}

// source is the storage as node joins it.
type source struct {
	*rowstore.Store
	manager *tiering.Manager
}

func (s source) Begin(ctx context.Context, opts storage.TxnOptions) (executor.Txn, error) {
	tx, err := s.manager.Begin(ctx, opts)
	if err != nil {
		return nil, err
	}
	return tx, nil
}

func (s source) TierState(table types.OID) storage.TierState { return s.manager.TierState(table) }

func (s source) PlanTiering() []storage.PlannedMove { return s.manager.PlanTiering() }

func (s source) RunTieringCycle(ctx context.Context) error { return s.manager.RunTieringCycle(ctx) }

func (s source) BuildProgress() map[types.OID]storage.BuildProgress { return s.manager.BuildProgress() }

func (s *server) open(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	s.manager = tiering.New(tiering.Options{Dir: filepath.Join(s.dir, "index"), Workers: 1, Keyer: executor.NewKeyer()})
	var err error
	s.store, err = rowstore.Open(ctx, rowstore.Options{Dir: filepath.Join(s.dir, "rows"), Observer: s.manager, Keyer: executor.NewKeyer()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.manager.Start(ctx, s.store); err != nil {
		t.Fatal(err)
	}
	s.engine, err = executor.New(ctx, executor.Options{Source: source{s.store, s.manager}, TempDir: s.dir})
	if err != nil {
		t.Fatal(err)
	}
}

// close stops the server and has the store checked.
func (s *server) close(t *testing.T) {
	t.Helper()
	if err := s.manager.Close(); err != nil {
		t.Error(err)
	}
	if err := s.store.Close(); err != nil {
		t.Error(err)
	}
	report, err := rowstore.Check(context.Background(), filepath.Join(s.dir, "rows"), executor.NewKeyer(), nil)
	if err != nil {
		t.Error(err)
	}
	for _, p := range report.Problems {
		t.Error(p)
	}
}

// transcript runs statements as psql would and writes down what comes back.
type transcript struct {
	session executor.Session
	out     strings.Builder
}

func (s *server) session(t *testing.T, user string) *transcript {
	t.Helper()
	tr := &transcript{}
	var err error
	tr.session, err = s.engine.NewSession(context.Background(), executor.SessionOptions{
		User: user, Database: "postgres", Notice: func(e *pgerr.Error) { tr.message(e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func (tr *transcript) message(e *pgerr.Error) {
	severity := e.Severity
	if severity == "" {
		severity = "ERROR"
	}
	fmt.Fprintf(&tr.out, "%s: %s: %s\n", severity, e.Code, e.Message)
	for _, part := range [][2]string{{"DETAIL", e.Detail}, {"HINT", e.Hint}} {
		if part[1] != "" {
			fmt.Fprintf(&tr.out, "%s: %s\n", part[0], part[1])
		}
	}
}

// run executes a string of statements; after an error the rest is left out.
func (tr *transcript) run(text string) string {
	tr.out.Reset()
	ctx := context.Background()
	stmts, err := tr.session.Parse(text)
	for i := 0; err == nil && i < len(stmts); i++ {
		if err = tr.statement(ctx, stmts, i); err == nil {
			err = tr.session.Sync(ctx)
		}
	}
	if err != nil {
		e := pgerr.As(err)
		if e == nil {
			e = pgerr.New(pgerr.InternalError, err.Error())
		}
		tr.message(e)
		tr.session.Fail()
	}
	if tr.out.Len() == 0 {
		return "ok\n"
	}
	return tr.out.String()
}

func (tr *transcript) statement(ctx context.Context, stmts []sql.Statement, i int) error {
	prepared, err := tr.session.Prepare(ctx, "", &stmts[i], nil)
	if err != nil {
		return err
	}
	portal, err := tr.session.Bind(ctx, "", prepared, nil)
	if err != nil {
		return err
	}
	for {
		row, err := portal.Next(ctx)
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		values := make([]string, len(row))
		for i, d := range row {
			values[i] = "NULL"
			if d != nil {
				values[i] = types.FormatString(prepared.Columns()[i].Type, d, tr.session.Env())
			}
		}
		fmt.Fprintln(&tr.out, strings.Join(values, "|"))
	}
	if tag := portal.Tag(); !strings.HasPrefix(tag, "SELECT") || portal.Kind() == executor.PortalCommand {
		fmt.Fprintln(&tr.out, tag)
	}
	return nil
}

// TestSchemaChanges runs the transcripts in testdata/ddl. Commands: exec runs
// statements in the session named by its argument (one for the whole file by
// default; user=… makes it another role's), restart stops and starts the server.
func TestSchemaChanges(t *testing.T) {
	datadriven.Walk(t, "testdata/ddl", func(t *testing.T, path string) {
		s := &server{dir: t.TempDir()}
		s.open(t)
		sessions := map[string]*transcript{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "exec":
				name, user := "", "postgres"
				d.MaybeScanArgs(t, "session", &name)
				d.MaybeScanArgs(t, "user", &user)
				tr := sessions[user+"/"+name]
				if tr == nil {
					tr = s.session(t, user)
					sessions[user+"/"+name] = tr
				}
				return tr.run(d.Input)
			case "restart":
				for _, tr := range sessions {
					tr.session.Close()
				}
				clear(sessions)
				s.close(t)
				s.open(t)
				return "ok\n"
			}
			t.Fatalf("unknown command %q", d.Cmd)
			return ""
		})
		for _, tr := range sessions {
			tr.session.Close()
		}
		s.close(t)
	})
}
