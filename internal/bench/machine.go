package bench

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Machine is where and when something was measured.
type Machine struct {
	CPU    string  `json:"cpu"`
	Flags  string  `json:"simd"`
	Cores  int     `json:"cores"`
	RAMGiB float64 `json:"ram_gib"`
	OS     string  `json:"os"`
	Date   string  `json:"date"`
	// Load is the load average when it was measured, where others were at work too.
	Load float64 `json:"load,omitempty"`
}

// String is one line for a reader.
func (m Machine) String() string {
	text := fmt.Sprintf("%s, %d cores (%s), %.0f GiB RAM, %s, %s", m.CPU, m.Cores, m.Flags, m.RAMGiB, m.OS, m.Date)
	if m.Load > 2*float64(m.Cores) {
		text += fmt.Sprintf("; busy with other work: load average %.0f", m.Load)
	}
	return text
}

// ThisMachine describes the machine we run on; what cannot be found out is left empty.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, Date: time.Now().UTC().Format("2006-01-02 15:04 UTC")}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.CPU, m.Flags = describeCPU(string(text))
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if mib, err := procKilobytes(string(text), "MemTotal:"); err == nil {
			m.RAMGiB = mib / 1024
		}
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(text), &m.Load) // empty where it is written otherwise
	}
	if text, err := os.ReadFile("/etc/os-release"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, found := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); found {
				m.OS = strings.Trim(name, `"`)
			}
		}
	}
	return m
}

// describeCPU finds the model and the vector extensions that matter to distances. A virtual machine may hide the
// model; family and model numbers still say which it is.
func describeCPU(cpuinfo string) (model, simd string) {
	fields := map[string]string{}
	for line := range strings.Lines(cpuinfo) {
		if key, value, found := strings.Cut(line, ":"); found && fields[strings.TrimSpace(key)] == "" {
			fields[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	has := map[string]bool{}
	for _, flag := range strings.Fields(fields["flags"]) {
		has[flag] = true
	}
	var found []string
	for _, flag := range []string{"avx2", "avx512f", "avx512_vnni", "avx512_vpopcntdq", "asimd"} {
		if has[flag] {
			found = append(found, flag)
		}
	}
	model = fields["model name"]
	if fields["cpu family"] != "" {
		model += fmt.Sprintf(" (family %s, model %s)", fields["cpu family"], fields["model"])
	}
	return model, strings.Join(found, " ")
}
