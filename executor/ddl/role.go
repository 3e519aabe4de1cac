package ddl

import (
	"context"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// roleOptions are the options of CREATE and ALTER ROLE as written.
type roleOptions struct {
	flags      map[string]bool
	password   *string
	noPassword bool
	connLimit  *int
	memberOf   []string // IN ROLE
	members    []string // ROLE, ADMIN
}

// readRoleOptions takes the options; each may be given once.
func (s *statement) readRoleOptions(list []ast.Option) (o roleOptions, err error) {
	o.flags = map[string]bool{}
	seen := map[string]bool{}
	for _, opt := range list {
		if seen[opt.Name] {
			return o, pgerr.New(pgerr.SyntaxError, "conflicting or redundant options").At(opt.Pos)
		}
		seen[opt.Name] = true
		if err := s.readRoleOption(&o, opt); err != nil {
			return o, err
		}
	}
	return o, nil
}

func (s *statement) readRoleOption(o *roleOptions, opt ast.Option) error {
	k, _ := opt.Value.(*ast.Const)
	switch opt.Name {
	case "password":
		if k == nil || k.Kind == ast.ConstNull {
			o.noPassword = true
			return nil
		}
		o.password = &k.Text
	case "superuser", "createrole", "createdb", "canlogin", "inherit":
		o.flags[opt.Name] = k == nil || k.Bool || k.Int != 0
	case "isreplication", "bypassrls":
		if k == nil || k.Bool || k.Int != 0 {
			s.warning(pgerr.Warning, "%s has no effect", map[string]string{"isreplication": "REPLICATION", "bypassrls": "BYPASSRLS"}[opt.Name])
		}
	case "connectionlimit":
		n := -1
		if k != nil {
			n = int(k.Int)
		}
		if n < -1 {
			return pgerr.Newf(pgerr.InvalidParameterValue, "invalid connection limit: %d", n)
		}
		if n >= 0 {
			s.warning(pgerr.Warning, "CONNECTION LIMIT is kept but not enforced")
		}
		o.connLimit = &n
	case "validUntil":
		if k != nil && !strings.EqualFold(k.Text, "infinity") {
			return pgerr.Unsupported("VALID UNTIL").WithHint("Passwords do not expire: change or clear them.")
		}
	case "addroleto":
		o.memberOf = namesOf(opt.Value)
	case "rolemembers", "adminmembers":
		o.members = append(o.members, namesOf(opt.Value)...)
	case "sysid":
		s.notice("00000", "SYSID can no longer be specified")
	default:
		return pgerr.Unsupported("the role option " + opt.Name).At(opt.Pos)
	}
	return nil
}

// apply sets a role's fields.
func (o *roleOptions) apply(s *statement, r *catalog.Role) error {
	for name, field := range map[string]*bool{"superuser": &r.Super, "createrole": &r.CreateRole, "createdb": &r.CreateDB, "canlogin": &r.Login} {
		if v, ok := o.flags[name]; ok {
			*field = v
		}
	}
	if inherit, ok := o.flags["inherit"]; ok && !inherit {
		s.warning(pgerr.Warning, "NOINHERIT has no effect: members have the rights of their groups")
	}
	if o.connLimit != nil {
		r.ConnLimit = *o.connLimit
	}
	switch {
	case o.noPassword:
		r.Verifier = ""
	case o.password != nil && *o.password == "":
		s.notice("00000", "empty string is not a valid password, clearing password")
		r.Verifier = ""
	case o.password != nil:
		v, err := verifier(*o.password)
		if err != nil {
			return err
		}
		r.Verifier = v
	}
	return nil
}

// reservedRole refuses names that no role can have.
func reservedRole(name string) error {
	switch {
	case name == "public" || name == "none":
		return pgerr.Newf(pgerr.ReservedName, `role name "%s" is reserved`, name)
	case strings.HasPrefix(name, "pg_"):
		return pgerr.Newf(pgerr.ReservedName, `role name "%s" is reserved`, name).WithDetail(`Role names starting with "pg_" are reserved.`)
	}
	return nil
}

func (s *statement) createRole(ctx context.Context, t *ast.CreateRole) error {
	o, err := s.readRoleOptions(t.Options)
	if err != nil {
		return err
	}
	if !s.mayManageRoles(o.flags["superuser"]) {
		if o.flags["superuser"] {
			return denied("must be superuser to create superusers")
		}
		return denied("permission denied to create role")
	}
	if err := reservedRole(t.Name); err != nil {
		return err
	}
	if err := s.lockRole(ctx, t.Name); err != nil {
		return err
	}
	if s.catalog().Role(t.Name) != nil {
		return pgerr.Newf(pgerr.DuplicateObject, `role "%s" already exists`, t.Name)
	}
	r := &catalog.Role{Name: t.Name, ConnLimit: -1, Login: t.User}
	if r.ID, err = s.NewID(); err != nil {
		return err
	}
	if err := o.apply(s, r); err != nil {
		return err
	}
	if err := s.Txn.Change(ctx, catalog.Put(r)); err != nil {
		return err
	}
	return s.changeMembers(ctx, o.memberOf, []string{t.Name}, o.members, t.Name)
}

// changeMembers makes roles members of others: IN ROLE and ROLE of CREATE ROLE.
func (s *statement) changeMembers(ctx context.Context, groups, members, inner []string, role string) error {
	for _, g := range groups {
		if err := s.grantRole(ctx, g, members, false); err != nil {
			return err
		}
	}
	if len(inner) == 0 {
		return nil
	}
	return s.grantRole(ctx, role, inner, false)
}

func (s *statement) lockRole(ctx context.Context, name string) error {
	return s.Txn.LockName(ctx, catalog.KindRole, catalog.Name{Name: name}, s.Wait)
}

func denied(message string) *pgerr.Error { return pgerr.New(pgerr.InsufficientPrivilege, message) }

// mayManageRoles says whether the user may make or change roles.
func (s *statement) mayManageRoles(super bool) bool {
	r := s.catalog().Role(s.User)
	return s.isSuper() || !super && r.CreateRole
}

// role finds and locks a role to change.
func (s *statement) role(ctx context.Context, written string) (*catalog.Role, error) {
	name, err := s.roleNamed(written)
	if err != nil {
		return nil, err
	}
	if err := s.lockRole(ctx, name); err != nil {
		return nil, err
	}
	r := s.catalog().Role(name)
	if r == nil {
		return nil, noRole(name)
	}
	c := *r
	return &c, nil
}

// alterRole is ALTER ROLE … options, and ALTER ROLE … SET. A role may set its
// own password and settings.
func (s *statement) alterRole(ctx context.Context, t *ast.AlterRole) error {
	r, err := s.role(ctx, t.Name)
	if err != nil {
		return err
	}
	if t.Set != nil {
		if r.Name != s.User && !s.mayManageRoles(r.Super) {
			return denied("permission denied")
		}
		if r.Settings, err = s.changedSettings(r.Settings, t.Set); err != nil {
			return err
		}
		return s.Txn.Change(ctx, catalog.Put(r))
	}
	o, err := s.readRoleOptions(t.Options)
	if err != nil {
		return err
	}
	onlyPassword := len(o.flags) == 0 && o.connLimit == nil && len(o.members) == 0
	_, super := o.flags["superuser"]
	switch {
	case (super || r.Super) && !s.isSuper():
		return denied("must be superuser to alter superuser roles or change superuser attribute")
	case !s.mayManageRoles(false) && !(onlyPassword && r.Name == s.User):
		return denied("permission denied")
	}
	if err := o.apply(s, r); err != nil {
		return err
	}
	if err := s.Txn.Change(ctx, catalog.Put(r)); err != nil || len(o.members) == 0 {
		return err
	}
	return s.grantRole(ctx, r.Name, o.members, false) // ALTER GROUP … ADD USER
}

// changedSettings applies a SET or RESET to kept settings.
func (s *statement) changedSettings(old map[string]string, set *ast.Set) (map[string]string, error) {
	name, value, err := s.StoredSetting(set)
	if err != nil {
		return nil, err
	}
	switch {
	case name == "all" && set.Reset:
		return nil, nil
	case set.Reset:
		return mergeOptions(old, nil, []string{name}), nil
	}
	return mergeOptions(old, map[string]string{name: value}, nil), nil
}

// alterDatabase is ALTER DATABASE … SET.
func (s *statement) alterDatabase(ctx context.Context, t *ast.AlterDatabase) error {
	if err := s.Txn.LockName(ctx, catalog.KindDatabase, catalog.Name{Name: t.Name}, s.Wait); err != nil {
		return err
	}
	old, ok := s.catalog().Named(catalog.KindDatabase, "", t.Name).(*catalog.Database)
	if !ok {
		return noDatabase(t.Name)
	}
	if !s.isSuper() {
		return denied("must be owner of database " + t.Name)
	}
	d := *old
	var err error
	if d.Settings, err = s.changedSettings(old.Settings, t.Set); err != nil {
		return err
	}
	return s.Txn.Change(ctx, catalog.Put(&d))
}

func noDatabase(name string) *pgerr.Error {
	return pgerr.Newf(pgerr.InvalidCatalogName, `database "%s" does not exist`, name)
}
