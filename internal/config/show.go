package config

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Value is one value of the configuration and where it comes from.
type Value struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// Show lists every value with its source: default, the file with its line, a
// variable, ALTER SYSTEM. Secrets are masked.
func Show(file string, environ []string) ([]Value, error) {
	c, sources := Default(), map[string]string{}
	if err := c.readFile(file, sources); err != nil {
		return nil, err
	}
	if err := c.readEnviron(environ, sources); err != nil {
		return nil, err
	}
	system, err := ReadSystem(c.DataDir)
	if err != nil {
		return nil, err
	}
	if err := c.ApplySystem(system); err != nil {
		return nil, err
	}
	for name := range system {
		key := "settings." + name
		if k, ok := settingKeys[name]; ok {
			key = k
		}
		sources[key] = "ALTER SYSTEM"
	}
	values := texts(&c)
	out := make([]Value, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		v := Value{key, values[key], sources[key]}
		if v.Source == "" {
			v.Source = "default"
		}
		if secret(key) && v.Value != "" {
			v.Value = "********"
		}
		out = append(out, v)
	}
	return out, nil
}

// readFile reads the file over c; sources, if there is one, is told which keys it sets.
func (c *Config) readFile(file string, sources map[string]string) error {
	if file == "" {
		return nil
	}
	meta, err := toml.DecodeFile(file, c)
	if err != nil {
		return fmt.Errorf("configuration file %s: %w", file, err)
	}
	if un := meta.Undecoded(); len(un) > 0 {
		key := un[0].String()
		return fmt.Errorf("configuration file %s%s: unknown key %q%s", file, lineOf(file, un[0]), key, suggest(key, keys(c)))
	}
	for name, value := range maps.Clone(c.Settings) { // those of the server as a whole have keys of their own
		if _, ok := settingKeys[name]; ok {
			delete(c.Settings, name)
			if err := c.SetSetting(name, value); err != nil {
				return fmt.Errorf("configuration file %s: %w", file, err)
			}
		}
	}
	for _, key := range meta.Keys() {
		if sources != nil {
			sources[unquoted(key)] = "file " + file + lineOf(file, key)
		}
	}
	return nil
}

// unquoted is a key with its parts joined as they are: settings.hnsw.ef_search.
func unquoted(key toml.Key) string { return strings.Join(key, ".") }

// lineOf finds the line of a key (":12"), "" when it is not found: the library
// tells the lines of values that are wrong, but not of keys.
func lineOf(file string, key toml.Key) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // it was only read
	section, want, name := "", unquoted(key), key[len(key)-1]
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(strings.SplitN(line, "#", 2)[0], "[] \t") + "."
			if section == want+"." {
				return fmt.Sprintf(":%d", n)
			}
			continue
		}
		left, _, ok := strings.Cut(line, "=")
		left = strings.ReplaceAll(strings.Trim(left, " \t"), `"`, "")
		if ok && (section+left == want || section == "" && left == name) {
			return fmt.Sprintf(":%d", n)
		}
	}
	return ""
}
