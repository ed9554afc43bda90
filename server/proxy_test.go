package server

import (
	"testing"

	"seawall/internal/freeport"
)

// proxy_bind with a port: the backend sees it, on every connection.
func TestProxyBindWithPort(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", x.RemoteAddr().String()) })
	local := freeport.Address(t)
	w := newWorld(t, `server { listen {{listen}};
		location / { proxy_pass http://{{origin}}; proxy_bind {{local}}; }
		location /off { proxy_pass http://{{origin}}; proxy_bind off; } }`, "origin", o.addr(), "local", local)
	for range 2 { // the second time on the same connection
		if a := w.get("/"); a.status != 200 || a.body != local {
			t.Errorf("%d, from %s; want %s", a.status, a.body, local)
		}
	}
	if a := w.get("/off"); a.status != 200 || a.body == local {
		t.Errorf("off: %d, from %s", a.status, a.body)
	}
}
