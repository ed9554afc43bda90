package server

import (
	"strconv"
	"time"

	"seawall/engine"
)

// pacer holds back output so that a response leaves at limit_rate bytes a
// second. Owner: the request.
// (https://nginx.org/en/docs/http/ngx_http_core_module.html#limit_rate)
type pacer struct {
	timer   engine.Timer
	pieces  [][]byte // immutable, or copies of our own
	bytes   int      // in pieces
	let     int64    // body bytes let through so far
	started int64    // loop time of the first one, ns
}

// paceTick is how often a paced response goes on.
const paceTick = int64(100 * time.Millisecond)

// setPace evaluates limit_rate and limit_rate_after, unless the backend said
// the rate (X-Accel-Limit-Rate).
func (r *Request) setPace() {
	if r.rateSet {
		return
	}
	l := r.loc
	r.limitRate = r.sizeOf(l.limitRate, l.set.LimitRate.Value)
	r.limitAfter = r.sizeOf(l.limitAfter, l.set.LimitRateAfter.Value)
}

// sizeOf evaluates a size that may come from a variable.
func (r *Request) sizeOf(v *value, fixed int64) int64 {
	if v == nil {
		return fixed
	}
	n, _ := parseSize(v.eval(r))
	return n
}

// parseSize reads "100", "10k", "1m" or "1g".
func parseSize(b []byte) (int64, bool) {
	shift := 0
	if n := len(b); n > 0 {
		switch b[n-1] | 0x20 {
		case 'k':
			shift = 10
		case 'm':
			shift = 20
		case 'g':
			shift = 30
		}
		if shift > 0 {
			b = b[:n-1]
		}
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n < 0 || n > 1<<62>>shift {
		return 0, false
	}
	return n << shift, true
}

// pace queues p and sends what may leave now.
func (r *Request) pace(p []byte, shared bool) {
	if !shared {
		p = append([]byte(nil), p...)
	}
	r.paced.pieces = append(r.paced.pieces, p)
	r.paced.bytes += len(p)
	if r.paced.started == 0 {
		r.paced.started = r.now()
	}
	if !r.paced.timer.Armed() {
		r.letThrough()
	}
}

// backlogged tells whether paced bytes still wait.
func (r *Request) backlogged() bool { return r.paced.bytes > 0 }

// letThrough gives the connection what the rate allows by now.
func (r *Request) letThrough() {
	pc := &r.paced
	now := r.now()
	// As nginx: the first second's worth may leave at once.
	allowed := r.limitAfter + r.limitRate*((now-pc.started)/int64(time.Second)+1) - pc.let
	for allowed > 0 && len(pc.pieces) > 0 && r.client.pending() < outputHigh {
		p := pc.pieces[0]
		if int64(len(p)) > allowed {
			p = p[:allowed]
		}
		r.client.sendBody(r, p, true)
		pc.let += int64(len(p))
		pc.bytes -= len(p)
		allowed -= int64(len(p))
		if len(p) == len(pc.pieces[0]) {
			pc.pieces = pc.pieces[1:]
		} else {
			pc.pieces[0] = pc.pieces[0][len(p):]
		}
	}
	if pc.bytes == 0 && r.resp.ended {
		r.client.endResponse(r)
		return
	}
	r.client.flush(r)
	if pc.bytes == 0 {
		return
	}
	r.loop.l.SetTimer(&pc.timer, now+paceTick, r)
}

// Expired implements engine.Expirer: a paced response goes on.
func (r *Request) Expired(t *engine.Timer) {
	if w := r.resolving; w != nil && t == &r.lockTimer {
		w.wake(nil, errLookupTimeout)
		return
	}
	if t == &r.lockTimer {
		r.lockExpired()
		return
	}
	serial := r.serial
	if r.letThrough(); r.serial == serial {
		r.outputDrained()
	}
}
