package conf

import (
	"fmt"
	"testing"
	"time"
)

// TestDefaults holds what nginx.org gives as defaults.
func TestDefaults(t *testing.T) {
	cfg := loadHTTP(t, "server { listen 80; location / { proxy_pass http://127.0.0.1; } }")
	m, loc, srv := cfg.Main, cfg.HTTP.Servers[0].Locations[0], cfg.HTTP.Servers[0]
	same(t, "main", words(m.WorkerProcesses, m.Daemon, m.Pid, m.WorkerRlimitNofile, m.WorkerRlimitCore, m.WorkerShutdownTimeout),
		"1 true /srv/logs/seawall.pid 0 -1 0s")
	same(t, "error_log", words(loc.ErrorLogs[0].Path, loc.ErrorLogs[0].Level), "/srv/logs/error.log 3")
	same(t, "access_log", loc.AccessLogs[0].Path.Text()+" "+loc.AccessLogs[0].Format.Name, "/srv/logs/access.log combined")
	same(t, "worker_connections", cfg.Events.WorkerConnections, 512)
	same(t, "server", words(srv.ClientHeaderBufferSize, srv.ClientHeaderTimeout, srv.LargeClientHeaderBuffers, srv.MaxHeaders,
		srv.IgnoreInvalidHeaders, srv.MergeSlashes, srv.UnderscoresInHeaders), "1024 1m0s {4 8192} 1000 true true false")
	same(t, "names", srv.Names, []ServerName{{}})
	c := loc.CoreSettings
	same(t, "types", c.Types, defaultTypes())
	c.Types, c.ErrorLogs = nil, nil
	want := CoreSettings{
		AbsoluteRedirect: true, ChunkedTransferEncoding: true, ClientBodyBufferSize: 8192,
		ClientBodyTempPath: TempPath{Path: "/srv/client_body_temp"}, ClientBodyTimeout: time.Minute, ClientMaxBodySize: 1 << 20,
		DefaultType: "text/plain", Etag: true, IfModifiedSince: IMSExact, KeepaliveDisable: KeepaliveDisableMSIE6,
		KeepaliveRequests: 1000, KeepaliveTime: time.Hour, KeepaliveTimeout: 75 * time.Second,
		LimitRate: c.LimitRate, LimitRateAfter: c.LimitRateAfter,
		LingeringClose: LingeringOn, LingeringTime: 30 * time.Second, LingeringTimeout: 5 * time.Second, LogNotFound: true,
		MaxRanges: -1, MsiePadding: true, PortInRedirect: true, ResolverTimeout: 30 * time.Second, SendTimeout: time.Minute,
		ServerTokens: ServerTokens{Kind: TokensOn}, TcpNodelay: true,
	}
	same(t, "core", c, want)
	p := loc.ProxySettings
	same(t, "proxy buffers", words(p.ProxyBuffering, p.ProxyBufferSize, p.ProxyBuffers, p.ProxyBusyBuffersSize, p.ProxyMaxTempFileSize,
		p.ProxyTempFileWriteSize, p.ProxyTempPath.Path, p.ProxyRequestBuffering), "true 4096 {8 4096} 8192 1073741824 8192 /srv/proxy_temp true")
	same(t, "proxy times", words(p.ProxyConnectTimeout, p.ProxyReadTimeout, p.ProxySendTimeout, p.ProxyNextUpstreamTimeout, p.ProxyNextUpstreamTries), "1m0s 1m0s 1m0s 0s 0")
	same(t, "proxy rest", words(p.ProxyHttpVersion, p.ProxyNextUpstream == OnError|OnTimeout, p.ProxyPassRequestBody, p.ProxyPassRequestHeaders,
		p.ProxyCookieDomain, p.ProxyIgnoreHeaders, p.ProxyBind, p.ProxyMethod, p.ProxySetBody), "11 true true true [] 0 <nil> <nil> <nil>")
	same(t, "proxy cache", words(p.ProxyCache, p.ProxyCacheKey.Source, p.ProxyCacheMethods == CacheGET|CacheHEAD, p.ProxyCacheMinUses,
		p.ProxyCacheLock, p.ProxyCacheLockAge, p.ProxyCacheLockTimeout, p.ProxyCacheConvertHead, p.ProxyCacheMaxRangeOffset, p.ProxyCacheUseStale),
		"<nil> $scheme$proxy_host$request_uri true 1 false 5s 5s true -1 0")
	up := cfg.HTTP.Upstreams[0]
	same(t, "upstream", words(up.Implicit, up.Keepalive, up.KeepaliveLocal, up.KeepaliveRequests, up.KeepaliveTime, up.KeepaliveTimeout), "true 32 true 1000 1h0m0s 1m0s")
	same(t, "peer", words(up.Servers[0].Weight, up.Servers[0].MaxFails, up.Servers[0].FailTimeout, up.Servers[0].MaxConns), "1 1 10s 0")
}

