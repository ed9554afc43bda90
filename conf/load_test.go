package conf

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree is a file system of configuration files by path.
type tree map[string]string

func (t tree) files() files {
	return files{
		read: func(name string) ([]byte, error) {
			if text, ok := t[name]; ok {
				return []byte(text), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
		glob: func(pattern string) []string {
			var names []string
			for name := range t {
				if ok, err := path.Match(pattern, name); err == nil && ok {
					names = append(names, name)
				}
			}
			return names
		},
	}
}

// mustLoad loads /etc/nginx.conf of t.
func (t tree) mustLoad(tb testing.TB) *Config {
	tb.Helper()
	cfg, err := load("/etc/nginx.conf", Options{Prefix: "/srv"}, t.files())
	if err != nil {
		tb.Fatalf("%v\nin\n%s", err, t["/etc/nginx.conf"])
	}
	return cfg
}

// loadHTTP loads a configuration whose http block holds text.
func loadHTTP(tb testing.TB, text string) *Config {
	tb.Helper()
	return tree{"/etc/nginx.conf": "events {} http {\n" + text + "\n}"}.mustLoad(tb)
}

// loadLocation loads text as the only location's, with around before the server's.
func loadLocation(tb testing.TB, text string) *Location {
	tb.Helper()
	return loadHTTP(tb, "server { location /a { "+text+" } }").HTTP.Servers[0].Locations[0]
}

// loadError gives what Load says of an http block.
func loadError(tb testing.TB, text string) *Error {
	tb.Helper()
	_, err := load("/etc/nginx.conf", Options{}, tree{"/etc/nginx.conf": "events {} http {\n" + text + "\n}"}.files())
	if err == nil {
		tb.Fatalf("no error in %s", text)
	}
	return err.(*Error)
}

// words prints its arguments with a space between each.
func words(args ...any) string { return strings.TrimSuffix(fmt.Sprintln(args...), "\n") }

// same fails unless got and want print alike.
func same(tb testing.TB, what string, got, want any) {
	tb.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		tb.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func TestLoadMicrocacheExample(t *testing.T) {
	cfg, err := Load("../examples/microcache/nginx.conf", Options{Prefix: "/srv"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "worker_processes", cfg.Main.WorkerProcesses, 0)
	same(t, "worker_connections", cfg.Events.WorkerConnections, 20000)
	srv := cfg.HTTP.Servers[0]
	same(t, "listen", srv.Listens[0].Addr, "0.0.0.0:8080")
	same(t, "names", words(srv.Names[0].Kind, srv.Names[0].Name, srv.Names[1].Kind, srv.Names[1].Name), words(NameExact, "example.com", NameHead, "example.com"))
	root, account, health := srv.Locations[0], srv.Locations[1], srv.Locations[2]
	app := cfg.HTTP.UpstreamByName["app"]
	if root.ProxyPass.Upstream != app || account.ProxyPass.Upstream != app {
		t.Error("proxy_pass is not bound to the upstream")
	}
	same(t, "servers", words(app.Servers[1].AddrPort, app.Servers[1].MaxFails, app.Servers[1].FailTimeout), "127.0.0.1:8001 2 5s")
	if zone := cfg.HTTP.CacheByName["cache"]; root.ProxyCache.Zone != zone || zone.Memory != 64<<20 || zone.MaxSize != 100<<20 {
		t.Errorf("cache: %+v", zone)
	}
	if account.ProxyCache != nil {
		t.Error("proxy_cache off has no effect")
	}
	same(t, "proxy_cache_valid", root.ProxyCacheValid, "[{Status:200 Time:1s}]")
	same(t, "use_stale", root.ProxyCacheUseStale, OnUpdating|OnError|OnTimeout|OnHTTP502)
	same(t, "headers", len(root.ProxySetHeaders), 4)
	same(t, "add_header", health.AddHeaders[0].Value.Parts[0].Var, "upstream_cache_status")
	same(t, "return", health.Return.Text.Text(), "ok\n")
	same(t, "access_log", words(root.AccessLogs[0].Path.Text(), root.AccessLogs[0].Buffer, root.AccessLogs[0].Flush), "/srv/logs/access.log 32768 1s")
	if len(cfg.Notices) != 1 || cfg.Notices[0].Text != `"proxy_cache_path" zone "cache" uses 64m of memory; set it with memory=` {
		t.Errorf("notices: %v", cfg.Notices)
	}
}

func TestNearestName(t *testing.T) {
	for text, want := range map[string]string{
		`server { location / { proxy_pas http://a; } }`: `unknown directive "proxy_pas" in /etc/nginx.conf:2; did you mean "proxy_pass"?`,
		`sever { }`:            `unknown directive "sever" in /etc/nginx.conf:2; did you mean "server"?`,
		`Server_tokens off;`:   `unknown directive "Server_tokens" in /etc/nginx.conf:2; did you mean "server_tokens"?`,
		`acess_log off;`:       `unknown directive "acess_log" in /etc/nginx.conf:2; did you mean "access_log"?`,
		`keepalvie_timeout 1;`: `unknown directive "keepalvie_timeout" in /etc/nginx.conf:2; did you mean "keepalive_timeout"?`,
		`completely_other on;`: `unknown directive "completely_other" in /etc/nginx.conf:2`,
		`gzip on;`:             `unknown directive "gzip" in /etc/nginx.conf:2; nginx has this directive, Seawall has it not yet`,
		"x\n y;":               `unknown directive "x" in /etc/nginx.conf:3`,
	} {
		same(t, text, loadError(t, text).Error(), want)
	}
}

func TestIncludes(t *testing.T) {
	cfg := tree{
		"/etc/nginx.conf":         "events { include ev.conf; }\nhttp { include conf.d/*.conf; include mime.types; }",
		"/etc/ev.conf":            "worker_connections 7;",
		"/etc/conf.d/b.conf":      "server { listen 81; include snippets/one.conf; location /b { include snippets/one.conf; } }",
		"/etc/conf.d/a.conf":      "server { listen 82; }",
		"/etc/conf.d/.hidden":     "nonsense",
		"/etc/conf.d/.hid.conf":   "nonsense",
		"/etc/snippets/one.conf":  "add_header X 1;",
		"/etc/mime.types":         "types { include more.types; text/plain txt TEXT; }",
		"/etc/more.types":         "image/png png;",
		"/etc/conf.d/a.conf.save": "nonsense",
	}.mustLoad(t)
	same(t, "connections", cfg.Events.WorkerConnections, 7)
	same(t, "order", cfg.HTTP.Servers[0].Listens[0].Port, 82)
	b := cfg.HTTP.Servers[1]
	same(t, "same file in two contexts", len(b.AddHeaders)*10+len(b.Locations[0].AddHeaders), 11)
	same(t, "types", cfg.HTTP.Types, map[string]string{"png": "image/png", "txt": "text/plain", "text": "text/plain"})
	var names []string
	for _, f := range cfg.Files {
		names = append(names, strings.TrimPrefix(f.Path, "/etc/"))
	}
	same(t, "files", names, []string{"nginx.conf", "ev.conf", "conf.d/a.conf", "conf.d/b.conf", "snippets/one.conf", "mime.types", "more.types"})
}

func TestIncludeErrors(t *testing.T) {
	for _, c := range []struct {
		files tree
		want  string
	}{
		{tree{"/etc/nginx.conf": "include a;", "/etc/a": "\ninclude nginx.conf;"}, `file "/etc/nginx.conf" includes itself in /etc/a:2`},
		{tree{"/etc/nginx.conf": "events {}\ninclude a;", "/etc/a": "\nfoo;"}, `unknown directive "foo" in /etc/a:2`},
		{tree{"/etc/nginx.conf": "events {}\ninclude a;", "/etc/a": "http {\n"}, `unexpected end of file, expecting "}" in /etc/a:2`},
		{tree{"/etc/nginx.conf": "events {\ninclude a;\n}", "/etc/a": "}"}, `unexpected "}" in /etc/a:1`},
		{tree{"/etc/nginx.conf": "events {}\ninclude a;", "/etc/a": "listen 80;"}, `"listen" directive is not allowed here in /etc/a:1`},
	} {
		_, err := load("/etc/nginx.conf", Options{}, c.files.files())
		if err == nil {
			t.Errorf("no error, want %s", c.want)
			continue
		}
		e := *err.(*Error)
		e.Near, e.Note = "", ""
		same(t, c.files["/etc/nginx.conf"], e.Error(), c.want)
	}
}

func TestIncludesFromDisk(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"nginx.conf": "events {}\nhttp { include sites/*; }",
		"sites/b":    "server { listen 82; }", "sites/a": "server { listen 81; }", "sites/.swp": "nonsense",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := Load(filepath.Join(dir, "nginx.conf"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "servers", []uint16{cfg.HTTP.Servers[0].Listens[0].Port, cfg.HTTP.Servers[1].Listens[0].Port}, []uint16{81, 82})
	_, err = Load(filepath.Join(dir, "other.conf"), Options{})
	same(t, "missing", err, fmt.Sprintf("open() %q failed (2: No such file or directory)", filepath.Join(dir, "other.conf")))
}

func TestGlobals(t *testing.T) {
	from := tree{"/etc/nginx.conf": "events {}"}.files()
	cfg, err := load("/etc/nginx.conf", Options{Prefix: "/srv", Globals: "daemon off; pid run/x.pid; error_log stderr debug;"}, from)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "daemon, pid", words(cfg.Main.Daemon, cfg.Main.Pid), "false /srv/run/x.pid")
	same(t, "error_log", words(cfg.Main.ErrorLogs[0].Path, cfg.Main.ErrorLogs[0].Level), words("stderr", LogDebug))
	for globals, want := range map[string]string{
		"daemon off":         `unexpected end of parameter, expecting ";" in command line`,
		"demon off;":         `unknown directive "demon" in command line; did you mean "daemon"?`,
		"daemon 1;":          `invalid value "1" in "daemon" directive, it must be "on" or "off" in command line`,
		"events {} http {":   `unexpected end of file, expecting "}" in command line`,
		"user a b c; x":      `invalid number of arguments in "user" directive in command line`,
		"worker_processes 2": `unexpected end of parameter, expecting ";" in command line`,
	} {
		_, err := load("/etc/nginx.conf", Options{Globals: globals}, from)
		same(t, globals, err, want)
	}
}

func TestNotices(t *testing.T) {
	cfg := tree{"/etc/nginx.conf": `lock_file /x;
events { accept_mutex on;
multi_accept on; }
http { sendfile on;
proxy_cache_path /a keys_zone=a:100m;
proxy_cache_path /b keys_zone=b:1m memory=5m;
server { server_name a; } server { server_name a; } }`}.mustLoad(t)
	var got []string
	for _, n := range cfg.Notices {
		got = append(got, fmt.Sprintf("%d:%d:%s", n.Level, n.Pos.Line, n.Text))
	}
	want := []string{
		fmt.Sprintf(`1:0:conflicting server name "a" on %s, ignored`, cfg.HTTP.Servers[0].Listens[0].Addr),
		`0:1:"lock_file" has no effect`, `0:2:"accept_mutex" has no effect`, `0:3:"multi_accept" has no effect`, `0:4:"sendfile" has no effect`,
		`0:5:"proxy_cache_path" zone "a" uses 100m of memory; set it with memory=`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestReferenceIsUpToDate(t *testing.T) {
	have, err := os.ReadFile("../docs/directives.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != string(Reference()) {
		t.Error(`docs/directives.md is out of date: run "go run ./conf/gendocs"`)
	}
}

func TestDeepNestingIsRefused(t *testing.T) {
	text := "server { " + strings.Repeat("location / { ", 5000)
	same(t, "depth", loadError(t, text).Text, "blocks are nested more than 100 deep")
}
