//go:build !amd64

package distance

import "testing"

func eachLevel(t *testing.T, test func(t *testing.T)) { t.Run(Level(), test) }
