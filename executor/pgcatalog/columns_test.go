package pgcatalog

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// changed16 are the columns of PostgreSQL 15 that 16 moved or gave another type.
var changed16 = map[string]bool{"pg_attribute": true, "pg_auth_members": true}

func TestColumnsAreThoseOfPostgreSQLInItsOrder(t *testing.T) {
	text, err := os.ReadFile("testdata/columns15.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines(string(text)) {
		words := strings.SplitN(line, " ", 3)
		schema, name, _ := strings.Cut(words[0], ".")
		r := relations().byName[[2]string{schema, name}]
		if r == nil {
			t.Errorf("no relation %s", words[0])
			continue
		}
		if r.kind != words[1] {
			t.Errorf("%s is of kind %s, not %s", words[0], r.kind, words[1])
		}
		var want []string
		for _, c := range strings.Split(words[2], ",") {
			column, typ, _ := strings.Cut(c, " ")
			want = append(want, column)
			i, ok := r.positions[column]
			if !ok {
				t.Errorf("%s has no column %s", words[0], column)
			} else if r.columns[i].Type.OID != columnType(typ) && !changed16[name] {
				t.Errorf("%s.%s is of type %d, not %s", words[0], column, r.columns[i].Type.OID, typ)
			}
		}
		if have := known(r, want); !changed16[name] && !slices.Equal(have, want) {
			t.Errorf("%s has its columns in the order %v, not %v", words[0], have, want)
		}
	}
}

// known are a relation's columns without those that a newer version added.
func known(r *relation, names []string) []string {
	var out []string
	for _, c := range r.columns {
		if slices.Contains(names, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

// asked are the relations that clients were seen to read.
const asked = `pg_class pg_attribute pg_attrdef pg_type pg_namespace pg_index pg_constraint pg_am pg_proc pg_range pg_enum pg_description
pg_database pg_roles pg_settings pg_sequence pg_collation pg_depend pg_extension pg_tables pg_indexes pg_views pg_inherits pg_tablespace
pg_prepared_statements pg_stat_activity pg_statio_all_tables pg_opclass pg_operator pg_cast pg_trigger pg_rewrite pg_policy pg_publication
pg_publication_rel pg_publication_namespace pg_subscription pg_statistic_ext pg_partitioned_table pg_foreign_table pg_foreign_server
pg_foreign_data_wrapper pg_user_mappings pg_event_trigger pg_default_acl pg_init_privs pg_seclabels pg_shseclabel pg_largeobject_metadata
pg_transform pg_conversion pg_ts_config pg_ts_dict pg_ts_parser pg_ts_template pg_auth_members pg_authid pg_db_role_setting
pg_parameter_acl pg_shdescription pg_stat_user_tables pg_stat_user_indexes pg_stats pg_matviews pg_rules pg_locks pg_sequences
pg_language pg_aggregate pg_opfamily pg_amop pg_amproc pg_available_extensions pg_timezone_names`

func TestEveryRelationThatClientsReadIsThere(t *testing.T) {
	for _, name := range strings.Fields(asked) {
		if Columns("pg_catalog", name) == nil {
			t.Errorf("no relation %s", name)
		}
	}
}
