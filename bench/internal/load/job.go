//go:build linux

// Package load makes requests and checks the answers: wrk for the highest rate (closed loop: a client asks again when it
// has its answer), our own generator for a constant rate and for what wrk cannot do, h2load for pipelining. What they
// print is parsed here, and nowhere else.
package load

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Page is what is asked for and the answer that is right: its status and a body of Size bytes whose byte i is 'a' + i%26,
// unless Body is set. With another status than 200 and neither Size nor Body, any body is right: servers word their error
// pages in their own ways.
type Page struct {
	Path   string
	Status int    // 0: 200
	Size   int    // of the body
	Body   string // set only where the body is not the alphabet; Size need not be set then
	Post   int    // bytes of request body; 0: a GET
	Unique bool   // each request asks for another query, so that none is in a cache
	Weight int    // share among the pages of a job; 0: 1
}

// Job is one run of a load generator.
type Job struct {
	Target         netip.AddrPort // 127.0.0.1
	Pages          []Page
	Connections    int
	Rate           float64 // requests per second in all; 0: closed loop. Own generator only
	NewConnections bool    // each request on a connection of its own (Connection: close)
	Pipeline       int     // requests under way on a connection; 0: 1
	Reopen         bool    // the server may close connections between answers, as when it reloads. Own generator only
	SlowReaders    int     // so many more connections read SlowPage at SlowRate each, beside the measured ones. Own only
	SlowPage       Page
	SlowRate       int           // bytes per second
	Steps          []int         // open connections stepwise: how many there are after each step, rising. Own only
	Warm           time.Duration // before the window: not counted
	Window         time.Duration // of the measurement; or
	Requests       int           // ends after so many answers instead
	Limit          time.Duration // of a run that ends by Requests or of a step, 0: a minute; after a window 5 s at most. Own only
	Hold           bool          // keep the connections open after the report until Release. Own generator only

	// Begin, when set, is called by Wrk and H2load between the warm-up and the window: what the server used in the window is
	// what it used between Begin and their return.
	Begin func() error
}

// Totals is what a generator found in the window.
type Totals struct {
	Requests   int           `json:"requests"` // answered rightly
	Errors     int           `json:"errors"`   // wrong, missing or late answers
	FirstError string        `json:"first_error"`
	Bytes      int           `json:"bytes"` // received
	Window     time.Duration `json:"window"`
	Latency    Latency       `json:"latency"`

	// Of our own generator only.
	Reopened    int `json:"reopened"`     // connections that were opened again (Job.Reopen)
	SlowAnswers int `json:"slow_answers"` // that slow readers had whole
	SlowBytes   int `json:"slow_bytes"`
}

// Rate is in requests per second.
func (t Totals) Rate() float64 { return float64(t.Requests) / t.Window.Seconds() }

// WrongAnswers is the error of a run in which not every answer was right. The totals come with it, for scenarios that
// count errors.
type WrongAnswers struct {
	Errors, Requests int
	First            string
}

func (w *WrongAnswers) Error() string {
	return fmt.Sprintf("%d errors beside %d right answers: %s", w.Errors, w.Requests, w.First)
}

func (t Totals) check() error {
	if t.Errors > 0 {
		return &WrongAnswers{Errors: t.Errors, Requests: t.Requests, First: t.FirstError}
	}
	if t.Requests == 0 {
		return errors.New("no request was answered")
	}
	return nil
}

// Latency is in milliseconds. At a constant rate it counts from the time at which a request was due, not from the time at
// which it could be sent. h2load tells the largest only.
type Latency struct {
	P50, P90, P99, P999, Max float64
	Curve                    []Percentile // for plots, rising from 50 % to 100 %
}

// Percentile is a latency that so many per cent of the requests did not exceed.
type Percentile struct{ Percent, Ms float64 }

const alphabet = "abcdefghijklmnopqrstuvwxyz"

func (p Page) status() int {
	if p.Status == 0 {
		return 200
	}
	return p.Status
}

// size is -1 when any body is right.
func (p Page) size() int {
	switch {
	case p.Body != "":
		return len(p.Body)
	case p.Size == 0 && p.status() != 200:
		return -1
	}
	return p.Size
}

// bodyIsRight compares a whole body.
func (p Page) bodyIsRight(body []byte) bool {
	if p.Body != "" {
		return string(body) == p.Body
	}
	if size := p.size(); size < 0 || len(body) != size {
		return size < 0
	}
	for i, c := range body {
		if c != alphabet[i%len(alphabet)] {
			return false
		}
	}
	return true
}

func (p Page) weight() int { return max(1, p.Weight) }

// letters is a request body of n bytes.
func letters(n int) string { return strings.Repeat(alphabet, n/len(alphabet)+1)[:n] }

// sequence is the order in which pages are asked for, over and over: smooth weighted round robin, as nginx's upstream
// does it, so that each window has the same mix.
func sequence(pages []Page) []Page {
	sum := 0
	for _, p := range pages {
		sum += p.weight()
	}
	turn := make([]int, len(pages))
	var order []Page
	for range sum {
		best := 0
		for i, p := range pages {
			turn[i] += p.weight()
			if turn[i] > turn[best] {
				best = i
			}
		}
		turn[best] -= sum
		order = append(order, pages[best])
	}
	return order
}

// check refuses what no generator can do; each adds what itself cannot.
func (j Job) check() error {
	if len(j.Pages) == 0 {
		return errors.New("load: no page to ask for")
	}
	for _, p := range append([]Page{j.SlowPage}, j.Pages...) {
		if p.Path == "" && p == j.SlowPage && j.SlowReaders == 0 {
			continue
		}
		if !strings.HasPrefix(p.Path, "/") || strings.ContainsFunc(p.Path, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return fmt.Errorf("load: %q is no path", p.Path)
		}
	}
	return nil
}
