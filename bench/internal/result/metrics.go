package result

// metrics says of every key how tables show it. The order is that of tables whose scenario names none.
var metrics = []Metric{
	{CPU, "CPU", "us", Lower, "server CPU time per request, user and system, by the kernel's accounting of the process tree"},
	{UserCPU, "user", "us", Lower, "the part of it in the program"},
	{SystemCPU, "system", "us", Lower, "the part of it in the kernel"},
	{Busy, "busy", "%", Neither, "of its cores' time by the server; well below 100 the load was the limit"},
	{Rate, "rate", "1/s", Higher, "requests per second, every client asking again when it has its answer"},
	{P50, "p50", "ms", Lower, "latency at the constant rate: half of the requests took no longer"},
	{P99, "p99", "ms", Lower, "latency at the constant rate: 99 of 100 requests took no longer"},
	{P999, "p99.9", "ms", Lower, "latency at the constant rate: 999 of 1,000 requests took no longer"},
	{MaxLatency, "max", "ms", Lower, "latency at the constant rate: the slowest request"},
	{FullP50, "p50 at full load", "ms", Lower, "latency when every client asks again at once: half of the requests took no longer"},
	{FullP99, "p99 at full load", "ms", Lower, "latency when every client asks again at once: 99 of 100 requests took no longer"},
	{Errors, "errors", "", Lower, "wrong or missing answers"},
	{Anonymous, "anon", "MB", Lower, "anonymous memory of the process tree"},
	{Resident, "resident", "MB", Lower, "resident memory of the process tree, with files that it maps"},
	{Calls, "calls", "", Lower, "system calls per request"},
	{CallsRead, "read", "", Lower, "of them: read, recv and their kin"},
	{CallsWrite, "write", "", Lower, "of them: write, send, sendfile and their kin"},
	{CallsPoll, "poll", "", Lower, "of them: epoll_wait and its kin"},
	{CallsOther, "other", "", Lower, "of them: all others"},
	{CallsClock, "by clock", "", Neither, "of them: those that a runtime makes by the clock, whatever the requests"},
	{HitShare, "hits", "%", Higher, "requests that did not reach the backend"},
	{Dials, "dials", "", Lower, "connections that the backend accepted per 1,000 requests"},
	{BackendAsked, "backend", "", Lower, "requests that reached the backend"},
	{Slowest, "slowest", "ms", Lower, "the slowest client's answer"},
	{PerConnection, "per connection", "B", Lower, "anonymous memory for each idle connection"},
	{FirstAnswer, "first answer", "ms", Lower, "from starting the program to its first answer"},
	{Failed, "failed", "", Lower, "requests that failed meanwhile"},
	{Growth, "growth", "MB", Lower, "resident memory at the end less that at the start"},
	{ParseTime, "parse", "ns", Lower, "CPU time for one request's head by the parser alone"},
}

// MetricOf returns what is known of a metric.
func MetricOf(key string) (Metric, bool) {
	for _, m := range metrics {
		if m.Key == key {
			return m, true
		}
	}
	return Metric{}, false
}

// Metrics returns all of them. It is the caller's own.
func Metrics() []Metric { return append([]Metric(nil), metrics...) }

// EveryRound tells whether a figure is judged by its worst round: one lost request is one too many, whatever the median says.
func EveryRound(key string) bool { return key == Errors || key == Failed || key == BackendAsked }
