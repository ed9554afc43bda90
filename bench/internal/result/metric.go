package result

// Metric describes a figure: how it is headed in a table, its unit, and which direction is better.
type Metric struct {
	Key    string
	Label  string // of the column, short
	Unit   string // "us", "ms", "1/s", "MB", "B", "%", or "" for a count
	Better Direction
	About  string // one line for the legend
}

// Direction is the direction in which a figure gets better.
type Direction int

const (
	Neither Direction = iota // it describes; comparisons leave it out
	Lower
	Higher
)

// Keys of the metrics. A scenario names those that it measures.
const (
	CPU           = "cpu_us"    // server CPU per request, user and system
	UserCPU       = "user_us"   // the user part of it
	SystemCPU     = "system_us" // the system part
	Busy          = "busy_pct"  // of its cores, by the server; well below 100 the load was the limit
	Rate          = "rate"      // requests per second, closed loop
	P50           = "p50_ms"    // latency at the constant rate
	P99           = "p99_ms"
	P999          = "p999_ms"
	MaxLatency    = "max_ms"
	FullP50       = "full_p50_ms" // latency at the peak rate, closed loop: mostly waiting for one's turn
	FullP99       = "full_p99_ms"
	Errors        = "errors" // wrong or missing answers, of all phases
	Anonymous     = "anon_mb"
	Resident      = "resident_mb"
	Calls         = "calls" // system calls per request, all of them
	CallsRead     = "calls_read"
	CallsWrite    = "calls_write"
	CallsPoll     = "calls_poll"
	CallsOther    = "calls_other"
	CallsClock    = "calls_clock" // those that a runtime makes by the clock, whatever the requests
	HitShare      = "hit_pct"     // requests that did not reach the backend
	Dials         = "dials"       // connections that the backend accepted per 1,000 requests
	BackendAsked  = "backend_requests"
	Slowest       = "slowest_ms" // the slowest of all clients
	PerConnection = "b_per_conn" // anonymous memory, bytes
	FirstAnswer   = "first_ms"   // from starting the program to its first answer
	Failed        = "failed"     // requests that failed meanwhile
	Growth        = "growth_mb"  // resident memory at the end less that at the start
	ParseTime     = "parse_ns"   // of one request's head, by a parser alone
)

// Keys of the curves.
const (
	LatencyCurve = "latency_ms"       // X percentile (50 to 100), Y ms
	MemoryCurve  = "anon_mb_by_conns" // X connections, Y MB
	RateCurve    = "rate_by_conns"    // X connections, Y requests/s
	SoakCurve    = "resident_mb_by_s" // X seconds since the start, Y MB
)
