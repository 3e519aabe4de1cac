package pgcatalog

import (
	"context"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/executor/run"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// testSession is a session of the superuser in the sample catalog.
type testSession struct {
	catalog *catalog.Snapshot
	path    []string
}

func (s *testSession) User() string        { return "postgres" }
func (s *testSession) SessionUser() string { return "postgres" }
func (s *testSession) Database() string    { return "postgres" }
func (s *testSession) PID() int            { return 7 }
func (s *testSession) SearchPath(implicit bool) []string {
	if implicit {
		return append([]string{"pg_catalog"}, s.path...)
	}
	return s.path
}
func (s *testSession) Catalog() *catalog.Snapshot                             { return s.catalog }
func (s *testSession) Setting(string) (string, bool)                          { return "", false }
func (s *testSession) SetSetting(_, value string, _ bool) (string, error)     { return value, nil }
func (s *testSession) NextValue(context.Context, types.OID) (int64, error)    { return 1, nil }
func (s *testSession) CurrentValue(types.OID) (int64, error)                  { return 1, nil }
func (s *testSession) LastValue() (int64, error)                              { return 1, nil }
func (s *testSession) SetValue(context.Context, types.OID, int64, bool) error { return nil }
func (s *testSession) Do(_ context.Context, name string, _ []types.Datum) (types.Datum, error) {
	switch name {
	case "pg_get_keywords":
		return types.NewArray(types.TextOID, []types.Datum{"abort U true", "select R true"}), nil
	case "pg_total_relation_size":
		return int64(8192), nil
	}
	return nil, pgerr.Unsupported("the function " + name)
}

// query plans and runs a statement and gives its rows in text form.
func query(t testing.TB, text string, params ...string) ([]string, error) {
	t.Helper()
	e := env()
	session := &testSession{catalog: e.Catalog, path: []string{"public"}}
	e.Session = session
	env := types.DefaultEnv()
	env.Names = Names(e)
	statements, err := sql.Parse(text)
	if err != nil {
		return nil, err
	}
	made, err := plan.Prepare(&plan.Env{Catalog: e.Catalog, Types: env, Session: session, Virtual: Columns}, statements[0].Tree, nil)
	if err != nil {
		return nil, err
	}
	values := make([]types.Datum, len(made.Params))
	for i, p := range made.Params {
		if values[i], err = types.Parse(p, types.NoTypmod, params[i], env); err != nil {
			return nil, err
		}
	}
	return execute(made, e, session, env, values)
}

func execute(made *plan.Plan, e *Env, session expr.Session, env *types.Env, params []types.Datum) ([]string, error) {
	x, err := run.Start(context.Background(), made, run.Env{
		Session: session, Types: env,
		Virtual: func(schema, name string, lookups []run.Lookup) (func() (types.Row, error), error) {
			same := make([]Lookup, len(lookups))
			for i, l := range lookups {
				same[i] = Lookup(l)
			}
			return Open(e, schema, name, same)
		},
	}, params)
	if err != nil {
		return nil, err
	}
	defer func() { _ = x.Close() }() // the rows are what is asked for
	var out []string
	for {
		row, err := x.Next(context.Background())
		if err != nil || row == nil {
			return out, err
		}
		cells := make([]string, len(made.Columns))
		for i, c := range made.Columns {
			cells[i] = "NULL"
			if row[i] != nil {
				cells[i] = types.FormatString(c.Type.OID, row[i], env)
			}
		}
		out = append(out, strings.Join(cells, "|"))
	}
}

var parameterLine = regexp.MustCompile(`(?m)^-- \$\d+ = (.*)$`)

func TestWhatClientsAskIsPlannedAndRun(t *testing.T) {
	text, err := os.ReadFile("testdata/clients.sql")
	if err != nil {
		t.Fatal(err)
	}
	client := ""
	for n, block := range strings.Split(string(text), "\n\n") {
		statement, params := block, []string(nil)
		for _, m := range parameterLine.FindAllStringSubmatch(block, -1) {
			params = append(params, m[1])
		}
		if head, rest, ok := strings.Cut(block, "\n"); ok && strings.HasPrefix(head, "-- ") {
			client, statement = strings.TrimPrefix(head, "-- "), rest
		}
		statement = parameterLine.ReplaceAllString(statement, "")
		if n == 0 || strings.TrimSpace(statement) == "" {
			continue
		}
		t.Run(client+" "+strconv.Itoa(n), func(t *testing.T) {
			if _, err := query(t, statement, params...); err != nil {
				t.Errorf("%v\n%s", err, statement)
			}
		})
	}
}

// Each answer is what PostgreSQL 15 says for the same tables, but for object ids.
func TestTheCatalogAnswersAsPostgreSQLDoes(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"SELECT typinput = 'array_in(cstring,oid,integer)'::regprocedure, typelem::regtype, typcategory FROM pg_type WHERE typname = '_vector'", "t|vector|A"},
		{"SELECT typinput, typoutput, typreceive, typsend, typarray::regtype FROM pg_type WHERE typname = 'int4'", "int4in|int4out|int4recv|int4send|integer[]"},
		{"SELECT 'pg_class'::regclass::oid, 'items'::regclass, 'public.items'::regclass::text, 20005::regclass", "1259|items|items|items_pkey"},
		{"SELECT 'information_schema.tables'::regclass, 'pg_catalog.pg_type'::regclass", "information_schema.tables|pg_type"},
		{"SELECT 'int'::regtype, '_int4'::regtype, 'varchar(10)'::regtype, 'vector(3)'::regtype, 'mood'::regtype", "integer|integer[]|character varying|vector|mood"},
		{"SELECT 'public'::regnamespace::oid, 11::regnamespace, 'postgres'::regrole::oid, 'lower(text)'::regprocedure", "2200|pg_catalog|10|lower(text)"},
		{"SELECT to_regclass('nothing'), to_regtype('nothing'), to_regclass('items'), to_regtype('vector[]')", "NULL|NULL|items|vector[]"},
		{"SELECT format_type(1043, 14), format_type(1042, NULL), format_type(1042, -1), format_type(16385, 3), format_type(1700, 655366), format_type(0, 0), format_type(9, 0)",
			"character varying(10)|character|bpchar|vector(3)|numeric(10,2)|-|???"},
		{"SELECT pg_get_indexdef(20008)", "CREATE INDEX items_lower_idx ON public.items USING btree (lower(title) DESC, ((price * 2))) INCLUDE (price) WHERE (price > 3)"},
		{"SELECT pg_get_indexdef(20008, 0, true)", "CREATE INDEX items_lower_idx ON items USING btree (lower(title) DESC, (price * 2)) INCLUDE (price) WHERE price > 3"},
		{"SELECT pg_get_indexdef(20008, 1, false), pg_get_indexdef(20008, 2, true), pg_get_indexdef(20008, 3, true)", "lower(title)|(price * 2)|price"},
		{"SELECT pg_get_indexdef(20007)", "CREATE INDEX items_embedding_idx ON public.items USING hnsw (embedding vector_cosine_ops) WITH (m='16', ef_construction='64')"},
		{"SELECT pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conname = 'items_price_check'", "CHECK ((price > 0))|CHECK (price > 0)"},
		{"SELECT pg_get_constraintdef(20004), pg_get_constraintdef(20006)", "FOREIGN KEY (id) REFERENCES shops(id) ON DELETE CASCADE|PRIMARY KEY (id)"},
		{"SELECT string_agg(pg_get_expr(adbin, adrelid), ' ; ' ORDER BY adnum) FROM pg_attrdef WHERE adrelid = 'items'::regclass",
			"nextval('items_id_seq'::regclass) ; 'none'::text ; (price * 2)"},
		{"SELECT pg_get_expr(adbin, adrelid, true) FROM pg_attrdef WHERE adrelid = 'items'::regclass AND adnum = 6", "price * 2"},
		{"SELECT pg_get_serial_sequence('items', 'id'), pg_get_userbyid(10), pg_get_userbyid(99)", "public.items_id_seq|postgres|unknown (OID=99)"},
		{"SELECT obj_description('items'::regclass, 'pg_class'), col_description('items'::regclass, 2), obj_description(2200, 'pg_namespace')", "things|what it is called|standard public schema"},
		{"SELECT pg_table_is_visible('items'::regclass), pg_type_is_visible('vector'::regtype), pg_table_is_visible('information_schema.tables'::regclass), pg_table_is_visible(1)", "t|t|f|NULL"},
		{"SELECT has_table_privilege('items', 'SELECT'), has_schema_privilege('postgres', 'public', 'CREATE'), has_database_privilege('postgres', 'CONNECT'), pg_has_role('postgres', 'USAGE')", "t|t|t|t"},
		{"SELECT current_schema(), current_schemas(true), current_database(), current_user, session_user, pg_backend_pid()", "public|{pg_catalog,public}|postgres|postgres|postgres|7"},
		{"SELECT pg_size_pretty(10239::int8), pg_size_pretty(10240::int8), pg_size_pretty(123456789::int8), pg_size_pretty(-1e12::numeric), pg_size_bytes('1.5 GB')", "10239 bytes|10 kB|118 MB|-931 GB|1610612736"},
		{"SELECT pg_encoding_to_char(6), pg_char_to_encoding('utf-8'), pg_char_to_encoding('nothing')", "UTF8|6|-1"},
		{"SELECT pg_index_column_has_property('items_lower_idx'::regclass, 1, 'desc'), pg_index_column_has_property('items_embedding_idx'::regclass, 1, 'distance_orderable')", "t|t"},
		{"SELECT string_agg(option_name || ':' || option_value, ',') FROM pg_options_to_table('{m=16,x=}'::text[])", "m:16,x:"},
		{"SELECT (information_schema._pg_expandarray(indkey)).n FROM pg_index WHERE indexrelid = 'items_pkey'::regclass", "1"},
		{"SELECT data_type, udt_schema, udt_name FROM information_schema.columns WHERE table_name = 'items' AND column_name = 'embedding'", "USER-DEFINED|public|vector"},
		{"SELECT data_type, udt_name, numeric_precision, numeric_scale, is_nullable FROM information_schema.columns WHERE table_name = 'items' AND column_name = 'price'", "numeric|numeric|10|2|YES"},
		{"SELECT string_agg(constraint_name || ' ' || constraint_type, ', ' ORDER BY constraint_name) FROM (SELECT constraint_name, constraint_type FROM information_schema.table_constraints WHERE table_name = 'items') c",
			"2200_20001_1_not_null CHECK, items_id_fkey FOREIGN KEY, items_pkey PRIMARY KEY, items_price_check CHECK"},
		{"SELECT unique_constraint_name, update_rule, delete_rule FROM information_schema.referential_constraints", "shops_pkey|NO ACTION|CASCADE"},
		{"SELECT extname, extversion FROM pg_extension WHERE extname = 'vector'", "vector|0.8.0"},
		{"SELECT amname, opcname, opcintype::regtype, opcdefault FROM pg_opclass o JOIN pg_am a ON a.oid = opcmethod WHERE opcname = 'vector_l2_ops' AND amname = 'ivfflat'", "ivfflat|vector_l2_ops|vector|t"},
		{"SELECT indkey, indclass::oid[] = ARRAY[1978::oid], indoption FROM pg_index WHERE indexrelid = 20021", "1|f|0"},
		{"SELECT pg_describe_object('pg_class'::regclass, 'items'::regclass, 1), pg_describe_object('pg_constraint'::regclass, 20003, 0)", "column id of table items|constraint items_price_check on table items"},
		{"SELECT deptype, refobjid::regclass, refobjsubid FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = 'items_id_seq'::regclass AND deptype = 'a'", "a|items|1"},
		{"SELECT tableoid::regclass, pg_class.tableoid FROM pg_class WHERE relname = 'items'", "pg_class|1259"},
		{"SELECT proname, pg_get_function_arguments(oid), pg_get_function_result(oid) FROM pg_proc WHERE proname = 'pg_terminate_backend'", "pg_terminate_backend|pid integer, timeout bigint DEFAULT 0|boolean"},
		{"SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = 'mood'::regtype", "sad,ok"},
		{"SELECT definition FROM pg_views WHERE viewname = 'titles'", " SELECT title FROM items;"},
		{"SELECT name, tier, pinned FROM akidb.collection_tiers ORDER BY name LIMIT 1", "items|hot|f"},
	} {
		rows, err := query(t, c.query)
		if err != nil {
			t.Errorf("%s\n%v", c.query, err)
		} else if got := strings.Join(rows, "\n"); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	}
}

