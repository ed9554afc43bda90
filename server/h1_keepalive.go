package server

import (
	"bytes"

	"seawall/conf"
	"seawall/httpparse"
)

// refusesKeepalive tells whether keepalive_disable names this client.
func (h *h1Conn) refusesKeepalive(r *Request) bool {
	d := r.vhost.root.set.KeepaliveDisable
	return d != 0 && disablesKeepalive(d, r.header(httpparse.HeaderUserAgent), r.method)
}

// disablesKeepalive tells whether keepalive_disable names the browser of a request.
func disablesKeepalive(d conf.KeepaliveDisable, agent []byte, method httpparse.Method) bool {
	if d&conf.KeepaliveDisableMSIE6 != 0 && method == httpparse.MethodPost && bytes.Contains(agent, []byte("MSIE 6.")) {
		return true
	}
	return d&conf.KeepaliveDisableSafari != 0 && bytes.Contains(agent, []byte("Safari/")) && bytes.Contains(agent, []byte("Mac OS X")) &&
		!bytes.Contains(agent, []byte("Chrome/"))
}
