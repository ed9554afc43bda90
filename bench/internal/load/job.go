//go:build linux

// Package load makes requests and checks the answers: wrk for the highest rate (closed loop: a client asks again when it
// has its answer), our own generator for a constant rate and for what wrk cannot do, h2load for pipelining. What they
// print is parsed here, and nowhere else.
package load

import (
	"net/netip"
	"time"
)

// Page is what is asked for and the answer that is right: its status and, with 200, a body of Size bytes whose byte i is
// 'a' + i%26 (unless Body is set).
type Page struct {
	Path   string
	Status int    // 0: 200
	Size   int    // of the body
	Body   string // set only where the body is not the alphabet
	Post   int    // bytes of request body; 0: a GET
	Unique bool   // each request asks for another query, so that none is in a cache
	Weight int    // share among the pages of a job; 0: 1
}

// Job is one run of a load generator.
type Job struct {
	Target         netip.AddrPort
	Pages          []Page
	Connections    int
	Rate           float64 // requests per second in all; 0: closed loop
	NewConnections bool    // each request on a connection of its own (Connection: close)
	Pipeline       int     // requests under way on a connection; 0: 1
	SlowReaders    int     // so many more connections read SlowPage at SlowBytesPerSecond each, beside the measured ones
	SlowPage       Page
	SlowRate       int           // bytes per second
	Warm           time.Duration // before the window: not counted
	Window         time.Duration // of the measurement; or
	Requests       int           // ends after so many answers instead
}

// Totals is what a generator found in the window.
type Totals struct {
	Requests   int           `json:"requests"` // answered rightly
	Errors     int           `json:"errors"`   // wrong, missing or late answers
	FirstError string        `json:"first_error"`
	Bytes      int           `json:"bytes"` // received
	Window     time.Duration `json:"window"`
	Latency    Latency       `json:"latency"`
}

// Latency is in milliseconds. At a constant rate it counts from the time at which a request was due, not from the time at
// which it could be sent.
type Latency struct {
	P50, P90, P99, P999, Max float64
	Curve                    []Percentile // for plots, rising
}

// Percentile is a latency that so many per cent of the requests did not exceed.
type Percentile struct{ Percent, Ms float64 }
