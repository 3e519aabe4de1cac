package httpapi

import (
	"net/http"
	"strconv"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// tiers are the tiers from the hottest on.
var tiers = []string{"hot", "warm", "cold"}

// tierState is the collection's row of akidb.collection_tiers.
func (rq *request) tierState(c *collection) (map[string]any, error) {
	var s statement
	s.text = "SELECT * FROM akidb.collection_tiers WHERE name = " + s.param(types.RegclassOID, int64(c.table.ID)) + "::text"
	rows, err := rq.objects(s, nil)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, pgerr.Newf(pgerr.UndefinedTable, "collection %q does not exist", c.table.Name)
	}
	delete(rows[0], "name")
	return rows[0], nil
}

// objects runs a query and makes an object of each row that keep wants.
func (rq *request) objects(s statement, keep func(map[string]any) bool) ([]map[string]any, error) {
	out := []map[string]any{}
	var columns []executor.ResultColumn
	err := rq.conn.run(rq.ctx, s, func(row types.Row) error {
		if columns == nil {
			columns = rq.conn.prepared[s.text].Columns()
		}
		o := map[string]any{}
		for i, col := range columns {
			o[col.Name] = rawJSON(appendValue(nil, col.Type, row[i], rq.env()))
		}
		if keep == nil || keep(o) {
			out = append(out, o)
		}
		return nil
	})
	return out, err
}

// rawJSON is text that is JSON already.
type rawJSON []byte

// MarshalJSON gives the text as it is.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// showTier answers GET /collections/{name}/tier.
func (a *API) showTier(rq *request) error {
	c, err := rq.collection()
	if err != nil {
		return err
	}
	return rq.sendTier(http.StatusOK, c)
}

func (rq *request) sendTier(status int, c *collection) error {
	state, err := rq.tierState(c)
	if err != nil {
		return err
	}
	return rq.sendJSON(status, state)
}

// setTier answers POST /collections/{name}/tier.
func (a *API) setTier(rq *request) error {
	return rq.moveTo(func(*collection) (string, error) {
		return "", invalid(`"tier" is missing`).WithHint("%s", oneOf(tiers...))
	})
}

// promote answers POST /collections/{name}/tier/promote: one tier hotter, or as the body says.
func (a *API) promote(rq *request) error {
	return rq.moveTo(func(c *collection) (string, error) { return neighbour(c, -1) })
}

// demote answers POST /collections/{name}/tier/demote.
func (a *API) demote(rq *request) error {
	return rq.moveTo(func(c *collection) (string, error) { return neighbour(c, 1) })
}

// neighbour is the tier beside the collection's: -1 is hotter.
func neighbour(c *collection, step int) (string, error) {
	now := c.table.Tier.String()
	for i, t := range tiers {
		if t != now {
			continue
		}
		if i += step; i >= 0 && i < len(tiers) {
			return tiers[i], nil
		}
	}
	return "", pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, "collection %q is %s already", c.table.Name, now)
}

// moveTo sets the tier that the body names, or that usual gives. A move goes on
// after the answer (202), unless the body says "wait".
func (rq *request) moveTo(usual func(*collection) (string, error)) error {
	c, err := rq.collection()
	if err != nil {
		return err
	}
	list, err := readObject(rq.Request)
	if err != nil {
		return err
	}
	tier, wait := "", false
	if err := (fields{text: map[string]*string{"tier": &tier}, flag: map[string]*bool{"wait": &wait}}).read(list); err != nil {
		return err
	}
	if tier == "" {
		if tier, err = usual(c); err != nil {
			return err
		}
	}
	if tier != "hot" && tier != "warm" && tier != "cold" {
		return invalid("unknown tier %q", tier).WithHint("%s", oneOf(tiers...))
	}
	text, status := "ALTER COLLECTION "+c.quoted+" SET TIER "+tier, http.StatusAccepted
	if wait {
		text, status = text+" WAIT", http.StatusOK
	}
	if err := rq.conn.command(rq.ctx, text); err != nil {
		return err
	}
	return rq.sendTier(status, c)
}

// pin answers POST /collections/{name}/tier/pin, unpin …/unpin.
func (a *API) pin(rq *request) error   { return rq.alter("PIN") }
func (a *API) unpin(rq *request) error { return rq.alter("UNPIN") }