func TestMainAndEvents(t *testing.T) {
	cfg := tree{"/etc/nginx.conf": `worker_processes 4; worker_priority -5; worker_rlimit_nofile 9000; worker_rlimit_core 1G;
worker_shutdown_timeout 100ms; working_directory /var; user www www-data; env A; env B=c=d; debug_points stop; daemon OFF;
error_log logs/a warn; error_log stderr info; pid /run/x;
events { worker_connections 9; use epoll; debug_connection 10.1.0.0/16; debug_connection ::1; }`}
	if loaded, err := load("/etc/nginx.conf", Options{}, tree{"/etc/nginx.conf": "events { use epoll; }"}.files()); loaded == nil {
		t.Logf("%v: this system has no epoll", err)
		return
	}
	m := cfg.mustLoad(t).Main
	same(t, "main", words(m.WorkerProcesses, m.WorkerPriority, m.WorkerRlimitNofile, m.WorkerRlimitCore, m.WorkerShutdownTimeout,
		m.WorkingDirectory, m.User, m.Group, m.Env, m.DebugPoints, m.Daemon, m.Pid),
		"4 -5 9000 1073741824 100ms /var www www-data [{A  false} {B c=d true}] stop false /run/x")
	same(t, "error_log", words(m.ErrorLogs[0].Path, m.ErrorLogs[0].Level, m.ErrorLogs[1].Path, m.ErrorLogs[1].Level), "/srv/logs/a 4 stderr 6")
	same(t, "debug_connection", cfg.mustLoad(t).Events.DebugConnections, "[10.1.0.0/16 ::1/128]")
}

func TestCoreValues(t *testing.T) {
	l := loadLocation(t, `client_body_in_file_only clean; client_max_body_size 2G; client_body_temp_path b 1 2;
error_page 404 /a; error_page 500 502 =200 @b; error_page 403 = http://x/; error_page 401 =301 $uri;
keepalive_timeout 65 60; keepalive_disable none; lingering_close always; satisfy any; server_tokens build;
limit_rate 10k; limit_rate_after $arg_a; resolver 127.0.0.1 [::1]:54 ns valid=30s ipv6=off; if_modified_since before;
internal; max_ranges 0; default_type ""; early_hints $http_a b; auth_delay 1s; keepalive_min_timeout 1m;
types { a/b X y; }`)
	same(t, "enums", words(l.ClientBodyInFileOnly, l.ClientMaxBodySize, l.ClientBodyTempPath, l.LingeringClose, l.Satisfy, l.ServerTokens.Kind,
		l.IfModifiedSince, l.KeepaliveDisable, l.MaxRanges, l.Internal, l.DefaultType, l.AuthDelay, l.KeepaliveMinTimeout),
		words(BodyInFileClean, 2<<30, "{/srv/b [1 2]}", LingeringAlways, SatisfyAny, TokensBuild, IMSBefore, 0, 0, true, "", "1s", "1m0s"))
	same(t, "keepalive_timeout", words(l.KeepaliveTimeout, l.KeepaliveHeader), "1m5s 1m0s")
	same(t, "limit_rate", words(l.LimitRate.Value, l.LimitRateAfter.Template.Parts), "10240 [{ arg_a}]")
	r := l.Resolver
	same(t, "resolver", words(r.Addrs, r.Valid, r.IPv4, r.IPv6), "[{127.0.0.1 53 127.0.0.1:53} {::1 54 [::1]:54} {ns 53 invalid AddrPort}] 30s true false")
	var pages string
	for _, p := range l.ErrorPages {
		pages += words(p.Statuses, p.Override, p.Target.Source, p.Kind) + "; "
	}
	same(t, "error_page", pages, "[404] -1 /a 0; [500 502] 200 @b 1; [403] 0 http://x/ 2; [401] 301 $uri 0; ")
	same(t, "types", l.Types, "map[x:a/b y:a/b]")
	same(t, "early_hints", len(l.EarlyHints), 2)
	l = loadLocation(t, `server_tokens "my $hostname";`)
	same(t, "server_tokens", words(l.ServerTokens.Kind, l.ServerTokens.Text.Parts), "3 [{my  } { hostname}]")
}

