// Package result is what a run of the benchmarks leaves behind: every round of every server in every scenario, with what
// is needed to judge it (machine, kernel, versions, command lines). One file holds one run; tables, plots and comparisons
// are made from such files alone.
package result

import (
	"encoding/json"
	"fmt"
	"time"
)

// Format is the version of the file's layout; readers refuse another one.
const Format = 1

// Run is one run of the benchmarks on one machine.
type Run struct {
	Format    int        `json:"format"`
	Started   time.Time  `json:"started"`
	Ended     time.Time  `json:"ended"`
	Commit    string     `json:"commit"`  // of the tree that Seawall was built from; "+changes" behind it when that had changes
	Command   []string   `json:"command"` // of the bench itself
	Mode      string     `json:"mode"`    // "full", "quick"
	Rounds    int        `json:"rounds"`
	WindowMS  int64      `json:"window_ms"` // length of one measurement under load
	Machine   Machine    `json:"machine"`
	Servers   []Server   `json:"servers"` // in the order of the tables
	Scenarios []Scenario `json:"scenarios"`
	Warnings  []string   `json:"warnings,omitempty"`
}

// Machine is what the run was made on.
type Machine struct {
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"`
	ServerCores []int  `json:"server_cores"` // the servers are pinned to these
	LoadCores   []int  `json:"load_cores"`   // load generators, origin and the bench itself to these
	MemoryMB    int    `json:"memory_mb"`
	Kernel      string `json:"kernel"`
	System      string `json:"system"`     // PRETTY_NAME of /etc/os-release
	Congestion  string `json:"congestion"` // net.ipv4.tcp_congestion_control
	Go          string `json:"go"`         // version that built Seawall and the bench
}

// Server is a program that was measured.
type Server struct {
	Name    string   `json:"name"`
	Floor   bool     `json:"floor,omitempty"`
	Version string   `json:"version"`
	Command []string `json:"command"` // with DIR, PORT and BACKEND for what differs from start to start
	Note    string   `json:"note,omitempty"`
}

// Scenario is one comparison with all that was measured in it.
type Scenario struct {
	Name     string             `json:"name"`
	Group    string             `json:"group"`           // "cached", "proxied", "static", "connections", "life"
	About    string             `json:"about"`           // what is done
	Why      string             `json:"why"`             // what it tells
	Metrics  []string           `json:"metrics"`         // keys of Metrics, in the order of the columns; the first is what the scenario is about
	Facts    map[string]float64 `json:"facts,omitempty"` // of the scenario, not of a server: "constant rate", "backend ms"
	Measured []Measured         `json:"measured"`
	Targets  []Verdict          `json:"targets,omitempty"`
	Seconds  float64            `json:"seconds"`
}

// Measured is one server's part of a scenario. Either Rounds has values, or Error or Cannot says why not.
type Measured struct {
	Server string  `json:"server"`
	Rounds []Round `json:"rounds,omitempty"`
	Error  string  `json:"error,omitempty"`  // it failed, or an answer was wrong
	Cannot string  `json:"cannot,omitempty"` // it has no such feature: nothing was tried
}

// Round is what one server showed in one round.
type Round struct {
	Values  map[string]float64 `json:"values"`            // by metric key
	Curves  map[string][]Point `json:"curves,omitempty"`  // by curve key
	Foreign float64            `json:"foreign,omitempty"` // share of the server's cores that others used meanwhile
	Steal   float64            `json:"steal,omitempty"`   // share that the hypervisor took
}

// Shares of the server's cores above which a round was disturbed, by other processes and by the hypervisor.
const (
	ForeignLimit = 0.05
	StealLimit   = 0.02
)

// Disturbed tells whether something else had the server's cores for more than a little of the round. Package ci leaves such
// rounds out.
func (r Round) Disturbed() bool { return r.Foreign > ForeignLimit || r.Steal > StealLimit }

// Point is a value (Y) of a curve at a place (X), such as memory at a number of connections. In a file it is [X,Y]: most of a
// file is curves.
type Point struct{ X, Y float64 }

// MarshalJSON implements json.Marshaler.
func (p Point) MarshalJSON() ([]byte, error) { return json.Marshal([2]float64{p.X, p.Y}) }

// UnmarshalJSON implements json.Unmarshaler.
func (p *Point) UnmarshalJSON(text []byte) error {
	var pair []float64
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("a point of a curve has two numbers, not %d", len(pair))
	}
	p.X, p.Y = pair[0], pair[1]
	return nil
}

// Verdict says whether a target was met: Value, Seawall's median (see EveryRound) or its ratio to another server's, is at
// most Max. With Missing, one of the figures was not measured, and the target counts as not met.
type Verdict struct {
	Text    string  `json:"text"` // "CPU per request at most 0.93 x nginx"
	Metric  string  `json:"metric"`
	Against string  `json:"against,omitempty"` // the server that Value is a ratio to; empty: Value is absolute
	Value   float64 `json:"value"`
	Max     float64 `json:"max"`
	Met     bool    `json:"met"`
	Missing bool    `json:"missing,omitempty"`
}
