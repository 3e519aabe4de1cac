package tiersim

// Model is what a collection takes in each tier, and how fast it moves.
type Model struct {
	// Dim is the dimension of the vectors, RowBytes what the other columns take.
	Dim, RowBytes int64
	// MoveBytesPerSecond is the speed of one move, Movers how many run at once.
	MoveBytesPerSecond int64
	Movers             int
	// ColdRequests are the GET requests of one cold search, MovePuts the PUT
	// requests of a move to the bucket and MoveGets the GETs of one back.
	ColdRequests, MovePuts, MoveGets int64
}

// DefaultModel has vectors of 512 dimensions.
func DefaultModel() Model {
	return Model{Dim: 512, RowBytes: 200, MoveBytesPerSecond: 100 << 20, Movers: 2, ColdRequests: 12, MovePuts: 4, MoveGets: 4}
}

// Usage is what collections take, in bytes.
type Usage struct{ RAM, Disk, Object int64 }

func (u *Usage) add(v Usage, sign int64) {
	u.RAM += sign * v.RAM
	u.Disk += sign * v.Disk
	u.Object += sign * v.Object
}

// A vector takes four bytes a dimension. Its node in the graph takes them in RAM,
// one more a dimension for the code, and about 200 for links and ids; its code in
// an IVF file takes one bit a dimension and 24 bytes, in RAM too while it is searched.
// The btree entry of a row is 30.
func (m Model) usage(rows int64) [3]Usage {
	row, graph := 4*m.Dim+m.RowBytes, 5*m.Dim+200
	code, key := m.Dim/8+24, int64(30)
	return [3]Usage{
		{RAM: rows * graph, Disk: rows * (row + key + graph)},
		{RAM: rows * code, Disk: rows * (row + key + code)},
		{Disk: rows * key, Object: rows * (row + code)},
	}
}

// Prices are US dollars.
type Prices struct {
	// RAM, Disk and Object are for a GB (10^9 bytes) and 30 days.
	RAM, Disk, Object float64
	// Get and Put are for 1,000 requests.
	Get, Put float64
}

// DefaultPrices are list prices of a large cloud in 2026, rounded: memory as the
// difference between machines that differ in nothing else, SSD volumes, standard
// object storage.
func DefaultPrices() Prices {
	return Prices{RAM: 3, Disk: 0.08, Object: 0.023, Get: 0.0004, Put: 0.005}
}

// cost is for 30 days, from averages over some days.
func (p Prices) cost(u Usage, gets, puts int64, days float64) float64 {
	const gb = 1e9
	return float64(u.RAM)/gb*p.RAM + float64(u.Disk)/gb*p.Disk + float64(u.Object)/gb*p.Object +
		(float64(gets)/1000*p.Get+float64(puts)/1000*p.Put)*30/days
}
