package config

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Config is everything that can be configured. The toml tags are the keys of
// the file; the same key in upper case with AKIDB_ before it and _ between the
// parts is the environment variable (AKIDB_AUTH_METHOD).
type Config struct {
	// DataDir holds the rows, the indexes and, unless told otherwise, the cold store.
	DataDir string `toml:"data_dir"`
	// Listen is the address of the PostgreSQL port.
	Listen string `toml:"listen"`
	// HTTPListen is the address of the HTTP port; "" or "off" closes it.
	HTTPListen string `toml:"http_listen"`
	// HTTPProfile shows Go's profiles under /debug/pprof on the HTTP port, for
	// finding out what a server spends its time on.
	HTTPProfile bool `toml:"http_profile"`
	// Database is another name of the database postgres: clients may give either.
	Database string `toml:"database"`
	// InitScripts is a folder of .sql and .sql.gz files that are run in the order of
	// their names when the data directory is made.
	InitScripts string `toml:"init_scripts"`
	// HTTPTLS makes the HTTP port speak TLS with the certificate of [tls].
	HTTPTLS bool `toml:"http_tls"`
	// HTTPMaxBody bounds the body of a request in bytes; vectors sent as lines have no such limit.
	HTTPMaxBody int64 `toml:"http_max_body"`
	// MaxConnections is how many sessions may be open at once (53300 above it).
	MaxConnections int `toml:"max_connections"`
	// MemoryLimit is the soft limit of the Go heap in bytes; 0 takes 80 % of the
	// machine's or container's memory.
	MemoryLimit int64 `toml:"memory_limit"`
	// MinFreeDisk is the free space in bytes below which writes get 53100. They are
	// taken again when a quarter more is free.
	MinFreeDisk int64     `toml:"min_free_disk"`
	Log         Log       `toml:"log"`
	Auth        Auth      `toml:"auth"`
	TLS         TLS       `toml:"tls"`
	Store       Store     `toml:"store"`
	Index       Index     `toml:"index"`
	Tiering     Tiering   `toml:"tiering"`
	ColdStore   ColdStore `toml:"cold_store"`
	Settings    Settings  `toml:"settings"`
}

// Settings are defaults for session settings: hnsw.ef_search = "80".
type Settings map[string]string

// Log is how the server logs.
type Log struct {
	Format string `toml:"format"` // text, json
	Level  string `toml:"level"`  // debug, info, warn, error
}

// Auth says who may connect.
type Auth struct {
	// Method is scram-sha-256 or trust.
	Method string `toml:"method"`
	// Loopback is the method for clients on a loopback address, trust unless told otherwise.
	Loopback string `toml:"loopback"`
	// User is a superuser that is made at start if it is missing.
	User string `toml:"user"`
	// Password is the password of the role User, set at start when the role has none.
	Password string `toml:"password"`
	// PasswordFile is a file that holds the password instead.
	PasswordFile string `toml:"password_file"`
}

// TLS is the server's certificate; without one, TLS is refused politely.
type TLS struct {
	Cert     string `toml:"cert"`
	Key      string `toml:"key"`
	ClientCA string `toml:"client_ca"`
	Required bool   `toml:"required"`
}

// Store is the row store.
type Store struct {
	// CacheBytes is the block cache; 0 takes an eighth of the memory limit.
	CacheBytes int64 `toml:"cache_bytes"`
	// MemTableBytes is one memtable, of which there are up to four; 0 takes a
	// 64th of the memory limit, 4 MB to 64 MB.
	MemTableBytes int64 `toml:"memtable_bytes"`
	// BallastBytes is a file that is given up when the disk is full, so that the
	// commits under way can end.
	BallastBytes int64 `toml:"ballast_bytes"`
}

// Index is how vector indexes are built.
type Index struct {
	// Workers is the number of threads that build; 0 takes all cores.
	Workers int `toml:"workers"`
	// CheckpointSeconds is the time between checkpoints of a graph that changed.
	CheckpointSeconds int `toml:"checkpoint_seconds"`
}

