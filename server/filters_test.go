package server

import (
	"fmt"
	"io"
	"mime"
	mimeparts "mime/multipart"
	"strings"
	"testing"
)

const rangedHTTP = `
proxy_cache_path {{dir}} keys_zone=z:8m;
server { listen {{listen}};
	location /stored { proxy_pass http://{{origin}}/; proxy_cache z; proxy_cache_valid 60s; max_ranges 3; }
	location /forced { proxy_pass http://{{origin}}/; proxy_force_ranges on; }
	location /plain { proxy_pass http://{{origin}}/; }
	location /off { proxy_pass http://{{origin}}/; proxy_cache z; proxy_cache_valid 60s; max_ranges 0; }
}`

func TestRanges(t *testing.T) {
	body := pattern(50000)
	o := newOrigin(t, func(x *exchangeScript) {
		x.reply("200 OK", body, "Accept-Ranges: bytes", "Content-Type: text/x", `ETag: "e"`, "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT")
	})
	w := newWorld(t, rangedHTTP, "origin", o.addr(), "dir", t.TempDir())
	for _, place := range []string{"/stored", "/forced", "/stored"} { // a miss, none, a hit
		for _, c := range []struct {
			asked, also string
			status      int
			want        string
		}{
			{"bytes=0-9", "", 206, body[:10]},
			{"bytes=49990-", "", 206, body[49990:]},
			{"bytes=-5", "", 206, body[49995:]},
			{"bytes=40000-99999", "", 206, body[40000:]},
			{"bytes=50000-", "", 416, ""},
			{"bytes=9-0", "", 416, ""},
			{"lines=1-2", "", 200, body},
			{"bytes=0-9", `If-Range: "e"`, 206, body[:10]},
			{"bytes=0-9", `If-Range: "other"`, 200, body},
			{"bytes=0-9", "If-Range: Mon, 01 Jan 2024 00:00:00 GMT", 206, body[:10]},
			{"bytes=0-9", "If-Range: Mon, 01 Jan 2023 00:00:00 GMT", 200, body},
			{"bytes=0-9", `If-None-Match: "e"`, 304, ""},
			{"bytes=0-9", `If-Match: "other"`, 412, ""},
		} {
			if place == "/forced" && (strings.HasPrefix(c.also, "If-None") || strings.HasPrefix(c.also, "If-Match")) {
				continue // the backend's business
			}
			fields := []string{"Range: " + c.asked}
			if c.also != "" {
				fields = append(fields, c.also)
			}
			a := w.get(place, fields...)
			if a.status != c.status || c.want != "" && a.body != c.want || a.err != nil {
				t.Errorf("%s %v: %d, %d bytes, %v", place, fields, a.status, len(a.body), a.err)
			}
			if c.status == 206 {
				from := strings.Index(body, c.want)
				if got, want := a.header.Get("Content-Range"), fmt.Sprintf("bytes %d-%d/50000", from, from+len(c.want)-1); got != want {
					t.Errorf("%s %v: Content-Range %q, want %q", place, fields, got, want)
				}
			}
		}
	}
	for _, place := range []string{"/plain", "/off"} {
		if a := w.get(place, "Range: bytes=0-9"); a.status != 200 || a.body != body {
			t.Errorf("%s: %d, %d bytes", place, a.status, len(a.body))
		}
	}
	// Several ranges of a response that is passed on as it comes are not possible.
	if a := w.get("/forced", "Range: bytes=0-9,20-29"); a.status != 200 || a.body != body || a.err != nil {
		t.Errorf("two ranges: %d, %d bytes, %v", a.status, len(a.body), a.err)
	}
	if a := w.get("/stored", "Range: bytes=0-1,3-4,6-7,9-10"); a.status != 200 || a.body != body {
		t.Errorf("more than max_ranges: %d, %d bytes", a.status, len(a.body))
	}
	a := w.get("/stored", "Range: bytes=0-9,20-29,-7")
	kind, params, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if a.status != 206 || kind != "multipart/byteranges" || err != nil || int64(len(a.body)) != a.length {
		t.Fatalf("%+v", a)
	}
	parts := mimeparts.NewReader(strings.NewReader(a.body), params["boundary"])
	for _, want := range [][2]string{{body[:10], "bytes 0-9/50000"}, {body[20:30], "bytes 20-29/50000"}, {body[49993:], "bytes 49993-49999/50000"}} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(part)
		if string(b) != want[0] || part.Header.Get("Content-Range") != want[1] || part.Header.Get("Content-Type") != "text/x" {
			t.Errorf("%q %v", b, part.Header)
		}
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Error(err)
	}
}

