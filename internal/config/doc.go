// Package config owns what an operator can set: the defaults, the TOML file,
// the AKIDB_* environment and the command's flags, in rising order of
// precedence, and their validation, which names the key that is wrong. It
// imports none of the project's packages; internal/node turns a Config into
// each package's Options.
package config
