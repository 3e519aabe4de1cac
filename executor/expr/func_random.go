package expr

import (
	cryptorand "crypto/rand"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var randomFunctions = []*Function{
	define("random() float8", func(ctx *Context, _ []types.Datum) (types.Datum, error) {
		return seeded.float(ctx, rand.Float64, (*rand.Rand).Float64), nil
	}).volatile(),
	define("random_normal(mean float8 = 0, stddev float8 = 1) float8", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		n := seeded.float(ctx, rand.NormFloat64, (*rand.Rand).NormFloat64)
		return args[0].(float64) + n*args[1].(float64), nil
	}).volatile(),
	define("setseed(float8) void", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		seed := args[0].(float64)
		if seed < -1 || seed > 1 || math.IsNaN(seed) {
			return nil, pgerr.Newf(pgerr.InvalidParameterValue, "setseed parameter %g is out of allowed range [-1,1]", seed)
		}
		seeded.set(ctx, seed)
		return "", nil
	}).volatile(),
	define("gen_random_uuid() uuid", randomUUID).volatile(),
	// The extension uuid-ossp, which LangChain and others create first.
	define("public.uuid_generate_v4() uuid", randomUUID).volatile(),
	define("public.uuid_nil() uuid", func(*Context, []types.Datum) (types.Datum, error) { return types.UUID{}, nil }),
}

// randomUUID is a UUID of version 4, from the system's secure source.
func randomUUID(*Context, []types.Datum) (types.Datum, error) {
	var u types.UUID
	if _, err := cryptorand.Read(u[:]); err != nil {
		return nil, pgerr.New(pgerr.InternalError, "could not generate random values")
	}
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u, nil
}

// maxSeeded bounds how many sessions' generators are kept.
const maxSeeded = 4096

// seedTable keeps the generators of the sessions that called setseed, by
// backend id; the others share the process's generator. mu guards all.
type seedTable struct {
	mu  sync.Mutex
	all map[int]*rand.Rand
}

var seeded seedTable

func sessionPID(ctx *Context) int {
	if ctx == nil || ctx.Session == nil {
		return 0
	}
	return ctx.Session.PID()
}

func (t *seedTable) set(ctx *Context, seed float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil || len(t.all) >= maxSeeded {
		t.all = map[int]*rand.Rand{}
	}
	t.all[sessionPID(ctx)] = rand.New(rand.NewPCG(math.Float64bits(seed), 0x5deece66d))
}

func (t *seedTable) float(ctx *Context, shared func() float64, own func(*rand.Rand) float64) float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.all[sessionPID(ctx)]; g != nil {
		return own(g)
	}
	return shared()
}