func (rq *request) alter(action string) error {
	c, err := rq.collection()
	if err != nil {
		return err
	}
	if err := rq.conn.command(rq.ctx, "ALTER COLLECTION "+c.quoted+" "+action); err != nil {
		return err
	}
	return rq.sendTier(http.StatusOK, c)
}

// snapshots answers GET /collections/{name}/snapshots.
func (a *API) snapshots(rq *request) error {
	c, err := rq.collection()
	if err != nil {
		return err
	}
	list, err := rq.snapshotsOf(c, "")
	if err != nil {
		return err
	}
	return rq.sendJSON(http.StatusOK, map[string]any{"snapshots": list})
}

// snapshotsOf lists a collection's snapshots, or the one of a name.
func (rq *request) snapshotsOf(c *collection, name string) ([]map[string]any, error) {
	names := map[string]bool{c.table.Name: true, c.table.Schema + "." + c.table.Name: true, c.quoted: true, sql.QuoteIdent(c.table.Name): true}
	return rq.objects(statement{text: "SHOW SNAPSHOTS"}, func(o map[string]any) bool {
		for _, key := range []string{"rows", "bytes"} { // SHOW prints them as text
			if n, err := strconv.ParseInt(textOf(o[key]), 10, 64); err == nil {
				o[key] = n
			}
		}
		return names[textOf(o["collection"])] && (name == "" || textOf(o["name"]) == name)
	})
}

func textOf(v any) string {
	raw, _ := v.(rawJSON)
	if len(raw) == 0 || raw[0] != '"' {
		return ""
	}
	s, err := unquote(raw)
	if err != nil {
		return ""
	}
	return s
}

// onlyText reads a body that has one text and nothing else; hint says what it is.
func (rq *request) onlyText(key, hint string) (string, error) {
	list, err := readObject(rq.Request)
	if err != nil {
		return "", err
	}
	text := ""
	if err := (fields{text: map[string]*string{key: &text}}).read(list); err != nil {
		return "", err
	}
	if text == "" {
		return "", invalid("%q is missing", key).WithHint("%s", hint)
	}
	return text, nil
}

// createSnapshot answers POST /collections/{name}/snapshots.
func (a *API) createSnapshot(rq *request) error {
	c, err := rq.collection()
	if err != nil {
		return err
	}
	name, err := rq.onlyText("name", "It is the name of the snapshot to make.")
	if err != nil {
		return err
	}
	if err := rq.conn.command(rq.ctx, "CREATE SNAPSHOT "+sql.QuoteIdent(name)+" OF "+c.quoted); err != nil {
		return err
	}
	made, err := rq.snapshotsOf(c, name)
	if err != nil {
		return err
	}
	if len(made) == 0 { // dropped by another meanwhile
		return rq.sendJSON(http.StatusCreated, map[string]any{"name": name})
	}
	return rq.sendJSON(http.StatusCreated, made[0])
}

// ofCollection says whether the path's snapshot is one of the path's collection.
func (rq *request) ofCollection(c *collection) (string, error) {
	name := rq.PathValue("snapshot")
	list, err := rq.snapshotsOf(c, name)
	if err == nil && len(list) == 0 {
		err = pgerr.Newf(pgerr.UndefinedObject, "collection %q has no snapshot %q", c.table.Name, name)
	}
	return name, err
}

// dropSnapshot answers DELETE /collections/{name}/snapshots/{snapshot}.
func (a *API) dropSnapshot(rq *request) error {
	c, err := rq.collection()
	if err != nil {
		return err
	}
	name, err := rq.ofCollection(c)
	if err != nil {
		return err
	}
	if err := rq.conn.command(rq.ctx, "DROP SNAPSHOT "+sql.QuoteIdent(name)); err != nil {
		return err
	}
	return rq.send(http.StatusNoContent)
}

// restoreSnapshot answers POST /collections/{name}/snapshots/{snapshot}/restore.
func (a *API) restoreSnapshot(rq *request) error {
	c, err := rq.collection()
	if err != nil {
		return err
	}
	as, err := rq.onlyText("as", "It is the name of the collection to make.")
	if err != nil {
		return err
	}
	name, err := rq.ofCollection(c)
	if err != nil {
		return err
	}
	if err := rq.conn.command(rq.ctx, "RESTORE SNAPSHOT "+sql.QuoteIdent(name)+" AS "+sql.QuoteIdent(as)); err != nil {
		return err
	}
	restored, err := rq.find(as)
	if err != nil {
		return err
	}
	return rq.describe(http.StatusCreated, restored)
}
