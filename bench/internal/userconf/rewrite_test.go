//go:build linux

package userconf

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree writes files and reads nginx.conf among them as a user's configuration with the prefix /prefix.
func tree(t *testing.T, files map[string]string) *source {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	src, err := readSource(filepath.Join(dir, "nginx.conf"), "/prefix")
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// moved is the layout of a configuration whose addresses go to ports 1001, 1002, ... in the order of their appearance.
func moved(t *testing.T, src *source) *layout {
	t.Helper()
	l := &layout{dir: t.TempDir(), addresses: map[endpoint]netip.AddrPort{}, workers: 3,
		leftOut: map[*statement]bool{}, withoutArg: map[*statement]string{}}
	next := uint16(1000)
	src.each(func(p place) bool {
		if p.name() == "listen" {
			for _, e := range parseListen(p.arg(0)) {
				if _, has := l.addresses[e]; !has && e.unix == "" {
					next++
					l.addresses[e] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), next)
				} else if e.unix != "" {
					l.addresses[e] = netip.AddrPort{}
				}
			}
		}
		return true
	})
	if _, has := l.addresses[defaultListen()]; !has {
		l.addresses[defaultListen()] = netip.MustParseAddrPort("127.0.0.1:999")
	}
	return l
}

// rewritten gives a file as a server gets it, with DIR for the layout's directory and ROOT for the user's.
func rewritten(t *testing.T, src *source, l *layout, name string) string {
	t.Helper()
	if err := l.write(src); err != nil {
		t.Fatal(err)
	}
	root := filepath.Dir(src.main)
	text, err := os.ReadFile(l.confDir() + filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(l.dir, "DIR", root, "ROOT").Replace(string(text))
}

func TestListensMove(t *testing.T) {
	servers := []struct{ given, want string }{
		{"listen 80;", "listen 127.0.0.1:1001;"},
		{"listen *:80 default_server;", "listen 127.0.0.1:1001 default_server;"},
		{"listen 127.0.0.1:80 backlog=100 reuseport;", "listen 127.0.0.1:1002 backlog=100 reuseport;"},
		{"listen [::]:80 ipv6only=on default_server;", "listen 127.0.0.1:1003 default_server;"},
		{"listen 127.0.0.1;", "listen 127.0.0.1:1002;"},
		{"listen localhost:8080;", "listen 127.0.0.1:1004;"},
		{"listen example.com;", "listen 127.0.0.1:1005;"},
		{"listen 9000-9002 deferred;", "listen 127.0.0.1:1006 deferred; listen 127.0.0.1:1007 deferred; listen 127.0.0.1:1008 deferred;"},
		{"listen 9001;", "listen 127.0.0.1:1007;"},
		{`listen "443" ssl;`, "listen 127.0.0.1:1009 ssl;"},
		{"listen [2001:db8::1]:80;", "listen 127.0.0.1:1010;"},
		{"listen unix:/run/x.sock;", "listen unix:DIR/s11.sock;"},
		{"listen 8443\n    http2;", "listen 127.0.0.1:1011 http2;\n"},
		{"return 200 x;", "return 200 x;"},
	}
	defaultPort := "999" // *:8000, which only servers without listen have
	if os.Geteuid() == 0 {
		defaultPort = "1001" // *:80
	}
	var given, want strings.Builder
	for _, s := range servers {
		fmt.Fprintf(&given, "server { %s }\n", s.given)
		added := ""
		if strings.HasPrefix(s.given, "return") {
			added = " listen 127.0.0.1:" + defaultPort + ";"
		}
		fmt.Fprintf(&want, "server {%s %s }\n", added, s.want)
	}
	src := tree(t, map[string]string{"nginx.conf": "http {\ninclude s.conf;\n}", "s.conf": given.String()})
	if got := rewritten(t, src, moved(t, src), "s.conf"); got != want.String() {
		t.Errorf("got\n%s\nwant\n%s", got, want.String())
	}
}

func TestWhatIsWrittenMoves(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": `daemon on; user no-such-user;
worker_processes auto; worker_cpu_affinity auto;
pid /run/nginx.pid;
error_log logs/error.log warn;
events { }
http {
    access_log "/var/log/my site/a.log" combined buffer=32k;
    proxy_cache_path /var/cache/x levels=1:2 keys_zone=x:1m;
    proxy_temp_path /tmp/p 1 2;
    server { listen 80; access_log off; error_log stderr; error_log syslog:server=10.0.0.1; access_log /dev/null;
        access_log /var/log/$host/a.log; }
    map $uri $x { access_log 1; listen 2; }
}
`})
	l := moved(t, src)
	l.tempPaths = []string{"client_body_temp_path", "proxy_temp_path"}
	want := `daemon off; ` + `
worker_processes 3; ` + `
pid DIR/files/run/nginx.pid;
error_log DIR/files/prefix/logs/error.log warn;
events { }
http { client_body_temp_path DIR/files/prefix/client_body_temp_path;
    access_log "DIR/files/var/log/my site/a.log" combined buffer=32k;
    proxy_cache_path DIR/files/var/cache/x levels=1:2 keys_zone=x:1m;
    proxy_temp_path DIR/files/tmp/p 1 2;
    server { listen 127.0.0.1:1001; access_log off; error_log stderr; error_log DIR/files/prefix/syslog.log; access_log /dev/null;
        access_log DIR/files/var/log/$host/a.log; }
    map $uri $x { access_log 1; listen 2; }
}
`
	if got := rewritten(t, src, l, "nginx.conf"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, dir := range []string{"files/run", "files/prefix/logs", "files/var/log/my site", "files/var/cache", "files/var/log"} {
		if info, err := os.Stat(filepath.Join(l.dir, dir)); err != nil || info.Mode().Perm() != 0o777 {
			t.Errorf("%s: %v %v", dir, info, err)
		}
	}
}

func TestWhatIsNotSaidIsAdded(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": "# mine\nevents { }\nhttp { server { } }\n"})
	want := "daemon off; worker_processes 3; pid DIR/files/prefix/run.pid; error_log DIR/files/prefix/error.log; # mine\nevents { }\n" +
		"http { access_log DIR/files/prefix/access.log; server { listen 127.0.0.1:999; } }\n"
	if got := rewritten(t, src, moved(t, src), "nginx.conf"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestIncludesKeepTheirMeaning(t *testing.T) {
	src := tree(t, map[string]string{
		"nginx.conf":          "events { }\nhttp {\n include mime.types;\n include 'conf.d/*.conf';\n include missing.conf;\n}\n",
		"conf.d/b.conf":       "server { include snippets/listen.inc; }\n",
		"conf.d/a.conf":       "server { include snippets/listen.inc; ssl_certificate keys/x.pem; }\n",
		"conf.d/.hidden":      "no",
		"conf.d/other.txt":    "no",
		"snippets/listen.in":  "no",
		"snippets/listen.inc": "listen 80; # both\n",
		"keys/x.pem":          "secret",
	})
	l := moved(t, src)
	main := rewritten(t, src, l, "nginx.conf")
	for _, want := range []string{"include DIR/confROOT/conf.d/*.conf;", "include ROOT/missing.conf;"} {
		if !strings.Contains(main, want) {
			t.Errorf("%q is not in\n%s", want, main)
		}
	}
	if isFile("/etc/nginx/mime.types") && !strings.Contains(main, "include DIR/conf/etc/nginx/mime.types;") {
		t.Errorf("mime.types is not the system's:\n%s", main)
	}
	if got := rewritten(t, src, l, "snippets/listen.inc"); got != "listen 127.0.0.1:1001; # both\n" {
		t.Errorf("a file included twice: %q", got)
	}
	root := filepath.Dir(src.main)
	for name, want := range map[string]string{"keys/x.pem": "secret", "conf.d/other.txt": "no"} {
		if got, err := os.ReadFile(l.confDir() + filepath.Join(root, name)); string(got) != want {
			t.Errorf("%s is not beside the moved files: %q, %v", name, got, err)
		}
	}
	var order []string
	for _, path := range src.order {
		order = append(order, filepath.Base(path))
	}
	if i := slices.Index(order, "a.conf"); i < 0 || slices.Index(order, "b.conf") < i {
		t.Errorf("order of reading: %v", order)
	}
	if n := len(src.servers()); n != 2 {
		t.Errorf("%d servers", n)
	}
	for _, v := range src.servers() {
		if v.listens[0].statement == nil {
			t.Errorf("the listen of an included file was not found")
		}
	}
}

func TestIncludeOfItself(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte("include nginx.conf;"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readSource(path, "/"); err == nil || !strings.Contains(err.Error(), "include itself") {
		t.Errorf("%v", err)
	}
}

func TestOriginTakesThePlaceOfBackends(t *testing.T) {
	for given, want := range map[string]string{
		"http://app":                    "http://app",
		"https://app/x/":                "http://app/x/",
		"http://10.0.0.1:8080/x?y":      "http://O/x?y",
		"http://unix:/run/app.sock:/x/": "http://O/x/",
		"http://$host$request_uri":      "http://O$request_uri",
		"$target":                       "http://O$request_uri",
	} {
		if got := passTo(given, "O", map[string]bool{"app": true}); got != want {
			t.Errorf("%s: got %s, want %s", given, got, want)
		}
	}
	src := tree(t, map[string]string{"nginx.conf": "http { upstream app { server 10.0.0.1 weight=2; } server { location / { proxy_pass http://app; } } }"})
	l := moved(t, src)
	l.origin = "127.0.0.1:7"
	if got := rewritten(t, src, l, "nginx.conf"); !strings.Contains(got, "upstream app { server 127.0.0.1:7 weight=2; }") {
		t.Error(got)
	}
}

func TestLeftOutKeepsLines(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": "http {\n  gzip\n   on;\n  map $a $b {\n    x y;\n  }\n  etag on;\n}\n"})
	l := moved(t, src)
	src.each(func(p place) bool {
		l.leftOut[p.statement] = p.name() == "gzip" || p.name() == "map"
		return true
	})
	got := rewritten(t, src, l, "nginx.conf")
	if strings.Contains(got, "gzip") || strings.Contains(got, "map") || strings.Count(got, "\n") != 8 ||
		!strings.HasPrefix(strings.Split(got, "\n")[6], "  etag on;") {
		t.Errorf("%q", got)
	}
}

func TestMessagesSpeakOfTheUsersFiles(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": "http { server { listen 80; } }"})
	src.given = "site/nginx.conf"
	l := moved(t, src)
	to := l.addresses[endpoint{host: "*", port: 80}]
	got := l.inUsersWords(fmt.Sprintf("bind() to %s failed, unknown in %s/conf.d/a.conf:3", to, l.confDir()+filepath.Dir(src.main)), src)
	if want := "bind() to *:80 failed, unknown in site/conf.d/a.conf:3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
