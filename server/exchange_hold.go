package server

import (
	"time"

	"seawall/engine"
)

// holds are the reasons for not reading a backend's response just now. It is
// read when there is none.
type holds uint8

const (
	heldForClient holds = 1 << iota // the client has not taken what came before
	heldForFill                     // a reader of the fill is too far behind
	heldForRate                     // proxy_limit_rate
)

func (ex *exchange) hold(why holds) {
	if ex.holds == 0 {
		ex.call.Pause()
	}
	ex.holds |= why
}

func (ex *exchange) release(why holds) {
	if ex.holds&why == 0 {
		return
	}
	if ex.holds &^= why; ex.holds == 0 {
		ex.call.Resume()
	}
}

// readPace is how fast a response is read (proxy_limit_rate). Owner: the exchange.
// (https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_limit_rate)
type readPace struct {
	rate  int64 // bytes a second, 0: no limit
	taken int64 // bytes so far
	since int64 // loop time of the head, ns
	timer engine.Timer
}

// setReadPace begins to count. As in nginx the limit is for responses that are
// buffered: others are read as fast as the client takes them.
func (ex *exchange) setReadPace() {
	h := ex.loc.proxy
	ex.rate.rate = 0
	if h.rate == 0 && h.limitRate == nil || !ex.buffers() {
		return
	}
	ex.rate.rate = h.rate
	if ex.r != nil {
		ex.rate.rate = ex.r.sizeOf(h.limitRate, h.rate)
	}
	ex.rate.taken, ex.rate.since = 0, ex.loop.l.Now()
}

// paceReading notes that n bytes were read, and stops reading for as long as
// they are too many.
func (ex *exchange) paceReading(n int) {
	p := &ex.rate
	if p.rate == 0 || ex.state == exchangeOver {
		return
	}
	p.taken += int64(n)
	now := ex.loop.l.Now()
	over := p.taken - p.rate*((now-p.since)/int64(time.Second)+1)
	if over < 0 {
		return
	}
	ex.hold(heldForRate)
	wait := float64(over) / float64(p.rate) * float64(time.Second)
	ex.loop.l.SetTimer(&p.timer, now+int64(wait)+int64(time.Millisecond), ex)
}

// Expired implements engine.Expirer: reading goes on.
func (ex *exchange) Expired(*engine.Timer) { ex.release(heldForRate) }
