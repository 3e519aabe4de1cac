package pgcatalog

import (
	"sort"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// predefinedRoles are those that every PostgreSQL has.
var predefinedRoles = []*catalog.Role{
	{ID: 6171, Name: "pg_database_owner", ConnLimit: -1}, {ID: 6181, Name: "pg_read_all_data", ConnLimit: -1},
	{ID: 6182, Name: "pg_write_all_data", ConnLimit: -1}, {ID: 3373, Name: "pg_monitor", ConnLimit: -1},
	{ID: 3374, Name: "pg_read_all_settings", ConnLimit: -1}, {ID: 3375, Name: "pg_read_all_stats", ConnLimit: -1},
	{ID: 3377, Name: "pg_stat_scan_tables", ConnLimit: -1}, {ID: 4569, Name: "pg_read_server_files", ConnLimit: -1},
	{ID: 4570, Name: "pg_write_server_files", ConnLimit: -1}, {ID: 4571, Name: "pg_execute_server_program", ConnLimit: -1},
	{ID: 4200, Name: "pg_signal_backend", ConnLimit: -1}, {ID: 4544, Name: "pg_checkpoint", ConnLimit: -1},
}

// roleSource makes a source with one row a role.
func roleSource(owner, name string, predefined bool, row func(r *catalog.Role) types.Row) *source {
	s := &source{
		kinds: []catalog.Kind{catalog.KindRole}, owner: owner, name: name,
		objects: func(b *builder, o catalog.Object) {
			if values := row(o.(*catalog.Role)); values != nil {
				b.add(values...)
			}
		},
	}
	if predefined {
		s.fixed = func() []types.Row {
			var rows []types.Row
			for _, r := range predefinedRoles {
				rows = append(rows, row(r))
			}
			return rows
		}
	}
	return s
}

const hiddenPassword = "********"

var (
	authidSource = roleSource("oid", "rolname", true, func(r *catalog.Role) types.Row {
		return types.Row{oid(r.ID), r.Name, r.Super, true, r.CreateRole, r.CreateDB, r.Login, r.Super, r.Super, int64(r.ConnLimit), orNull(r.Verifier), nil}
	})
	rolesSource = roleSource("oid", "rolname", true, func(r *catalog.Role) types.Row {
		return types.Row{
			r.Name, r.Super, true, r.CreateRole, r.CreateDB, r.Login, r.Super, int64(r.ConnLimit), hiddenPassword, nil, r.Super, options(r.Settings), oid(r.ID),
		}
	})
	userSource = roleSource("usesysid", "usename", false, func(r *catalog.Role) types.Row {
		if !r.Login {
			return nil
		}
		return types.Row{r.Name, oid(r.ID), r.CreateDB, r.Super, r.Super, r.Super, hiddenPassword, nil, options(r.Settings)}
	})
	shadowSource = roleSource("usesysid", "usename", false, func(r *catalog.Role) types.Row {
		if !r.Login {
			return nil
		}
		return types.Row{r.Name, oid(r.ID), r.CreateDB, r.Super, r.Super, r.Super, orNull(r.Verifier), nil, options(r.Settings)}
	})
)

func (b *builder) roles() []*catalog.Role {
	out := append([]*catalog.Role(nil), predefinedRoles...)
	for _, o := range b.env.Catalog.Objects(catalog.KindRole) {
		out = append(out, o.(*catalog.Role))
	}
	return out
}

var groupSource = &source{all: func(b *builder) error {
	for _, group := range b.roles() {
		if group.Login {
			continue
		}
		var members []types.OID
		for _, r := range b.roles() {
			for _, parent := range r.MemberOf {
				if parent == group.Name {
					members = append(members, r.ID)
				}
			}
		}
		b.add(group.Name, oid(group.ID), oidarray(members))
	}
	return nil
}}

var memberSource = &source{all: func(b *builder) error {
	byName := map[string]types.OID{}
	for _, r := range b.roles() {
		byName[r.Name] = r.ID
	}
	for _, r := range b.roles() {
		for i, parent := range r.MemberOf {
			b.add(oid(defaultOID(r.ID, int16(i+1))), oid(byName[parent]), oid(r.ID), oid(superuserOID), false, true, true)
		}
	}
	return nil
}}

var roleSettingSource = &source{all: func(b *builder) error {
	for _, o := range b.env.Catalog.Objects(catalog.KindDatabase) {
		if d := o.(*catalog.Database); len(d.Settings) > 0 {
			b.add(oid(d.ID), oid(0), options(d.Settings))
		}
	}
	for _, r := range b.roles() {
		if len(r.Settings) > 0 {
			b.add(oid(0), oid(r.ID), options(r.Settings))
		}
	}
	return nil
}}

// roleNames are all roles, sorted.
func (b *builder) roleNames() []string {
	var names []string
	for _, r := range b.roles() {
		names = append(names, r.Name)
	}
	sort.Strings(names)
	return names
}
