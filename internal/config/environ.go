package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const envPrefix = "AKIDB_"

// readEnviron sets the fields whose variables are in environ. A variable with
// the prefix that names no key is an error, since it is most likely misspelt;
// AKIDB_SETTINGS_HNSW__EF_SEARCH sets the session default hnsw.ef_search (two
// underscores stand for the dot).
func (c *Config) readEnviron(environ []string, sources map[string]string) error {
	fields := map[string]reflect.Value{}
	collect(reflect.ValueOf(c).Elem(), envPrefix, fields)
	for _, kv := range environ {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || !strings.HasPrefix(name, envPrefix) || ignored[name] {
			continue
		}
		if s, ok := strings.CutPrefix(name, envPrefix+"SETTINGS_"); ok {
			s = strings.ToLower(strings.ReplaceAll(s, "__", "."))
			if err := c.SetSetting(s, value); err != nil {
				return fmt.Errorf("environment variable %s: %w", name, err)
			}
			if sources != nil {
				sources["settings."+s] = "variable " + name
			}
			continue
		}
		f, ok := fields[name]
		if !ok {
			return fmt.Errorf("environment variable %s names no setting%s", name, suggest(name, slices.Collect(maps.Keys(fields))))
		}
		if err := setField(f, value); err != nil {
			return fmt.Errorf("environment variable %s: %w", name, err)
		}
		for key, same := range byKey(c) {
			if sources != nil && same.Kind() != reflect.Map && same.Addr().Pointer() == f.Addr().Pointer() {
				sources[key] = "variable " + name
			}
		}
	}
	return nil
}

// ignored are variables of the project's own tools, not of the server.
var ignored = map[string]bool{"AKIDB_DATASETS": true, "AKIDB_BIN": true, "AKIDB_CRASH_RUNS": true, "AKIDB_CRASH_POINT": true, "AKIDB_LONG_TESTS": true, "AKIDB_DSN": true, "AKIDB_CONTAINER": true, "AKIDB_IMAGE": true}

// aliases are shorter beginnings of the variables of a section.
var aliases = map[string]string{
	envPrefix + "TIERING_POLICY": envPrefix + "TIERING_",
	envPrefix + "COLD_STORE":     envPrefix + "S3_",
}

func collect(v reflect.Value, prefix string, out map[string]reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		key := prefix + strings.ToUpper(t.Field(i).Tag.Get("toml"))
		switch f := v.Field(i); f.Kind() {
		case reflect.Struct:
			collect(f, key+"_", out)
			if short, ok := aliases[key]; ok {
				collect(f, short, out)
			}
		case reflect.Map:
		default:
			out[key] = f
		}
	}
}

func setField(f reflect.Value, s string) error {
	switch f.Kind() {
	case reflect.String:
		f.SetString(s)
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("%q is not a boolean", s)
		}
		f.SetBool(b)
	case reflect.Float64:
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", s)
		}
		f.SetFloat(n)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", s)
		}
		f.SetInt(n)
	default:
		panic("config: field of kind " + f.Kind().String())
	}
	return nil
}
