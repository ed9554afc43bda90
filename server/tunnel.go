package server

import (
	"io"

	"seawall/engine"
	"seawall/httpparse"
)

// tunnel is an upgraded connection (a websocket): bytes go both ways, each
// side is held back by the other, and an end of stream is passed on.
type tunnel struct {
	buf        *engine.Buf // what was read from one side is passed through here
	clientDone bool        // the client has sent all it will
	paused     bool        // the backend is held back
	held       bool        // the client is held back
}

// tunnelRead is how much is passed on at a time, bytes.
const tunnelRead = 16 << 10

// beginTunnel answers 101 and joins the two connections.
func (r *Request) beginTunnel(ex *exchange, resp *httpparse.Response) {
	ex.state = exchangeTunnel
	r.keepalive = false
	r.handlerState = contentStreaming
	r.adoptReply(ex.reply, ex.fields, resp)
	r.resp.upgraded = true
	r.resp.length = -1
	r.sendHead()
	r.client.beginTunnel(r)
}

// tunnelFromClient passes on what the client sent.
func (r *Request) tunnelFromClient() {
	c := r.conn()
	for !r.tunnel.clientDone {
		if r.ex.call.TunnelPending() > outputHigh {
			r.tunnel.held = true
			return
		}
		if r.tunnel.buf == nil {
			r.tunnel.buf = r.loop.l.GetBuf(tunnelRead)
		}
		b := r.tunnel.buf.B[:cap(r.tunnel.buf.B)]
		n, err := c.Read(b)
		if n > 0 {
			r.ex.call.TunnelWrite(b[:n])
			r.tunnelTouch()
			continue
		}
		if err == io.EOF {
			r.tunnel.clientDone = true
			r.ex.call.TunnelCloseWrite()
		} else if err != engine.ErrAgain {
			r.client.drop(r)
			return
		}
		break
	}
	r.loop.l.PutBuf(r.tunnel.buf)
	r.tunnel.buf = nil
}

// tunnelFromBackend passes on what the backend sent; nothing: it has sent all.
func (r *Request) tunnelFromBackend(p []byte) {
	if len(p) == 0 {
		r.conn().CloseWrite()
		return
	}
	r.responded += int64(len(p))
	r.conn().Write(p)
	r.conn().Flush()
	r.tunnelTouch()
	if r.conn().Pending() > outputHigh {
		r.tunnel.paused = true
		r.ex.hold(heldForClient)
	}
}

// tunnelTouch moves the time-out: both directions keep a tunnel alive.
func (r *Request) tunnelTouch() {
	r.conn().SetDeadline(r.now() + int64(r.loc.set.ProxyReadTimeout))
}

func (r *Request) tunnelToClientDrained() {
	if r.tunnel.paused && r.conn().Pending() < outputHigh/2 {
		r.tunnel.paused = false
		r.ex.release(heldForClient)
	}
}

func (r *Request) tunnelToBackendDrained() {
	if r.tunnel.held {
		r.tunnel.held = false
		r.tunnelFromClient()
	}
}

// tunnelEnded is reached when both directions have ended, or the backend
// failed: the client still gets what came before.
func (r *Request) tunnelEnded() {
	r.client.abort(r)
}

// tunnelTimedOut ends a tunnel in which nothing moved for proxy_read_timeout.
func (r *Request) tunnelTimedOut() {
	r.logClient(levelInfo, "client timed out (110: Connection timed out) while proxying upgraded connection")
	r.client.drop(r)
}