func TestReturn(t *testing.T) {
	for text, want := range map[string]string{
		`return 200;`:                 "200 false -",
		`return 200 "";`:              "200 false ",
		`return 200 "a $uri";`:        "200 false a $uri",
		`return 301 /x;`:              "301 true /x",
		`return 308 $scheme://a;`:     "308 true $scheme://a",
		`return http://a/;`:           "302 true http://a/",
		`return $scheme://$host/;`:    "302 true $scheme://$host/",
		`return 444;`:                 "444 false -",
		`return 302;`:                 "302 false -",
		`return 404 a; return 200 b;`: "404 false a",
	} {
		r := loadLocation(t, text).Return
		got := words(r.Code, r.Redirect, "-")
		if r.Text != nil {
			got = words(r.Code, r.Redirect, r.Text.Source)
		}
		same(t, text, got, want)
	}
}

func TestExpires(t *testing.T) {
	for text, want := range map[string]Expires{
		"off":          {},
		"epoch":        {Kind: ExpiresEpoch},
		"max":          {Kind: ExpiresMax},
		"1h":           {Kind: ExpiresAccess, Delta: time.Hour},
		"-1":           {Kind: ExpiresAccess, Delta: -time.Second},
		"modified +1d": {Kind: ExpiresModified, Delta: 24 * time.Hour},
		"@15h30m":      {Kind: ExpiresDaily, Delta: 15*time.Hour + 30*time.Minute},
	} {
		same(t, text, loadLocation(t, "expires "+text+";").Expires.withoutTemplate(), want.withoutTemplate())
	}
	e := loadLocation(t, "expires modified $arg_e;").Expires
	same(t, "variable", e.Kind, ExpiresVariable)
	for value, want := range map[string]string{"1m": "{Kind:4 Delta:1m0s} true", "max": "{Kind:4 Delta:0s} false", "": "{Kind:4 Delta:0s} false"} {
		got, ok := e.Eval(value)
		same(t, value, fmt.Sprintf("%+v %v", struct {
			Kind  ExpiresKind
			Delta time.Duration
		}{got.Kind, got.Delta}, ok), want)
	}
}

func (e Expires) withoutTemplate() string { return words(e.Kind, e.Delta) }

func TestAccess(t *testing.T) {
	l := loadLocation(t, `allow 10.1.2.3/8; allow ::1; allow unix:; deny all;`)
	same(t, "rules", fmt.Sprintf("%+v", l.AccessRules), "[{Deny:false All:false Unix:false Prefix:10.0.0.0/8} {Deny:false All:false Unix:false Prefix:::1/128} "+
		"{Deny:false All:false Unix:true Prefix:invalid Prefix} {Deny:true All:true Unix:false Prefix:invalid Prefix}]")
}

func TestLogs(t *testing.T) {
	cfg := loadHTTP(t, `log_format a escape=json '{"x":"$uri",' '"y":"${arg_Y}z"}'; log_format n escape=none $1;
access_log one a buffer=64k flush=500ms if=$loggable; access_log /two; access_log $host.log n;
server { location /off { access_log off; location /off/deep { } } location /both { access_log three; access_log off; } location / { } }`)
	f := cfg.HTTP.LogFormats["a"]
	same(t, "format", words(f.Escape, f.Format.Parts), `1 [{{"x":" } { uri} {", } {"y":" } { arg_y} {z"} }]`)
	same(t, "escape", cfg.HTTP.LogFormats["n"].Escape, EscapeNone)
	locs := cfg.HTTP.Servers[0].Locations
	same(t, "off", words(len(locs[0].AccessLogs), len(locs[0].Locations[0].AccessLogs), len(locs[1].AccessLogs)), "0 0 0")
	logs := locs[2].AccessLogs
	same(t, "first", words(logs[0].Path.Text(), logs[0].Format.Name, logs[0].Buffer, logs[0].Flush, logs[0].If.Source), "/srv/one a 65536 500ms $loggable")
	same(t, "second", words(logs[1].Path.Text(), logs[1].Format.Name, logs[1].Buffer, logs[1].If), "/two combined 0 <nil>")
	same(t, "third", words(logs[2].Path.Parts, logs[2].Format.Name), "[{/srv/ } { host} {.log }] n")
}

