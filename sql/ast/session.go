package ast

type (
	// Transaction is BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE, ROLLBACK TO,
	// PREPARE TRANSACTION and so on; Kind holds those words.
	Transaction struct {
		Kind      string
		Name      string // savepoint
		Isolation string // "", read committed, repeatable read, serializable, read uncommitted
		ReadOnly  *bool
		Chain     bool
	}
	// Set is SET, SET LOCAL, RESET, SET … TO DEFAULT, RESET ALL, SET TIME ZONE, SET TRANSACTION (Name transaction), SET SESSION CHARACTERISTICS.
	Set struct {
		Name    string // lower case; "all" for RESET ALL
		Values  []Expr // *Const, or *TypeCast for SET TIME ZONE INTERVAL
		Local   bool
		Reset   bool // RESET or TO DEFAULT
		Default bool // SET … TO DEFAULT, which resets under SET's name
		Options []Option
	}
	// SetConstraints is SET CONSTRAINTS; no names is ALL.
	SetConstraints struct {
		Names    [][]string
		Deferred bool
	}
	// Show is SHOW; Name "all" for SHOW ALL, "tiers" and "snapshots" for AkiDB's own.
	Show struct{ Name string }
	// Explain is EXPLAIN.
	Explain struct {
		Query   Stmt
		Options []Option // analyze, verbose, format, costs, buffers, timing, summary, settings
	}
	// Prepare is PREPARE name (types) AS query.
	Prepare struct {
		Name  string
		Types []*TypeName
		Query Stmt
	}
	// Execute is EXECUTE name (args).
	Execute struct {
		Name string
		Args []Expr
	}
	// Deallocate is DEALLOCATE name, ALL when Name is "".
	Deallocate struct{ Name string }
	// Copy is COPY.
	Copy struct {
		Table   *RangeVar // nil when Query is set
		Query   Stmt
		Columns []string
		From    bool
		File    string // server-side file; "" is STDIN/STDOUT
		Program bool
		Options []Option // format, delimiter, null, header, quote, escape, force_quote, force_null, force_not_null, freeze, encoding, default
		Where   Expr
	}
	// Declare is DECLARE CURSOR.
	Declare struct {
		Name     string
		Query    Stmt
		Scroll   bool
		NoScroll bool
		Hold     bool
		Binary   bool
	}
	// Fetch is FETCH and MOVE. Direction is FORWARD, BACKWARD, ABSOLUTE, RELATIVE; Count is 1<<63-1 for ALL.
	Fetch struct {
		Name      string
		Direction string
		Count     int64
		Move      bool
	}
	// Close is CLOSE; Name "" is ALL.
	Close struct{ Name string }
	// Listen is LISTEN, Unlisten UNLISTEN ("*" for all), Notify NOTIFY.
	Listen struct{ Channel string }
	// Unlisten is UNLISTEN.
	Unlisten struct{ Channel string }
	// Notify is NOTIFY.
	Notify struct{ Channel, Payload string }
	// LockTable is LOCK TABLE.
	LockTable struct {
		Tables []*RangeVar
		Mode   string // ACCESS SHARE … ACCESS EXCLUSIVE
		NoWait bool
	}
	// Vacuum is VACUUM and ANALYZE.
	Vacuum struct {
		Analyze bool // ANALYZE alone
		Tables  []*RangeVar
		Options []Option
	}
	// Discard is DISCARD ALL | PLANS | SEQUENCES | TEMP.
	Discard struct{ What string }
	// Checkpoint is CHECKPOINT.
	Checkpoint struct{}
	// AlterSystem is ALTER SYSTEM SET.
	AlterSystem struct{ Set *Set }
)

func (*Transaction) stmt()    {}
func (*SetConstraints) stmt() {}
func (*Set) stmt()            {}
func (*Show) stmt()           {}
func (*Explain) stmt()        {}
func (*Prepare) stmt()        {}
func (*Execute) stmt()        {}
func (*Deallocate) stmt()     {}
func (*Copy) stmt()           {}
func (*Declare) stmt()        {}
func (*Fetch) stmt()          {}
func (*Close) stmt()          {}
func (*Listen) stmt()         {}
func (*Unlisten) stmt()       {}
func (*Notify) stmt()         {}
func (*LockTable) stmt()      {}
func (*Vacuum) stmt()         {}
func (*Discard) stmt()        {}
func (*Checkpoint) stmt()     {}
func (*AlterSystem) stmt()    {}
