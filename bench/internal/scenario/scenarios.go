//go:build linux

package scenario

import (
	"fmt"
	"sync/atomic"
	"time"

	"seawall/bench/internal/load"
	"seawall/bench/internal/peer"
	"seawall/bench/internal/result"
)

// The servers that targets are stated against.
const (
	nginx     = "nginx"
	haproxy   = "haproxy"
	floor     = "floor"     // answers by itself
	forwarder = "forwarder" // passes everything on
)

const (
	kb = 1024
	mb = 1024 * kb

	hitConnections     = 64
	proxyConnections   = 32 // as many as nginx keeps to the backend; with more it opens and closes all the time
	stampedeClients    = 1000
	tracedSmall        = 4000 // requests whose system calls are counted
	tracedBig          = 1000
	soakGrowth         = 1.0 // MB that count as no growth: one more chunk of some allocator
	idleBound          = 400.0
	stampedeSlowestMax = 330.0 // ms: 1.1 x the backend's time
)

// What tables show.
var (
	costs   = []string{result.CPU, result.UserCPU, result.SystemCPU, result.Busy, result.Rate}
	waits   = []string{result.P50, result.P99, result.P999, result.MaxLatency, result.Errors}
	memory  = []string{result.Anonymous, result.Resident}
	calls   = []string{result.Calls, result.CallsRead, result.CallsWrite, result.CallsPoll, result.CallsOther, result.CallsClock}
	hits    = columns(costs, waits, []string{result.HitShare}, memory)
	proxied = columns(costs, waits, []string{result.Dials}, memory)
)