// Tiering is where collections lie and when they move.
type Tiering struct {
	// Enabled lets collections move by themselves.
	Enabled bool `toml:"enabled"`
	// WarmStoragePath is where warm segments lie; "" is the folder warm of the data directory.
	WarmStoragePath string `toml:"warm_storage_path"`
	// WorkerIntervalSecs is the time between two cycles; WorkerInterval the same as an interval ('90s').
	WorkerIntervalSecs int        `toml:"worker_interval_secs"`
	WorkerInterval     string     `toml:"worker_interval"`
	Policy             TierPolicy `toml:"policy"`
}

// TierPolicy is when collections move. Each time can be given as a number or as
// an interval ('24 hours'), which wins. The variables go without POLICY_ too:
// AKIDB_TIERING_HOT_TIER_TTL.
type TierPolicy struct {
	// HotTierTTLHours without an access: hot to warm.
	HotTierTTLHours float64 `toml:"hot_tier_ttl_hours"`
	HotTierTTL      string  `toml:"hot_tier_ttl"`
	// WarmTierTTLDays without an access: warm to cold.
	WarmTierTTLDays float64 `toml:"warm_tier_ttl_days"`
	WarmTierTTL     string  `toml:"warm_tier_ttl"`
	// HotPromotionThreshold accesses inside the window: warm to hot.
	HotPromotionThreshold int     `toml:"hot_promotion_threshold"`
	AccessWindowHours     float64 `toml:"access_window_hours"`
	AccessWindow          string  `toml:"access_window"`
	// MaxHotMemory in bytes; 0 takes 60 % of the memory limit.
	MaxHotMemory int64 `toml:"max_hot_memory"`
	// MaxWarmDisk in bytes; 0 is no limit.
	MaxWarmDisk int64 `toml:"max_warm_disk"`
	// ColdAccess is serve, restore or direct.
	ColdAccess string `toml:"cold_access"`
}

// Default is what serve uses with nothing configured.
func Default() Config {
	return Config{
		DataDir:        "data",
		Listen:         "127.0.0.1:5432",
		HTTPListen:     "127.0.0.1:8080",
		Database:       "postgres",
		HTTPMaxBody:    64 << 20,
		MaxConnections: 500,
		MinFreeDisk:    256 << 20,
		Log:            Log{Format: "text", Level: "info"},
		Auth:           Auth{User: "postgres", Method: "scram-sha-256", Loopback: "trust"},
		Store:          Store{BallastBytes: 32 << 20},
		Index:          Index{CheckpointSeconds: 60},
		Tiering: Tiering{Enabled: true, WorkerIntervalSecs: 300, Policy: TierPolicy{
			HotTierTTLHours: 6, WarmTierTTLDays: 7, HotPromotionThreshold: 10, AccessWindowHours: 1, ColdAccess: "serve",
		}},
		ColdStore: defaultColdStore(),
		Settings:  Settings{},
	}
}

// Load reads the file (if named) over the defaults, then the environment.
// environ is os.Environ()'s form.
func Load(file string, environ []string) (Config, error) {
	c := Default()
	if err := c.readFile(file, nil); err != nil {
		return c, err
	}
	if err := c.readEnviron(environ, nil); err != nil {
		return c, err
	}
	return c, c.readPasswordFile()
}

