package server

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// withVariable makes $name known to the builder while fn runs.
func withVariable(name string, g getter, fn func()) {
	variables[name] = g
	defer delete(variables, name)
	fn()
}

func TestPanicLosesOneConnection(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", "page", "X-Late: "+x.req.URL.Query().Get("late")) })
	var w *world
	boom := func(r *Request, dst []byte) ([]byte, bool) {
		if strings.Contains(string(r.args), "boom") {
			panic("a test's")
		}
		return dst, true
	}
	withVariable("boom", boom, func() {
		w = newWorld(t, `
		proxy_cache_path {{dir}} keys_zone=z:8m;
		server { listen {{listen}};
			location /return { return 200 "ok$boom"; }
			location /request { proxy_pass http://{{origin}}; proxy_set_header X $boom; }
			location /response { proxy_pass http://{{origin}}; add_header X $boom; }
			location /cached { proxy_pass http://{{origin}}; proxy_cache z; proxy_cache_valid 1m; proxy_cache_lock on; add_header X $boom; }
			location /key { proxy_pass http://{{origin}}; proxy_cache z; proxy_cache_key $uri$boom; }
		}`, "origin", o.addr(), "dir", t.TempDir())
	})
	steady := w.dial()
	for i, path := range []string{"/return", "/request", "/response", "/cached", "/cached", "/key"} {
		p := w.dial()
		p.send(getRequest(path + "?boom=" + fmt.Sprint(i)))
		b, err := io.ReadAll(p.r)
		if strings.Contains(string(b), "200 OK") {
			t.Errorf("%s: %q, %v", path, b, err)
		}
		steady.send(getRequest(path))
		if a := steady.read("GET"); a.status != 200 {
			t.Errorf("%s: %+v", path, a)
		}
	}
	if n := w.srv.Stats().Engine.Panics; n < 6 {
		t.Errorf("%d panics", n)
	}
	eventually(t, "no request is left", func() bool { return w.srv.Stats().Active == 0 })
	w.checkPools()
	if !strings.Contains(w.file("error.log"), "a test's") {
		t.Error("no panic in the error log")
	}
}