func columns(parts ...[]string) []string {
	var all []string
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func page(path string, size int) load.Page { return load.Page{Path: path, Size: size} }

// All is the table. A new scenario is one more entry.
func All() []Scenario {
	return []Scenario{
		{
			Name: "cached-1k", Group: "cached", Quick: true, About: "a hit of 1 KB, cached for 1 s, over 64 kept-alive connections",
			Why:   "what a microcache does all day: everything but the body is overhead, so this is the price of the server itself",
			Needs: peer.Cache, Floor: floor, Cached: true, Pages: []load.Page{page("/1k", kb)},
			Method: requestCost{connections: hitConnections, traced: tracedSmall}, Metrics: columns(hits, calls),
			Targets: []Target{{result.CPU, nginx, 0.45}, {result.CPU, haproxy, 0.85}, {result.CPU, floor, 1.20},
				{result.CallsRead, "", 1.02}, {result.CallsWrite, "", 1.02}, {result.CallsOther, "", 0.05}},
		}, {
			Name: "cached-10k", Group: "cached", About: "a hit of 10 KB",
			Why:   "the size of a small page or an API's answer: still one system call, but the kernel's copy begins to show",
			Needs: peer.Cache, Floor: floor, Cached: true, Pages: []load.Page{page("/10k", 10*kb)},
			Method: requestCost{connections: hitConnections, traced: tracedBig}, Metrics: columns(hits, calls),
		}, {
			Name: "cached-100k", Group: "cached", Quick: true, About: "a hit of 100 KB",
			Why:   "a large page or a script: the kernel's copy dominates, and how a body leaves the server decides",
			Needs: peer.Cache, Floor: floor, Cached: true, Pages: []load.Page{page("/100k", 100*kb)},
			Method: requestCost{connections: hitConnections, traced: tracedBig}, Metrics: columns(hits, calls),
			Targets: []Target{{result.CPU, nginx, 0.65}},
		}, {
			Name: "cached-2m", Group: "cached", About: "a hit of 2 MB",
			Why:   "an image or an archive: no socket takes it at once, so the server sends on as the client reads",
			Needs: peer.Cache, Floor: floor, Cached: true, Pages: []load.Page{page("/2m", 2*mb)},
			Method: requestCost{connections: hitConnections, traced: tracedBig}, Metrics: columns(hits, calls),
		}, {
			Name: "return", Group: "cached", About: "an answer from the configuration: `return 200`, no cache and no backend",
			Why:   "the request machine alone: reading, finding the location, writing the head and the log",
			Needs: peer.Return, Cached: true, Pages: []load.Page{{Path: "/return", Size: 3, Body: "ok\n"}},
			Method: requestCost{connections: hitConnections, traced: tracedSmall}, Metrics: columns(costs, waits, memory, calls),
			Targets: []Target{{result.CPU, nginx, 1.1}},
		}, {
			Name: "pipelined-16", Group: "cached", About: "a hit of 1 KB, 16 requests under way on each of 64 connections (h2load)",
			Why:   "few clients pipeline, but proxies in front do; it shows whether answers are gathered into one write",
			Needs: peer.Cache, Floor: floor, Cached: true, Pages: []load.Page{page("/1k", kb)},
			Method: requestCost{connections: hitConnections, pipeline: 16}, Metrics: columns(costs, memory),
		}, {
			Name: "mixed", Group: "cached", About: "90 % hits of 1 KB, 8 % misses (a new query each), 2 % answers 404",
			Why:   "no site has hits only: misses and errors must not hold up the hits beside them",
			Needs: peer.Cache | peer.Proxy, Cached: true, Pages: []load.Page{{Path: "/1k", Size: kb, Weight: 90},
				{Path: "/1k", Size: kb, Unique: true, Weight: 8}, missing(2)},
			Method: requestCost{connections: proxyConnections, own: true, traced: tracedBig}, Metrics: columns(hits, calls),
		}, {
			Name: "proxied-1k", Group: "proxied", Quick: true, About: "1 KB from the backend, never cached, kept-alive connections on both sides",
			Why:   "every request does the whole way and back; the forwarder shows what two reads and two writes cost",
			Needs: peer.Proxy, Floor: forwarder, Pages: []load.Page{page("/proxied/1k", kb)},
			Method: requestCost{connections: proxyConnections, traced: tracedSmall}, Metrics: columns(proxied, calls),
			Targets: []Target{{result.CPU, nginx, 0.93}, {result.CPU, haproxy, 0.85}, {result.CPU, forwarder, 1.18}},
		}, {
			Name: "proxied-100k", Group: "proxied", About: "100 KB from the backend, never cached",
			Why:   "how a body streams through: buffers, copies, and how often each side is woken",
			Needs: peer.Proxy, Floor: forwarder, Pages: []load.Page{page("/proxied/100k", 100*kb)},
			Method: requestCost{connections: proxyConnections, traced: tracedBig}, Metrics: columns(proxied, calls),
			Targets: []Target{{result.CPU, nginx, 0.60}, {result.CPU, haproxy, 1.1}},
		}, {
			Name: "proxied-post", Group: "proxied", About: "a POST of 10 KB, answered with 1 KB",
			Why:   "forms and APIs: a request body is read, perhaps buffered, and sent on",
			Needs: peer.Proxy, Floor: forwarder, Pages: []load.Page{{Path: "/proxied/post", Size: kb, Post: 10 * kb}},
			Method: requestCost{connections: proxyConnections, traced: tracedBig}, Metrics: columns(proxied, calls),
		}, {
			Name: "static-1k", Group: "static", About: "a file of 1 KB", Why: "opening, or knowing without opening, is what counts",
			Needs: peer.Static, Floor: floor, Cached: true, Pages: []load.Page{page("/static/1k.txt", kb)},
			Method: requestCost{connections: hitConnections, traced: tracedBig}, Metrics: columns(costs, waits, memory, calls),
		}, {
			Name: "static-100k", Group: "static", About: "a file of 100 KB", Why: "sendfile against copies",
			Needs: peer.Static, Floor: floor, Cached: true, Pages: []load.Page{page("/static/100k.txt", 100*kb)},
			Method: requestCost{connections: hitConnections, traced: tracedBig}, Metrics: columns(costs, waits, memory, calls),
		}, {
			Name: "static-1m", Group: "static", About: "a file of 1 MB", Why: "sendfile over more than one turn of the socket",
			Needs: peer.Static, Floor: floor, Cached: true, Pages: []load.Page{page("/static/1m.txt", mb)},
			Method: requestCost{connections: hitConnections, traced: tracedBig}, Metrics: columns(costs, waits, memory, calls),
		}, {
			Name: "new-connection", Group: "connections", Quick: true, About: "a hit of 1 KB, each request on a connection of its own",
			Why:   "clients without keep-alive, health checks, badly made applications: accepting and closing is most of the work",
			Needs: peer.Cache, Floor: floor, Cached: true, Pages: []load.Page{page("/1k", kb)},
			Method: requestCost{connections: hitConnections, own: true, fresh: true, traced: tracedBig}, Metrics: columns(hits, calls),
			Targets: []Target{{result.CPU, nginx, 0.90}},
		}, {
			Name: "crowd", Group: "connections", Quick: true, About: "thousands of connections (9,000 unless told), all of them active: a hit of 1 KB for each, again and again",
			Why:   "a server that is quick with 64 connections may crawl with thousands: its memory is out of the processor's caches",
			Needs: peer.Cache, Floor: floor, Cached: true, Pages: []load.Page{page("/1k", kb)},
			Method: crowd{}, Metrics: hits, Targets: []Target{{result.CPU, nginx, 0.55}},
		}, {
			Name: "slow-clients", Group: "connections", About: "64 connections with hits of 1 KB beside 64 slow readers of 1 MB",
			Why:   "phones and far-away clients: they must cost memory for no more than what is on its way, and hold nobody up",
			Needs: peer.Cache, Floor: floor, Cached: true, Pages: []load.Page{page("/1k", kb)},
			Method:  requestCost{connections: hitConnections, own: true, slow: 64, slowPage: page("/1m", mb), slowRate: 128 * kb},
			Metrics: hits,
		}, {
			Name: "rate-by-connections", Group: "connections", About: "the highest rate of hits of 1 KB over 1 to 10,000 connections; the table has the last",
			Why:   "how the cost of a request changes with the number of those who ask",
			Needs: peer.Cache, Floor: floor, Cached: true, Pages: []load.Page{page("/1k", kb)},
			Method: rateCurve{[]int{1, 10, 100, 1000, 10000}}, Metrics: columns([]string{result.Rate}, costs[:4], []string{result.Errors}),
		}, {
			Name: "idle-memory", Group: "connections", Quick: true, About: "memory with up to 10,000 connections that asked once and wait",
			Why:   "most connections of a site are idle: this decides how many one machine can keep",
			Needs: peer.Cache, Cached: true, Pages: []load.Page{page("/long/1k", kb)},
			Method:  memoryCurve{[]int{1000, 2500, 5000, 10000}},
			Metrics: columns([]string{result.PerConnection}, memory), Targets: idleTargets(),
		}, {
			Name: "cold-start", Group: "life", About: "from starting the program to its first answer, median of five starts",
			Why:   "deployments, crashes and scaling: how long nobody answers",
			Needs: peer.Proxy, Floor: floor, Pages: []load.Page{page("/proxied/1k", kb)},
			Method: coldStart{5}, Metrics: []string{result.FirstAnswer},
		}, {
			Name: "stampede", Group: "life", Quick: true, About: "1,000 clients at once for a page that is not cached and that the backend takes 300 ms to make",
			Why:   "a front page goes viral or a cache was emptied: one request may reach the backend, and nobody may wait much longer than it takes",
			Needs: peer.Cache, Cached: true, Pages: []load.Page{page("/long/slow", kb)},
			Method: stampede{clients: stampedeClients, pages: new(atomic.Int64)}, Metrics: []string{result.BackendAsked, result.Slowest, result.P50, result.Errors},
			Targets: []Target{{result.BackendAsked, "", 1}, {result.Slowest, "", stampedeSlowestMax}},
		}, {
			Name: "stampede-expired", Group: "life", About: "1,000 clients at once for a page that was cached and has just expired; the backend takes 300 ms",
			Why:   "a page that is asked for all the time expires: servers that may serve it stale meanwhile answer at once, and still one request is enough",
			Needs: peer.Cache, Cached: true, Pages: []load.Page{page("/slow", kb)},
			Method:  stampede{clients: stampedeClients, expired: true, pages: new(atomic.Int64)},
			Metrics: []string{result.BackendAsked, result.Slowest, result.P50, result.Errors},
			Targets: []Target{{result.BackendAsked, "", 1}, {result.Slowest, "", stampedeSlowestMax}},
		}, {
			Name: "reload", Group: "life", About: "ten reloads while clients come and go",
			Why:   "a configuration changes several times a day: no client may notice",
			Needs: peer.Cache | peer.Reload, Cached: true, Pages: []load.Page{page("/1k", kb)},
			Method:  reloads{times: 10, rate: 1000, connections: hitConnections},
			Metrics: []string{result.Failed, result.P50, result.P99, result.MaxLatency}, Targets: []Target{{result.Failed, "", 0}},
		}, {
			Name: "soak", Group: "life", About: "ten minutes of a mild mixed load after two to warm up, all servers at the same time",
			Why:   "what leaks shows in time only: memory at the end must be what it was when the server was warm",
			Needs: peer.Cache | peer.Proxy, Cached: true,
			Pages: []load.Page{{Path: "/1k", Size: kb, Weight: 70}, {Path: "/10k", Size: 10 * kb, Weight: 15},
				{Path: "/100k", Size: 100 * kb, Weight: 5}, {Path: "/proxied/1k", Size: kb, Unique: true, Weight: 8}, missing(2)},
			Method:  soak{connections: 32, rate: 300, warm: 2 * time.Minute, lasts: 10 * time.Minute, every: 5 * time.Second},
			Metrics: columns([]string{result.Growth, result.Resident}, waits),
			Targets: []Target{{result.Growth, "", soakGrowth}},
		}, {
			Name: "parser", Group: "life", About: "parsing a browser's request of 700 B: httpparse, fasthttp and net/http, by go test -bench",
			Why:    "the part of a request's cost that is ours alone, beside the parsers that other Go servers have",
			Method: parsers{}, Metrics: []string{result.ParseTime},
			Targets: []Target{{result.ParseTime, "net/http", 1.0 / 5}, {result.ParseTime, "fasthttp", 1 / 1.5}},
		},
	}
}

// missing is the page that the backend does not have.
func missing(weight int) load.Page {
	return load.Page{Path: "/missing", Status: 404, Size: len(notFound), Body: notFound, Weight: weight}
}

const notFound = "not found\n"

// idleTargets bound the memory of an idle connection, absolutely and by every peer's.
func idleTargets() []Target {
	targets := []Target{{result.PerConnection, "", idleBound}}
	for _, k := range peer.All() {
		if !k.Floor && k.Name != Ours {
			targets = append(targets, Target{result.PerConnection, k.Name, 1})
		}
	}
	return targets
}

// Ours is the server that targets judge.
const Ours = "seawall"

// Text is the target as a sentence, for the tables.
func (t Target) Text() string {
	m, _ := result.MetricOf(t.Metric)
	if t.Against != "" {
		return fmt.Sprintf("%s at most %.3g x %s", m.Label, t.Max, t.Against)
	}
	if m.Unit == "" {
		return fmt.Sprintf("%s at most %.4g", m.Label, t.Max)
	}
	return fmt.Sprintf("%s at most %.4g %s", m.Label, t.Max, m.Unit)
}