// Validate checks every value; the error names the key.
func (c *Config) Validate() error {
	checks := []check{
		{"data_dir", notEmpty(c.DataDir)},
		{"listen", address(c.Listen)},
		{"http_listen", optionalAddress(c.HTTPListen)},
		{"database", notEmpty(c.Database)},
		{"http_max_body", atLeast(c.HTTPMaxBody, 1<<10)},
		{"max_connections", atLeast(int64(c.MaxConnections), 1)},
		{"memory_limit", atLeast(c.MemoryLimit, 0)},
		{"min_free_disk", atLeast(c.MinFreeDisk, 0)},
		{"log.format", oneOf(c.Log.Format, "text", "json")},
		{"log.level", oneOf(c.Log.Level, "debug", "info", "warn", "error")},
		{"auth.method", oneOf(c.Auth.Method, "scram-sha-256", "trust")},
		{"auth.loopback", oneOf(c.Auth.Loopback, "scram-sha-256", "trust")},
		{"auth.user", notEmpty(c.Auth.User)},
		{"tls.cert", pair(c.TLS.Cert, c.TLS.Key)},
		{"http_tls", needs(c.HTTPTLS, c.TLS.Cert)},
		{"tls.required", needs(c.TLS.Required, c.TLS.Cert)},
		{"store.cache_bytes", atLeast(c.Store.CacheBytes, 0)},
		{"store.memtable_bytes", atLeast(c.Store.MemTableBytes, 0)},
		{"store.ballast_bytes", atLeast(c.Store.BallastBytes, 0)},
		{"index.workers", atLeast(int64(c.Index.Workers), 0)},
		{"tiering.worker_interval_secs", atLeast(int64(c.Tiering.WorkerIntervalSecs), 1)},
		{"tiering.policy.hot_tier_ttl_hours", positive(c.Tiering.Policy.HotTierTTLHours)},
		{"tiering.policy.warm_tier_ttl_days", positive(c.Tiering.Policy.WarmTierTTLDays)},
		{"tiering.policy.access_window_hours", positive(c.Tiering.Policy.AccessWindowHours)},
		{"tiering.policy.hot_promotion_threshold", atLeast(int64(c.Tiering.Policy.HotPromotionThreshold), 1)},
		{"tiering.policy.max_hot_memory", atLeast(c.Tiering.Policy.MaxHotMemory, 0)},
		{"tiering.policy.max_warm_disk", atLeast(c.Tiering.Policy.MaxWarmDisk, 0)},
		{"tiering.policy.cold_access", oneOf(c.Tiering.Policy.ColdAccess, "serve", "restore", "direct")},
		{"index.checkpoint_seconds", atLeast(int64(c.Index.CheckpointSeconds), 1)},
	}
	for _, ch := range append(checks, c.ColdStore.checks()...) {
		if ch.err != nil {
			return fmt.Errorf("invalid value for %q: %w", ch.key, ch.err)
		}
	}
	return nil
}

// check is whether the value of a key is valid.
type check struct {
	key string
	err error
}

// HTTPEnabled says whether the HTTP port is wanted.
func (c *Config) HTTPEnabled() bool { return c.HTTPListen != "" && c.HTTPListen != "off" }

func notEmpty(s string) error {
	if strings.TrimSpace(s) == "" {
		return fmt.Errorf("must not be empty")
	}
	return nil
}

func address(s string) error {
	if _, _, err := net.SplitHostPort(s); err != nil {
		return fmt.Errorf("%q is not an address like 127.0.0.1:5432", s)
	}
	return nil
}

func optionalAddress(s string) error {
	if s == "" || s == "off" {
		return nil
	}
	return address(s)
}

func atLeast(v, low int64) error {
	if v < low {
		return fmt.Errorf("%d is below %d", v, low)
	}
	return nil
}

func positive(v float64) error {
	if v > 0 && v <= 1e6 {
		return nil
	}
	return fmt.Errorf("%g is not between 0 and 1000000", v)
}

func oneOf(v string, values ...string) error {
	for _, x := range values {
		if v == x {
			return nil
		}
	}
	return fmt.Errorf("%q is none of %s", v, strings.Join(values, ", "))
}

func pair(cert, key string) error {
	if (cert == "") != (key == "") {
		return fmt.Errorf("tls.cert and tls.key are set together")
	}
	for _, f := range []string{cert, key} {
		if f == "" {
			continue
		}
		if _, err := os.Stat(filepath.Clean(f)); err != nil {
			return err
		}
	}
	return nil
}

func needs(required bool, cert string) error {
	if required && cert == "" {
		return fmt.Errorf("needs tls.cert and tls.key")
	}
	return nil
}
