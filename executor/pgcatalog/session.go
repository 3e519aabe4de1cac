package pgcatalog

import (
	"net"
	"strconv"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// dynamic makes a source of rows that the executor gives, each laid out anew.
func dynamic(name string, layout func(b *builder, row types.Row) types.Row) *source {
	return &source{all: func(b *builder) error {
		rows, err := b.env.dynamicRows(name)
		if err != nil {
			return err
		}
		for _, row := range rows {
			b.add(layout(b, row)...)
		}
		return nil
	}}
}

func (e *Env) dynamicRows(name string) ([]types.Row, error) {
	if fn := e.Dynamic[name]; fn != nil {
		return fn()
	}
	return nil, nil
}

func sameRow(_ *builder, row types.Row) types.Row { return row }

// activityRow lays out pid, usename, datname, application_name, client address,
// backend_start, xact_start, query_start, state_change, state, query.
func activityRow(b *builder, r types.Row) types.Row {
	address, port := clientAddress(r[4])
	waitType, wait := types.Datum(nil), types.Datum(nil)
	if r[9] != "active" {
		waitType, wait = "Client", "ClientRead"
	}
	user, _ := r[1].(string)
	return types.Row{
		b.databaseID(r[2]), r[2], r[0], nil, oid(roleOID(b.env.Catalog, user)), r[1], r[3], address, nil, port,
		r[5], r[6], r[7], r[8], waitType, wait, r[9], nil, nil, nil, r[10], "client backend",
	}
}

func (b *builder) databaseID(name types.Datum) types.Datum {
	text, _ := name.(string)
	if d := b.env.Catalog.Named(catalog.KindDatabase, "", text); d != nil {
		return oid(d.ObjectID())
	}
	return oid(databaseOID)
}

// clientAddress splits an address; over a Unix socket there is none and the port is -1.
func clientAddress(d types.Datum) (address, port types.Datum) {
	text, _ := d.(string)
	host, p, err := net.SplitHostPort(text)
	if err != nil {
		host = text
	}
	if net.ParseIP(host) == nil {
		return nil, int64(-1)
	}
	if n, err := strconv.Atoi(p); err == nil {
		port = int64(n)
	}
	return host, port
}

// preparedRow lays out name, statement, prepare_time, parameter_types, from_sql.
func preparedRow(_ *builder, r types.Row) types.Row {
	return types.Row{r[0], r[1], r[2], r[3], nil, r[4], int64(0), int64(0)}
}

// cursorRow lays out name, statement, is_holdable, is_binary, is_scrollable, creation_time.
func cursorRow(_ *builder, r types.Row) types.Row { return r[:6] }

// progressRow lays out index oid, table oid, phase, done, total, the builder's pid.
func progressRow(b *builder, r types.Row) types.Row {
	zero := types.Datum(int64(0))
	return types.Row{
		r[5], b.databaseID(b.database()), b.database(), r[1], r[0], "CREATE INDEX", r[2], zero, zero, zero, zero, zero, r[4], r[3], zero, zero,
	}
}

// settingsView lays out name, setting, unit, category, description, context,
// type, minimum, maximum, enum values, boot value, reset value.
var settingsView = dynamic("pg_settings", func(_ *builder, r types.Row) types.Row {
	return types.Row{
		r[0], r[1], r[2], r[3], r[4], nil, r[5], r[6], settingSource(r), r[7], r[8], r[9], r[10], r[11], nil, nil, false,
	}
})

func settingSource(r types.Row) types.Datum {
	switch {
	case r[1] != r[11]:
		return "session"
	case r[1] != r[10]:
		return "configuration file"
	}
	return "default"
}