func TestNamesThatDoNotExistAreErrors(t *testing.T) {
	for query_, want := range map[string]string{
		"SELECT 'nothing'::regclass":                              `42P01 relation "nothing" does not exist`,
		"SELECT 'nothing.items'::regclass":                        `3F000 schema "nothing" does not exist`,
		"SELECT 'nothing'::regtype":                               `42704 type "nothing" does not exist`,
		"SELECT 'nothing'::regproc":                               `42883 function "nothing" does not exist`,
		"SELECT 'l2_distance'::regproc":                           `42725 more than one function named "l2_distance"`,
		"SELECT 'nothing'::regrole":                               `42704 role "nothing" does not exist`,
		"SELECT 'nothing'::regnamespace":                          `3F000 schema "nothing" does not exist`,
		"SELECT has_table_privilege('nothing', 'SELECT')":         `42P01 relation "nothing" does not exist`,
		"SELECT has_table_privilege('items', 'EAT')":              `22023 unrecognized privilege type: "EAT"`,
		"SELECT has_table_privilege('nobody', 'items', 'SELECT')": `42704 role "nobody" does not exist`,
		"SELECT pg_get_serial_sequence('items', 'nothing')":       `42703 column "nothing" of relation "items" does not exist`,
		"SELECT current_setting('nothing')":                       `42704 unrecognized configuration parameter "nothing"`,
	} {
		_, err := query(t, query_)
		e := pgerr.As(err)
		if e == nil {
			t.Errorf("%s: %v, want %s", query_, err, want)
		} else if got := e.Code + " " + e.Message; got != want {
			t.Errorf("%s:\n got %s\nwant %s", query_, got, want)
		}
	}
}
