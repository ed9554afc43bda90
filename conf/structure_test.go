package conf

import (
	"os"
	"strings"
	"testing"
)

func TestListen(t *testing.T) {
	cfg := loadHTTP(t, `server { listen 8080 backlog=10 rcvbuf=4k sndbuf=8k reuseport deferred fastopen=3 so_keepalive=30m::10; listen *:81; listen 127.0.0.1;
listen [::]:80 ipv6only=off; listen unix:/run/a.sock; listen localhost:82; listen 9000-9002; listen [::1]; }
server { listen 8080 default_server; listen 81; }`)
	var got []string
	for _, ln := range cfg.HTTP.Servers[0].Listens {
		got = append(got, words(ln.Network, ln.Addr, ln.Host, ln.Port, ln.DefaultServer))
	}
	want := []string{"tcp4 0.0.0.0:8080  8080 false", "tcp4 0.0.0.0:81  81 true", "tcp4 127.0.0.1:80  80 true", "tcp6 [::]:80  80 true",
		"unix /run/a.sock  0 true", "tcp localhost:82 localhost 82 true", "tcp4 0.0.0.0:9000  9000 true", "tcp4 0.0.0.0:9001  9001 true",
		"tcp4 0.0.0.0:9002  9002 true", "tcp6 [::1]:80  80 true"}
	same(t, "listens", strings.Join(got, "\n"), strings.Join(want, "\n"))
	first, second := cfg.HTTP.Servers[0].Listens[0], cfg.HTTP.Servers[1].Listens[0]
	const options = "{Backlog:10 RcvBuf:4096 SndBuf:8192 FastOpen:3 ReusePort:true Deferred:true IPv6Only:true KeepAlive:{Set:true On:true Idle:30m0s Interval:0s Count:10}}"
	same(t, "options", first.SocketOptions, options)
	same(t, "options of the second server", second.SocketOptions, options)
	same(t, "default_server", second.DefaultServer, true)
	same(t, "ipv6only", cfg.HTTP.Servers[0].Listens[3].IPv6Only, false)

	port := "0.0.0.0:80"
	if os.Geteuid() != 0 {
		port = "0.0.0.0:8000"
	}
	same(t, "none", loadHTTP(t, "server {}").HTTP.Servers[0].Listens[0].Addr, port)
}

func TestServerNames(t *testing.T) {
	cfg := loadHTTP(t, `server { server_name Example.COM *.Example.com .example.org www.example.* "" ~^www\d+\.(?<Domain>.+)$ $hostname; }`)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range cfg.HTTP.Servers[0].Names {
		got = append(got, words(n.Kind, n.Name, n.Text))
	}
	want := []string{"0 example.com example.com", "2 example.com *.example.com", "1 example.org .example.org", "3 www.example www.example.*", "0  ",
		`4 ^www\d+\.(?<Domain>.+)$ ~^www\d+\.(?<Domain>.+)$`, words(0, strings.ToLower(host), strings.ToLower(host))}
	same(t, "names", strings.Join(got, "\n"), strings.Join(want, "\n"))
	re := cfg.HTTP.Servers[0].Names[5].Regexp
	same(t, "capture", re.FindStringSubmatch("WWW7.example.com")[re.SubexpIndex("Domain")], "example.com")
}

func TestLocations(t *testing.T) {
	cfg := loadHTTP(t, `server { location / { location /a { } location ~ ^/(?<x>a)$ { } } location = /e { } location ^~ /n/ { proxy_pass http://127.0.0.1; }
location ~* \.PNG$ { } location @named { proxy_pass http://127.0.0.1; } location =/g { } location ~/re { } location /p/ { return 200; } }`)
	var got []string
	var walk func(list []*Location)
	walk = func(list []*Location) {
		for _, l := range list {
			got = append(got, words(l.Kind, l.Pattern, l.Regexp != nil, l.AutoRedirect, l.Pos.Line))
			walk(l.Locations)
		}
	}
	walk(cfg.HTTP.Servers[0].Locations)
	want := []string{"1 / false false 2", "1 /a false false 2", "4 ^/(?<x>a)$ true false 2", "3 /e false false 2", "2 /n/ false true 2",
		`5 \.PNG$ true false 3`, "6 @named false false 3", "3 /g false false 3", "4 /re true false 3", "1 /p/ false false 3"}
	same(t, "locations", strings.Join(got, "\n"), strings.Join(want, "\n"))
	if !cfg.HTTP.Servers[0].Locations[3].Regexp.MatchString("/a.png") {
		t.Error("~* minds case")
	}
}

