package http1_test

import (
	"seawall/engine"
	"seawall/httpparse"
	"seawall/upstream"
)

// again is a receiver that starts its call anew from UpstreamDone.
type again struct {
	upstream.Call
	start, over func()
	left        int
	failure     *upstream.Error
	bytes       int
}

func (a *again) UpstreamInterim(*upstream.Call, *httpparse.Response, []byte) {}
func (a *again) UpstreamHead(*upstream.Call, *httpparse.Response, []byte)    {}
func (a *again) UpstreamMove(*upstream.Call, *engine.Conn, int) (int, error) {
	return 0, engine.ErrCopy
}
func (a *again) UpstreamBody(_ *upstream.Call, p []byte)                          { a.bytes += len(p) }
func (a *again) UpstreamWritable(*upstream.Call)                                  {}
func (a *again) UpstreamTry(_ *upstream.Call, _ *upstream.Try, e *upstream.Error) { a.failure = e }

func (a *again) UpstreamFailed(_ *upstream.Call, e *upstream.Error) {
	a.failure = e
	a.over()
}

func (a *again) UpstreamDone(*upstream.Call) {
	if a.left == 0 {
		a.over()
		return
	}
	a.left--
	a.start()
}
