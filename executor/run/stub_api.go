package run

import (
	"context"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

// Stubs of the API under construction; each moves to its own file.

// Execution is a running plan.
type Execution struct{}

// Start prepares an execution; nothing is read yet. Modifying CTEs run to their end before the main query's last row.
func Start(ctx context.Context, p *plan.Plan, env Env, params []types.Datum) (*Execution, error) {
	return nil, nil
}

// Next returns the next row, valid until the next call, nil at the end. For a
// statement without result columns the first call does everything. ctx may differ between calls.
func (x *Execution) Next(ctx context.Context) (types.Row, error) { return nil, nil }

// Affected is the number for the command tag: rows modified, or rows returned.
func (x *Execution) Affected() int64 { return 0 }

// Stats gives what a node did; nil without Env.Analyze.
func (x *Execution) Stats(n plan.Node) *plan.NodeStats { return nil }

// Close frees everything; it may be called at any time, more than once.
func (x *Execution) Close() error { return nil }