func TestConditionalRequests(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		x.reply("200 OK", "page", `ETag: W/"weak"`, "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT", "X-Seen: "+x.req.Header.Get("If-None-Match"))
	})
	w := newWorld(t, `
	proxy_cache_path {{dir}} keys_zone=z:8m;
	server { listen {{listen}}; proxy_cache z; proxy_cache_valid 60s;
		location /exact { proxy_pass http://{{origin}}; }
		location /before { proxy_pass http://{{origin}}; if_modified_since before; }
		location /off { proxy_pass http://{{origin}}; if_modified_since off; }
	}`, "origin", o.addr(), "dir", t.TempDir())
	for range 2 { // a miss, then hits
		for _, c := range []struct {
			path, field string
			status      int
		}{
			{"/exact", `If-None-Match: "weak"`, 304},
			{"/exact", `If-None-Match: "a", W/"weak"`, 304},
			{"/exact", "If-None-Match: *", 304},
			{"/exact", `If-None-Match: "weaker"`, 200},
			{"/exact", "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT", 304},
			{"/exact", "If-Modified-Since: Tue, 02 Jan 2024 00:00:00 GMT", 200},
			{"/exact", "If-Modified-Since: nonsense", 200},
			{"/before", "If-Modified-Since: Tue, 02 Jan 2024 00:00:00 GMT", 304},
			{"/before", "If-Modified-Since: Sun, 31 Dec 2023 00:00:00 GMT", 200},
			{"/off", "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT", 200},
			{"/exact", "If-Unmodified-Since: Sun, 31 Dec 2023 00:00:00 GMT", 412},
			{"/exact", "If-Unmodified-Since: Mon, 01 Jan 2024 00:00:00 GMT", 200},
			{"/exact", `If-Match: "weak"`, 412},
			{"/exact", "If-Match: *", 200},
		} {
			a := w.get(c.path, c.field)
			if a.status != c.status || c.status == 200 && a.body != "page" || c.status == 304 && a.body != "" || a.header.Get("X-Seen") != "" {
				t.Errorf("%s %s: %+v", c.path, c.field, a)
			}
		}
	}
	if n := o.count.Load(); n != 3 {
		t.Errorf("the backend was asked %d times", n)
	}
}

func TestFieldsAreRewritten(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		x.reply("200 OK", "", "Refresh: 5; url=http://back/x",
			"Set-Cookie: a=1; Domain=.back.test; Path=/in/; HttpOnly", "Set-Cookie: other=2; path=/elsewhere",
			"Location: "+x.req.URL.Query().Get("to"))
	})
	w := newWorld(t, `server { listen {{listen}}; absolute_redirect off;
		location / { proxy_pass http://{{origin}};
			proxy_redirect http://back/ /front/; proxy_redirect ~^https://(\w+)\.back(/.*)$ http://$host/$1$2;
			proxy_cookie_domain back.test front.test; proxy_cookie_path /in/ /out/; proxy_cookie_flags a secure nohttponly samesite=lax; } }`, "origin", o.addr())
	for to, want := range map[string]string{
		"http://back/a?b": "/front/a?b", "https://one.back/z": "http://a.test/one/z", "http://elsewhere/": "http://elsewhere/",
	} {
		a := w.get("/?to=" + to)
		if got := a.header.Get("Location"); got != want {
			t.Errorf("%s: %q, want %q", to, got, want)
		}
		if got := a.header.Get("Refresh"); got != "5; url=/front/x" {
			t.Errorf("Refresh: %q", got)
		}
		if got := fmt.Sprint(a.header["Set-Cookie"]); got != "[a=1; Domain=.front.test; Path=/out/; Secure; SameSite=Lax other=2; path=/elsewhere]" {
			t.Errorf("Set-Cookie: %s", got)
		}
	}
}

