package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// systemFile is where ALTER SYSTEM keeps its values, in the data directory.
const systemFile = "settings.auto.toml"

// settingKeys are the keys of the configuration that SQL shows as settings, by
// the setting's name.
var settingKeys = func() map[string]string {
	out := map[string]string{
		"max_connections": "max_connections", "log_min_messages": "log.level",
		"tiering.enabled": "tiering.enabled", "tiering.worker_interval_secs": "tiering.worker_interval_secs", "tiering.worker_interval": "tiering.worker_interval",
	}
	policy := reflect.TypeOf(TierPolicy{})
	for i := range policy.NumField() {
		name := policy.Field(i).Tag.Get("toml")
		out["tiering."+name] = "tiering.policy." + name
	}
	return out
}()

// spans are the settings that say the same as another in words: the one that is
// set last counts.
var spans = map[string]string{
	"tiering.hot_tier_ttl_hours": "tiering.hot_tier_ttl", "tiering.warm_tier_ttl_days": "tiering.warm_tier_ttl",
	"tiering.access_window_hours": "tiering.access_window", "tiering.worker_interval_secs": "tiering.worker_interval",
}

// levelNames are the names of log levels in settings.
var levelNames = map[string]string{"warn": "warning", "warning": "warn"}

// SystemSettings are the settings of the server as a whole, by their names in SQL.
func (c *Config) SystemSettings() map[string]string {
	values := byKey(c)
	out := map[string]string{}
	for name, key := range settingKeys {
		text := fieldText(values[key])
		if other, ok := levelNames[text]; ok && key == "log.level" {
			text = other
		}
		out[name] = text
	}
	return out
}

// SetSetting sets a setting by its name in SQL.
func (c *Config) SetSetting(name, value string) error {
	key, ok := settingKeys[name]
	if !ok {
		c.Settings[name] = value // the executor refuses what it does not know
		return nil
	}
	if other, ok := levelNames[value]; ok && key == "log.level" {
		value = other
	}
	fields := byKey(c)
	field := fields[key]
	if field.Kind() == reflect.Bool && (value == "on" || value == "off") {
		value = strconv.FormatBool(value == "on")
	}
	if words, ok := spans[name]; ok {
		fields[settingKeys[words]].SetString("")
	}
	if err := setField(field, value); err != nil {
		return fmt.Errorf("invalid value for %q: %w", name, err)
	}
	return nil
}

// ReadSystem reads what ALTER SYSTEM has kept in a data directory.
func ReadSystem(dataDir string) (map[string]string, error) {
	out := map[string]string{}
	_, err := toml.DecodeFile(filepath.Join(dataDir, systemFile), &out)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s, which ALTER SYSTEM writes: %w", filepath.Join(dataDir, systemFile), err)
	}
	return out, nil
}

// WriteSystem replaces what ALTER SYSTEM has kept; a crash leaves the old or the new.
func WriteSystem(dataDir string, values map[string]string) error {
	var b bytes.Buffer
	b.WriteString("# Written by ALTER SYSTEM; it overrides the configuration file and the environment.\n")
	if err := toml.NewEncoder(&b).Encode(values); err != nil {
		return err
	}
	return WriteDurably(filepath.Join(dataDir, systemFile), b.Bytes())
}

// WriteDurably replaces a file; when it returns, a power failure leaves the new one,
// before that the old one or the new one.
func WriteDurably(path string, text []byte) error {
	if err := writeSynced(path+".new", text); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func writeSynced(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// ApplySystem puts what ALTER SYSTEM has kept over the configuration.
func (c *Config) ApplySystem(values map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) { // hours before the words for them
		if err := c.SetSetting(name, values[name]); err != nil {
			return fmt.Errorf("%s: %w (ALTER SYSTEM RESET, or remove the line)", systemFile, err)
		}
	}
	return nil
}

// byKey gives every field by its key in the file.
func byKey(c *Config) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	var walk func(v reflect.Value, prefix string)
	walk = func(v reflect.Value, prefix string) {
		for i := range v.NumField() {
			key := prefix + v.Type().Field(i).Tag.Get("toml")
			if f := v.Field(i); f.Kind() == reflect.Struct {
				walk(f, key+".")
			} else {
				out[key] = f
			}
		}
	}
	walk(reflect.ValueOf(c).Elem(), "")
	return out
}

func fieldText(f reflect.Value) string {
	switch f.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(f.Bool())
	case reflect.Float64:
		return strconv.FormatFloat(f.Float(), 'g', -1, 64)
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(f.Int(), 10)
	}
	return f.String()
}

// Change is a key whose value is another than before.
type Change struct {
	Key, From, To string
}

// Changes compares two configurations, settings included.
func Changes(from, to *Config) []Change {
	old, now := texts(from), texts(to)
	var out []Change
	for _, key := range slices.Sorted(maps.Keys(now)) {
		if old[key] != now[key] {
			out = append(out, Change{key, old[key], now[key]})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(old)) {
		if _, ok := now[key]; !ok {
			out = append(out, Change{key, old[key], ""})
		}
	}
	return out
}

// texts are all values as text, by key.
func texts(c *Config) map[string]string {
	out := map[string]string{}
	for key, f := range byKey(c) {
		if f.Kind() != reflect.Map {
			out[key] = fieldText(f)
		}
	}
	for name, value := range c.Settings {
		out["settings."+name] = value
	}
	return out
}

// secret are the keys whose values nobody is shown.
func secret(key string) bool {
	last := key[strings.LastIndexByte(key, '.')+1:]
	return last == "password" || strings.Contains(last, "secret") || strings.HasSuffix(last, "token") || strings.HasSuffix(last, "customer_key")
}