func TestInheritance(t *testing.T) {
	cfg := loadHTTP(t, `
server {
	location /a {
		add_header C 3; proxy_set_header Z 9; error_page 500 /y; proxy_cache_valid 404 1m; proxy_next_upstream off; expires 1h; return 200;
		internal; proxy_cache_bypass $c; deny all; error_log logs/l;
		location /a/b { }
		location /a/c { proxy_read_timeout 3s; add_header D 4; client_max_body_size 5; }
	}
	location /d { proxy_pass http://127.0.0.1:1; location /d/e { } limit_except GET { } }
	add_header B 2; proxy_read_timeout 2s;
}
add_header A 1; proxy_read_timeout 1s; proxy_set_header X 1; proxy_set_header Y 2; error_page 404 /x; proxy_cache_valid 200 1s;
proxy_cache_bypass $a $b; allow 10.0.0.1; error_log logs/h;
`)
	show := func(l *Location) string {
		headers := ""
		for _, h := range l.AddHeaders {
			headers += h.Name
		}
		return words(headers, l.ProxyReadTimeout, len(l.ProxySetHeaders), len(l.ErrorPages), l.ErrorPages[0].Statuses, l.ProxyCacheValid,
			l.ProxyNextUpstream, len(l.ProxyCacheBypass), len(l.AccessRules), l.AccessRules[0].Deny, l.ErrorLogs[0].Path, l.Expires.Delta, l.Return != nil, l.Internal)
	}
	srv := cfg.HTTP.Servers[0]
	a, d := srv.Locations[0], srv.Locations[1]
	same(t, "http", show(cfg.HTTP.Location), "A 1s 2 1 [404] [{200 1s}] 3 2 1 false /srv/logs/h 0s false false")
	same(t, "server", show(srv.Location), "B 2s 2 1 [404] [{200 1s}] 3 2 1 false /srv/logs/h 0s false false")
	same(t, "/a", show(a), "C 2s 1 1 [500] [{404 1m0s}] 0 1 1 true /srv/logs/l 1h0m0s true true")
	same(t, "/a/b", show(a.Locations[0]), "C 2s 1 1 [500] [{404 1m0s}] 0 1 1 true /srv/logs/l 1h0m0s false false")
	same(t, "/a/c", show(a.Locations[1]), "D 3s 1 1 [500] [{404 1m0s}] 0 1 1 true /srv/logs/l 1h0m0s false false")
	same(t, "proxy_pass", words(d.ProxyPass != nil, d.Locations[0].ProxyPass != nil, d.LimitExcept.Location.ProxyPass == d.ProxyPass), "true false true")
	if a.Parent != srv.Location || srv.Parent != cfg.HTTP.Location || d.LimitExcept.Location.Parent != d {
		t.Error("parents are wrong")
	}
}

func TestAddHeaderInherit(t *testing.T) {
	names := func(l *Location) (s string) {
		for _, h := range l.AddHeaders {
			s += h.Name
		}
		return s
	}
	cfg := loadHTTP(t, `add_header A 1 always; add_header_inherit merge; add_trailer T 1;
server { add_header B $uri;
	location /m { add_header C 3; location /m/n { add_header D 4; } location /m/o { } }
	location /off { add_header_inherit off; add_trailer U 1; location /off/x { add_header E 5; } }
	location /on { add_header_inherit on; add_header F 6; }
}`)
	l := cfg.HTTP.Servers[0].Locations
	for i, got := range []string{names(cfg.HTTP.Servers[0].Location), names(l[0]), names(l[0].Locations[0]), names(l[0].Locations[1]), names(l[1]), names(l[1].Locations[0]), names(l[2])} {
		same(t, fmt.Sprint(i), got, []string{"BA", "CBA", "DCBA", "CBA", "", "E", "F"}[i])
	}
	same(t, "trailers", words(len(l[0].AddTrailers), l[0].AddTrailers[0].Name, l[1].AddTrailers[0].Name), "1 T U")
	same(t, "always", words(cfg.HTTP.AddHeaders[0].Always, cfg.HTTP.Servers[0].AddHeaders[0].Always), "true false")
}
