//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
)

// The metrics of a row, by server. The first of a row's columns is what it is about.
const (
	cpuMetric      = "us/request" // server CPU, user and system
	systemMetric   = "system %"   // share of system time in it
	busyMetric     = "busy %"     // of the server's core by the server; below 100 the load was the limit
	rateMetric     = "requests/s"
	p50Metric      = "p50 ms"
	p99Metric      = "p99 ms"
	hitMetric      = "hit %"
	dialMetric     = "dials" // connections that the backend accepted per 1,000 requests
	idleMetric     = "B/connection"
	emptyMetric    = "empty MB"
	fullMetric     = "full MB"
	callsMetric    = "calls/request"
	readMetric     = "read"
	writeMetric    = "write"
	pollMetric     = "poll"
	clockMetric    = "by clock" // of a runtime, so many a second whatever the requests
	otherMetric    = "other"
	backendMetric  = "backend requests"
	parserMetric   = "ns/op"
	loadConns      = 64 // connections of the rows that measure the cost of a request
	proxyConns     = 32 // of the proxied ones: as many as "keepalive 32" keeps, with more nginx opens and closes all the time
	kb100          = 100 * 1024
	stampedeCrowd  = 1000
	straceRequests = 20000
)

// row is one comparison, printed as one table.
type row struct {
	name, about string
	columns     []string
	tools       []string // programs that only this row needs
	targets     []target
	measure     func(b *bench, f figures) error
}

// target is a bound from the issue: Seawall's median of a metric is at most max times another server's, or, with no
// other server named, at most max.
type target struct {
	metric  string
	against string
	max     float64
}

func allRows() []row {
	cpuColumns := []string{cpuMetric, systemMetric, busyMetric, rateMetric, p50Metric, p99Metric}
	cached := append(cpuColumns[:len(cpuColumns):len(cpuColumns)], hitMetric)
	proxied := append(cpuColumns[:len(cpuColumns):len(cpuColumns)], dialMetric)
	calls := []string{callsMetric, readMetric, writeMetric, pollMetric, otherMetric, clockMetric}
	return []row{
		{
			name: "cached-1k", about: "cache hit of 1 KB, microcached for 1 s",
			columns: cached, targets: []target{{cpuMetric, nginxKind, 0.50}},
			measure: requestCost{page: alphabetPage("/1k", 1024), floor: answerKind, connections: loadConns}.measure,
		}, {
			name: "cached-1k-long", about: "cache hit of 1 KB, valid for an hour",
			columns: cached, targets: []target{{cpuMetric, nginxKind, 0.50}},
			measure: requestCost{page: alphabetPage("/long/1k", 1024), floor: answerKind, connections: loadConns}.measure,
		}, {
			name: "cached-100k", about: "cache hit of 100 KB, microcached for 1 s",
			columns: cached, targets: []target{{cpuMetric, nginxKind, 0.70}},
			measure: requestCost{page: alphabetPage("/100k", kb100), floor: answerKind, connections: loadConns}.measure,
		}, {
			name: "cached-100k-long", about: "cache hit of 100 KB, valid for an hour",
			columns: cached, targets: []target{{cpuMetric, nginxKind, 0.70}},
			measure: requestCost{page: alphabetPage("/long/100k", kb100), floor: answerKind, connections: loadConns}.measure,
		}, {
			name: "proxied-1k", about: "1 KB from the backend over kept-alive connections",
			columns: proxied, targets: []target{{cpuMetric, nginxKind, 1.0}, {cpuMetric, "floor", 1.25}},
			measure: requestCost{page: alphabetPage("/proxied/1k", 1024), floor: forwardKind, connections: proxyConns}.measure,
		}, {
			name: "proxied-100k", about: "100 KB from the backend over kept-alive connections",
			columns: proxied,
			measure: requestCost{page: alphabetPage("/proxied/100k", kb100), floor: forwardKind, connections: proxyConns}.measure,
		}, {
			name: "return", about: "`return 200`: no cache, no backend",
			columns: cpuColumns, targets: []target{{cpuMetric, nginxKind, 1.1}},
			measure: requestCost{page: page{path: "/return", size: 3, body: "ok\n"}, connections: loadConns}.measure,
		}, {
			name: "crowd", about: "thousands of connections, all asking for a cached page of 1 KB all the time",
			columns: cached, targets: []target{{cpuMetric, nginxKind, 1.0}, {p99Metric, nginxKind, 1.0}},
			measure: measureCrowd,
		}, {
			name: "idle-memory", about: "anonymous memory of an idle kept-alive connection after one request",
			columns: []string{idleMetric, emptyMetric, fullMetric}, targets: []target{{idleMetric, "", 450}},
			measure: measureIdleMemory,
		}, {
			name: "calls-hit", about: "system calls of a cache hit of 1 KB, by strace",
			columns: calls, tools: []string{"strace"},
			targets: []target{{readMetric, "", 1.02}, {writeMetric, "", 1.02}, {pollMetric, "", 1.0}, {otherMetric, "", 0.05}},
			measure: systemCalls{page: alphabetPage("/long/1k", 1024), connections: loadConns}.measure,
		}, {
			name: "calls-proxied", about: "system calls of a proxied request of 1 KB, by strace",
			columns: calls, tools: []string{"strace"},
			measure: systemCalls{page: alphabetPage("/proxied/1k", 1024), floor: forwardKind, connections: proxyConns}.measure,
		}, {
			name: "stampede", about: fmt.Sprintf("one uncached page asked for by %d clients at once", stampedeCrowd),
			columns: []string{backendMetric, p50Metric, p99Metric}, targets: []target{{backendMetric, "", 1}},
			measure: measureStampede,
		}, {
			name: "parser", about: "parsing a browser's request of 700 B: httpparse, fasthttp, net/http (go test -bench)",
			columns: []string{parserMetric},
			targets: []target{{parserMetric, netHTTPName, 1.0 / 5}, {parserMetric, fastHTTPName, 1 / 1.5}},
			measure: measureParser,
		},
	}
}

// selectRows keeps the rows that a comma-separated list names; an entry that is no row's name stands for all rows whose
// names begin with it.
func selectRows(rows []row, list string) ([]row, error) {
	if list == "" {
		return rows, nil
	}
	chosen := make([]bool, len(rows))
	for entry := range strings.SplitSeq(list, ",") {
		matches := func(r row) bool { return r.name == entry }
		if !slices.ContainsFunc(rows, matches) {
			matches = func(r row) bool { return entry != "" && strings.HasPrefix(r.name, entry) }
		}
		if !slices.ContainsFunc(rows, matches) {
			return nil, fmt.Errorf("no row is called or begins with %q: see -list", entry)
		}
		for i, r := range rows {
			chosen[i] = chosen[i] || matches(r)
		}
	}
	var kept []row
	for i, r := range rows {
		if chosen[i] {
			kept = append(kept, r)
		}
	}
	return kept, nil
}

// figures holds what was measured: server, metric, one value for each round.
type figures map[string]map[string][]float64

func (f figures) add(server, metric string, value float64) {
	if f[server] == nil {
		f[server] = map[string][]float64{}
	}
	f[server][metric] = append(f[server][metric], value)
}