func TestLimitExcept(t *testing.T) {
	l := loadLocation(t, `proxy_pass http://127.0.0.1; limit_except GET post { deny all; access_log off; }`)
	same(t, "methods", l.LimitExcept.Methods, "[GET POST HEAD]")
	same(t, "inside", words(len(l.LimitExcept.Location.AccessRules), len(l.LimitExcept.Location.AccessLogs)), "1 0")
	same(t, "outside", words(len(l.AccessRules), len(l.AccessLogs)), "0 1")
}

func TestTemplates(t *testing.T) {
	for text, want := range map[string]string{
		"":                "[]",
		"a":               "[{a }]",
		"$a":              "[{ a}]",
		"a$B_c-${D}e$1f2": "[{a } { b_c} {- } { d} {e } { 1} {f2 }]",
		"$12":             "[{ 1} {2 }]",
		"$0":              "[{ 0}]",
		"${a}${b}":        "[{ a} { b}]",
	} {
		tpl, err := ParseTemplate(text, Pos{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		got := "["
		for i, p := range tpl.Parts {
			if i > 0 {
				got += " "
			}
			got += "{" + p.Literal + " " + p.Var + "}"
		}
		same(t, text, got+"]", want)
		same(t, text, words(tpl.IsEmpty(), tpl.IsStatic()), words(text == "", !strings.Contains(text, "$")))
	}
}

func TestProxyPass(t *testing.T) {
	cfg := loadHTTP(t, `upstream App { server 127.0.0.1; } server {
location /0 { proxy_pass http://app; } location /1/ { proxy_pass http://APP/x?y; } location /2 { proxy_pass http://127.0.0.1:8000/; }
location /3 { proxy_pass http://[::1]:81; } location /4 { proxy_pass http://unix:/run/a.sock:/u/; } location /5 { proxy_pass http://unix:/run/a.sock; }
location /6 { proxy_pass http://example.com; } location /7 { proxy_pass http://$host/a; } location /8 { proxy_pass http://127.0.0.1:8000; }
location /9 { proxy_pass http://127.0.0.1:80; } }`)
	var got []string
	for _, l := range cfg.HTTP.Servers[0].Locations {
		p := l.ProxyPass
		name := "-"
		if p.Upstream != nil {
			name = p.Upstream.Name
		}
		redirect := "-"
		if len(l.ProxyRedirects) > 0 {
			redirect = l.ProxyRedirects[0].From.Text() + ">" + l.ProxyRedirects[0].To.Text()
		}
		got = append(got, words(name, p.Host, p.Port, p.HasURI, p.URI, p.Dynamic, redirect))
	}
	want := []string{"App app 80 false  false http://app/>/", "App APP 80 true /x?y false http://APP/x?y>/1/", "127.0.0.1:8000 127.0.0.1:8000 8000 true / false http://127.0.0.1:8000/>/2",
		"[::1]:81 [::1]:81 81 false  false http://[::1]:81/>/", "unix:/run/a.sock localhost  true /u/ false http://unix:/run/a.sock:/u/>/4",
		"unix:/run/a.sock localhost  false  false http://unix:/run/a.sock/>/", "example.com example.com 80 false  false http://example.com/>/",
		"-   false  true -", "127.0.0.1:8000 127.0.0.1:8000 8000 false  false http://127.0.0.1:8000/>/", "127.0.0.1 127.0.0.1 80 false  false http://127.0.0.1:80/>/"}
	same(t, "passes", strings.Join(got, "\n"), strings.Join(want, "\n"))
	locs := cfg.HTTP.Servers[0].Locations
	if locs[2].ProxyPass.Upstream != locs[8].ProxyPass.Upstream {
		t.Error("one address has two groups")
	}
	peer := locs[6].ProxyPass.Upstream.Servers[0]
	same(t, "name", words(peer.Host, peer.Port, peer.AddrPort.IsValid(), peer.Pos.Line), "example.com 80 false 5")
	peer = locs[4].ProxyPass.Upstream.Servers[0]
	same(t, "unix", words(peer.Name, peer.Unix, peer.Host), "unix:/run/a.sock /run/a.sock ")
}

func TestParseProxyURL(t *testing.T) {
	u, bad := ParseProxyURL("http://10.0.0.1:81/a?b")
	same(t, "url", words(bad, u.AddrPort, u.Host, u.Port, u.URI, u.HasURI, u.HasPort), " 10.0.0.1:81 10.0.0.1:81 81 /a?b true true")
	for text, want := range map[string]string{"": "invalid URL prefix", "http://": `no host in upstream ""`, "https://a": "https to backends is not built in yet"} {
		_, bad := ParseProxyURL(text)
		same(t, text, bad, want)
	}
	if n := testing.AllocsPerRun(100, func() { ParseProxyURL("http://backend/some/path?q") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestProxyRewrites(t *testing.T) {
	l := loadLocation(t, `proxy_pass http://127.0.0.1/b/; proxy_redirect default; proxy_redirect http://$host/ /x/; proxy_redirect ~*^http://([^/]+)(/.*)$ $2;
proxy_cookie_domain .a.com $host; proxy_cookie_domain ~\.(?<d>.+) .$d; proxy_cookie_path /one/ /; proxy_cookie_path ~*^/T(.*) /$1;
proxy_cookie_flags one secure samesite=strict; proxy_cookie_flags ~ httponly; proxy_hide_header X-A; proxy_hide_header X-B; proxy_pass_header Server;
proxy_bind $arg_a:80 transparent; proxy_method $m; proxy_set_body "a$b"; proxy_set_header Connection ""; proxy_set_header Host $http_host;
proxy_ignore_headers Vary Expires; proxy_ignore_headers Set-Cookie; proxy_next_upstream http_500 non_idempotent; proxy_next_upstream http_404;
proxy_http_version 1.0; proxy_limit_rate 5k; proxy_buffers 8 16k; proxy_buffer_size 32k; proxy_max_temp_file_size 0;`)
	var got []string
	for _, r := range l.ProxyRedirects {
		got = append(got, words(r.From.Source, r.Regexp, r.To.Source))
	}
	for _, r := range l.ProxyCookieDomain {
		got = append(got, words(r.From.Parts, r.Regexp, r.To.Parts))
	}
	for _, r := range l.ProxyCookiePath {
		got = append(got, words(r.From.Source, r.Regexp, r.To.Source))
	}
	want := []string{"http://127.0.0.1/b/ <nil> /a", "http://$host/ <nil> /x/", ` (?i)^http://([^/]+)(/.*)$ $2`,
		"[{a.com }] <nil> [{ host}]", `[] (?i)\.(?<d>.+) [{. } { d}]`, "/one/ <nil> /", " (?i)^/T(.*) /$1"}
	same(t, "rewrites", strings.Join(got, "\n"), strings.Join(want, "\n"))
	same(t, "flags", words(l.ProxyCookieFlags[0].Name.Source, len(l.ProxyCookieFlags[0].Flags), l.ProxyCookieFlags[1].Regexp), "one 2 (?i)")
	same(t, "lists", words(l.ProxyHideHeaders, l.ProxyPassHeaders), "[X-A X-B] [Server]")
	same(t, "bind", words(l.ProxyBind.Addr.Source, l.ProxyBind.Transparent), "$arg_a:80 true")
	same(t, "request", words(l.ProxyMethod.Source, l.ProxySetBody.Source, l.ProxySetHeaders[0].Value.IsEmpty(), l.ProxySetHeaders[1].Name), "$m a$b true Host")
	same(t, "masks", words(l.ProxyIgnoreHeaders == IgnoreVary|IgnoreExpires|IgnoreSetCookie, l.ProxyNextUpstream == OnHTTP500|OnNonIdempotent|OnHTTP404), "true true")
	same(t, "sizes", words(l.ProxyHttpVersion, l.ProxyLimitRate.Value, l.ProxyBusyBuffersSize, l.ProxyTempFileWriteSize, l.ProxyMaxTempFileSize), "10 5120 65536 65536 0")

	l = loadLocation(t, `proxy_redirect off; proxy_cookie_domain off; proxy_bind off; proxy_pass http://127.0.0.1; location /a/b { proxy_pass http://127.0.0.2; }`)
	same(t, "off", words(len(l.ProxyRedirects), len(l.ProxyCookieDomain), l.ProxyBind, len(l.Locations[0].ProxyRedirects)), "0 0 <nil> 0")
	same(t, "bind", loadLocation(t, "proxy_bind [::1]:5;").ProxyBind.AddrPort, "[::1]:5")
	same(t, "bind", loadLocation(t, "proxy_bind 127.0.0.1;").ProxyBind.AddrPort, "127.0.0.1:0")
}

func TestProxyCache(t *testing.T) {
	cfg := loadHTTP(t, `server { proxy_cache z; proxy_cache_valid 200 302 100ms; proxy_cache_valid any 1m; proxy_cache_methods POST; proxy_cache_lock_age 1s;
location / { proxy_cache_valid 1h; proxy_cache_use_stale off; } location /v { proxy_cache $zone; } location /o { proxy_cache off; } }
proxy_cache_path c/ keys_zone=z:1m levels=1:2:2 inactive=1d max_size=1g min_free=1k use_temp_path=off memory=3g loader_files=7 manager_sleep=1s;`)
	z := cfg.HTTP.CachePaths[0]
	same(t, "path", words(z.Name, z.Path, z.Levels, z.UseTempPath, z.KeysZoneSize, z.Inactive, z.MaxSize, z.MinFree, z.LoaderFiles, z.ManagerSleep, z.Memory, z.MemoryGiven),
		"z /srv/c [1 2 2] false 1048576 24h0m0s 1073741824 1024 7 1s 3221225472 true")
	srv := cfg.HTTP.Servers[0]
	same(t, "zone", srv.ProxyCache.Zone == z, true)
	same(t, "valid", srv.ProxyCacheValid, "[{Status:200 Time:100ms} {Status:302 Time:100ms} {Status:0 Time:1m0s}]")
	same(t, "valid", srv.Locations[0].ProxyCacheValid, "[{Status:200 Time:1h0m0s} {Status:301 Time:1h0m0s} {Status:302 Time:1h0m0s}]")
	same(t, "methods", srv.ProxyCacheMethods, CacheGET|CacheHEAD|CachePOST)
	same(t, "variable", words(srv.Locations[1].ProxyCache.Zone == nil, srv.Locations[1].ProxyCache.Name.Source, srv.Locations[2].ProxyCache), "true $zone <nil>")
	same(t, "memory=0", loadError(t, "proxy_cache_path a keys_zone=a:1m memory=0;").Text, `invalid memory value "memory=0"`)
}

func TestUpstream(t *testing.T) {
	cfg := loadHTTP(t, `upstream a { server 127.0.0.1:81 weight=5 max_conns=7 max_fails=0 fail_timeout=1m; server unix:/run/x down; server [::1] backup;
server name:90; keepalive 16; keepalive_requests 10; keepalive_timeout 100ms; keepalive_time 2h; zone z 64k; }
upstream b { keepalive 0; server a; }`)
	a := cfg.HTTP.Upstreams[0]
	var got []string
	for _, s := range a.Servers {
		got = append(got, words(s.Name, s.Unix, s.Host, s.Port, s.AddrPort.IsValid(), s.Weight, s.MaxConns, s.MaxFails, s.FailTimeout, s.Backup, s.Down))
	}
	want := []string{"127.0.0.1:81  127.0.0.1 81 true 5 7 0 1m0s false false", "unix:/run/x /run/x  0 false 1 0 1 10s false true",
		"[::1]  ::1 80 true 1 0 1 10s true false", "name:90  name 90 false 1 0 1 10s false false"}
	same(t, "servers", strings.Join(got, "\n"), strings.Join(want, "\n"))
	same(t, "keepalive", words(a.Keepalive, a.KeepaliveLocal, a.KeepaliveRequests, a.KeepaliveTimeout, a.KeepaliveTime), "16 false 10 100ms 2h0m0s")
	same(t, "keepalive 0", cfg.HTTP.UpstreamByName["b"].Keepalive, 0)
}