func TestErrorPages(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("404 Not Found", "backend's "+x.req.URL.Path) })
	w := newWorld(t, `server { listen {{listen}};
		error_page 404 /404; error_page 500 502 = /status; error_page 418 https://tea.test/$uri;
		location = /404 { internal; return 200 "ours\n"; }
		location = /status { internal; return 203 "kept\n"; }
		location /none { return 404; }
		location /passed { proxy_pass http://{{origin}}; }
		location /intercepted { proxy_pass http://{{origin}}; proxy_intercept_errors on; }
		location /loop { error_page 404 /loop; return 404; }
		location /recursive { recursive_error_pages on; error_page 404 /recursive; return 404; }
		location /named { error_page 404 =222 @named; return 404; }
		location @named { return 200 "named $uri\n"; }
		location /tea { return 418; }
		location /dead { proxy_pass http://127.0.0.1:1; }
		location /denied { deny all; error_page 403 /also; }
		location /also { deny all; proxy_pass http://{{origin}}; }
	}`, "origin", o.addr())
	for path, want := range map[string]string{
		"/none": "404 ours\n", "/404": "404 ours\n", "/passed": "404 backend's /passed", "/intercepted": "404 ours\n",
		"/loop": "404 <html>", "/recursive": "500 <html>", "/named": "222 named /named\n", "/tea": "302 <html>", "/dead": "203 kept\n",
		"/denied": "403 <html>",
	} {
		a := w.get(path)
		if got := fmt.Sprintf("%d %s", a.status, a.body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		if a := w.ask("HEAD " + path + " HTTP/1.0\r\n\r\n"); a.body != "" || fmt.Sprint(a.status) != want[:3] {
			t.Errorf("HEAD %s: %+v", path, a)
		}
	}
}

// A request whose response is not stored keeps its conditions and its range.
func TestUncachedRequestsKeepTheirConditions(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) {
		x.reply("200 OK", x.req.Header.Get("If-Match")+"|"+x.req.Header.Get("If-None-Match")+"|"+x.req.Header.Get("Range"))
	})
	w := newWorld(t, `
	proxy_cache_path {{dir}} keys_zone=z:8m;
	server { listen {{listen}}; proxy_cache z; proxy_cache_valid 60s;
		location / { proxy_pass http://{{origin}}; }
		location /uses { proxy_pass http://{{origin}}; proxy_cache_min_uses 9; }
		location /offset { proxy_pass http://{{origin}}; proxy_cache_max_range_offset 100; } }`, "origin", o.addr(), "dir", t.TempDir())
	const fields = "If-Match: \"a\"\r\nIf-None-Match: \"b\"\r\nRange: bytes=100-\r\n"
	for _, c := range [][2]string{
		{"PUT /", `"a"|"b"|bytes=100-`}, {"DELETE /", `"a"|"b"|bytes=100-`}, {"GET /uses", `"a"|"b"|bytes=100-`},
		{"GET /offset", `"a"|"b"|bytes=100-`},
	} {
		p := w.dial()
		p.send(c[0] + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n")
		if a := p.read("GET"); a.body != c[1] && a.status != 412 {
			t.Errorf("%s: %+v", c[0], a)
		}
	}
	asked := int32(4)
	for _, c := range []struct{ field, body string }{
		{"Range: bytes=-1", "||bytes=-1"}, {"Range: bytes=99-", ""}, {`If-None-Match: "x"`, "||"}, // the second is stored
	} {
		if a := w.get("/offset", c.field); c.body != "" && a.body != c.body {
			t.Errorf("%s: %+v", c.field, a)
		}
	}
	if n := o.count.Load(); n != asked+2 {
		t.Errorf("%d requests", n)
	}
}
