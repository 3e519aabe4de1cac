package catalog

import (
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Users implements types.UserTypes over the schema that Now gives.
type Users struct{ Now func() *Snapshot }

var _ types.UserTypes = Users{}

// EnumOrder finds a label of an enum.
func (u Users) EnumOrder(typ types.OID, label string) (float64, error) {
	t, ok := u.Now().Object(typ).(*UserType)
	if !ok {
		return 0, pgerr.Newf(pgerr.UndefinedObject, "type with OID %d does not exist", uint32(typ))
	}
	order, ok := t.Order(label)
	if !ok {
		return 0, pgerr.Newf(pgerr.InvalidTextRepresentation, "invalid input value for enum %s: \"%s\"", t.Name, label)
	}
	return order, nil
}

// EnumLabel is the label at an order.
func (u Users) EnumLabel(typ types.OID, order float64) (string, bool) {
	t, ok := u.Now().Object(typ).(*UserType)
	if !ok {
		return "", false
	}
	return t.Label(order)
}

// RowFields are the columns of a table's row type.
func (u Users) RowFields(typ types.OID) (names []string, oids []types.OID, ok bool) {
	t := u.Now().RowType(typ)
	if t == nil {
		return nil, nil, false
	}
	for _, c := range t.Live() {
		names, oids = append(names, c.Name), append(oids, c.Type)
	}
	return names, oids, true
}
