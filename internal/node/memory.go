package node

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/akidb/akidb/internal/config"
)

// cacheShare is the share of the memory limit that the block cache takes.
const cacheShare = 8

// memTableShare is the share of one memtable, of which there are up to four.
const (
	memTableShare = 64
	minMemTable   = 4 << 20
	maxMemTable   = 64 << 20
)

// limitMemory fixes the memory limit and what depends on it, where the
// configuration leaves them open.
func limitMemory(c *config.Config) {
	if c.MemoryLimit == 0 {
		c.MemoryLimit = machineMemory() / 10 * 8
	}
	debug.SetMemoryLimit(c.MemoryLimit)
	if c.Store.CacheBytes == 0 {
		c.Store.CacheBytes = c.MemoryLimit / cacheShare
	}
	if c.Store.MemTableBytes == 0 {
		c.Store.MemTableBytes = min(max(c.MemoryLimit/memTableShare, minMemTable), maxMemTable)
	}
}

// fallbackMemory is assumed where neither container nor machine tells.
const fallbackMemory = 4 << 30

// machineMemory is the memory of the container or the machine, in bytes.
func machineMemory() int64 {
	total := int64(fallbackMemory)
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range bytes.Lines(b) {
			fields := bytes.Fields(line)
			if len(fields) >= 2 && string(fields[0]) == "MemTotal:" {
				if kb, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil {
					total = kb << 10
				}
			}
		}
	}
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64); err == nil && n > 0 {
			total = min(total, n)
		}
	}
	return total
}
