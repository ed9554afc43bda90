//go:build linux

package userconf

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"seawall/bench/internal/result"
)

var buildDir string // set by TestMain

// builtSeawall is this tree's Seawall, built once for all tests that need it.
var builtSeawall = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "seawall")
	out, err := exec.Command("go", "build", "-pgo=off", "-o", path, "seawall/cmd/seawall").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return path, err
})

func TestMain(m *testing.M) {
	var err error
	if buildDir, err = os.MkdirTemp("", "userconf-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(buildDir)
	os.Exit(status)
}

// openTempDir is a temporary directory that the servers' workers, which are other users, can reach.
func openTempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// backend is what the tests' configurations proxy to: /random never answers twice alike, /by-server tells the servers
// apart by the version of HTTP that they ask in.
func backend(t *testing.T) string {
	n := 0
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n++
		id := n
		mu.Unlock()
		w.Header().Set("Set-Cookie", fmt.Sprintf("session=%d; Path=/", id))
		switch r.URL.Path {
		case "/random":
			fmt.Fprintf(w, "answer %d\n", id)
		case "/by-server":
			fmt.Fprintf(w, "asked by %s\n", r.Header.Get("X-Server"))
		default:
			w.Header().Set("Cache-Control", "max-age=60")
			fmt.Fprintf(w, "%s of %s\n", r.URL.Path, r.Host)
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

const mainConf = `# The configuration of a small site.
user www-data;
worker_processes auto;
pid /run/userconf-test.pid;
error_log /var/log/userconf-test/error.log warn;

events {
    worker_connections 2000;
}

http {
    include mime.types;
    default_type application/octet-stream;
    log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                    '$status $body_bytes_sent "$http_referer"';
    access_log /var/log/userconf-test/access.log main;
    keepalive_timeout 65;
    proxy_cache_path /var/cache/userconf-test levels=1:2 keys_zone=site:1m;
    EXTRA
    upstream app {
        server BACKEND;
        keepalive 16;
    }
    include sites/*.conf;
}
`

const siteConf = `server {
    listen 80 default_server;
    listen [::]:80 default_server;
    server_name example.com www.example.com;
    add_header X-Cache $upstream_cache_status;
    location / {
        include snippets/proxy.inc;
    }
    location /cached {
        include snippets/proxy.inc;
        proxy_cache site;
        proxy_cache_valid 200 1m;
    }
    location = /port {
        return 200 "$host $server_port\n";
    }
    location = /old { return 301 /new; }
    location = /quoted { return 200 'a "b" ; {c} \'d\' \n'; }
}
`

const otherConf = `server {
    listen 8080 backlog=256;
    listen unix:/run/userconf-test.sock;
    server_name other.example.com;
    location / { return 200 "other\n"; expires 1h; }
}
`

// site writes the configuration and returns its path. extra goes into the http block, on line 19.
func site(t *testing.T, extra string) string {
	t.Helper()
	dir := openTempDir(t)
	for name, text := range map[string]string{
		"nginx.conf":         strings.NewReplacer("BACKEND", backend(t), "EXTRA", extra).Replace(mainConf),
		"mime.types":         "types { text/html html; text/plain txt; }\n",
		"sites/1.conf":       siteConf,
		"sites/2.conf":       otherConf,
		"snippets/proxy.inc": "proxy_pass http://app;\nproxy_set_header Host $host;\nproxy_http_version 1.1;\nproxy_set_header Connection \"\";\n",
		"urls": `Host: example.com
/
/cached
/random
/port
/old
/quoted
/missing?x=1
HEAD /port
http://other.example.com:8080/
`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "nginx.conf")
}

// compared runs `bench conf` on a configuration, as short as can be.
func compared(t *testing.T, conf string, args ...string) (status int, out string) {
	t.Helper()
	seawall, err := builtSeawall()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", openTempDir(t))
	var stdout, stderr strings.Builder
	args = append([]string{conf, "-seawall", seawall, "-rounds", "1", "-duration", "200ms", "-connections", "8"}, args...)
	status = Main(context.Background(), args, &stdout, &stderr)
	noneLeft(t, os.Getenv("TMPDIR"))
	return status, stdout.String() + stderr.String()
}

// noneLeft finds processes that name the temporary directory, and what lies in it.
func noneLeft(t *testing.T, dir string) {
	t.Helper()
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), dir+"/seawall-bench-") {
			t.Errorf("still runs: %q", text)
		}
	}
	if left, err := filepath.Glob(dir + "/seawall-bench-*"); err != nil || left != nil {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func expect(t *testing.T, out string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestServersAgreeAndAreMeasured(t *testing.T) {
	conf := site(t, "")
	file := filepath.Join(t.TempDir(), "run.json")
	status, out := compared(t, conf, "-urls", filepath.Join(filepath.Dir(conf), "urls"), "-json", file)
	if status != agreed {
		t.Fatalf("exit %d\n%s", status, out)
	}
	expect(t, out, "5 files, 2 servers", "Seawall has every directive", "9 requests asked, 0 differ",
		"1 answer changed", "*:80: 7 different requests", "*:8080: 1 different request,", "CPU per request, us", "p99 at full load")
	run, err := result.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nginx", "seawall"} {
		m := run.Scenario("*:80").Server(name)
		for _, key := range columns {
			if s := m.Series(key); len(s) != 1 || key != result.UserCPU && key != result.SystemCPU && s[0] <= 0 {
				t.Errorf("%s %s: %v", name, key, s)
			}
		}
	}
	for _, path := range []string{"/var/log/userconf-test", "/var/cache/userconf-test", "/run/userconf-test.pid", "/run/userconf-test.sock"} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s was written: it is the user's", path)
		}
	}
}

func TestWhatSeawallLacksIsListed(t *testing.T) {
	conf := site(t, "gzip on; gzip_types\n    text/css;\n    map $uri $kind { default page; }\n    add_header X-Kind $kind;")
	status, out := compared(t, conf, "-urls", filepath.Join(filepath.Dir(conf), "urls"), "-check")
	if !strings.Contains(out, "What Seawall lacks") {
		t.Fatalf("exit %d: this test wants directives that Seawall does not have: give it others\n%s", status, out)
	}
	expect(t, out, conf+`:19: directive "gzip": Seawall does not have it`, conf+`:20: directive "gzip_types": Seawall does not have it`,
		"IT DOES LESS THAN NGINX")
	if status == agreed {
		t.Errorf("exit %d\n%s", status, out)
	}
}

func TestLackingDirectivesStopTheMeasuring(t *testing.T) {
	conf := site(t, "gzip on;")
	status, out := compared(t, conf)
	if status != lacks {
		t.Errorf("exit %d", status)
	}
	expect(t, out, "2 requests asked, 0 differ", "Not measured: Seawall would do less")
	for _, flag := range []string{"-skip-missing", "-skip-both"} {
		status, out = compared(t, conf, flag)
		if status != agreed {
			t.Errorf("%s: exit %d", flag, status)
		}
		expect(t, out, "MEASURED WITHOUT", "CPU per request")
	}
}

func TestDifferencesAreShown(t *testing.T) {
	conf := site(t, "")
	seawallOnly := filepath.Join(filepath.Dir(conf), "different")
	text := "#!/bin/sh\n# Seawall, but for one answer.\nfor a; do f=$a; done\n[ -f \"$f\" ] && sed -i 's/other\\\\n/OTHER\\\\n/' \"$(dirname \"$f\")/sites/2.conf\"\nexec SEAWALL \"$@\"\n"
	seawall, err := builtSeawall()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(seawallOnly, []byte(strings.ReplaceAll(text, "SEAWALL", seawall)), 0o755); err != nil {
		t.Fatal(err)
	}
	status, out := compared(t, conf, "-urls", filepath.Join(filepath.Dir(conf), "urls"), "-seawall", seawallOnly)
	if status != differs {
		t.Errorf("exit %d", status)
	}
	expect(t, out, "9 requests asked, 1 differ", "  http://other.example.com:8080/\n    body: nginx 6 bytes, \"other\\n\"", "-anyway")
}

func TestErrorsToActOn(t *testing.T) {
	conf := site(t, "no_such_directive on;")
	status, out := compared(t, conf)
	if status != impossible {
		t.Errorf("exit %d", status)
	}
	expect(t, out, `nginx does not accept the configuration: unknown directive "no_such_directive" in `+conf+":19")

	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	conf = site(t, "upstream gone { server "+gone.Addr().String()+"; }\nserver { listen 81; location / { proxy_pass http://gone; } }")
	_, out = compared(t, conf, "-check")
	expect(t, out, "1 of them are 502 or 504", "-origin")

	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{conf, "-nginx", "/no/such/nginx"}, "missing here: /no/such/nginx"},
		{[]string{conf, "-seawall", "/no/such/seawall"}, "/no/such/seawall is not there"},
		{[]string{"/no/such/nginx.conf"}, "no such file"},
		{nil, "which configuration?"},
		{[]string{conf, "-urls", "/no/such/list"}, "no such file"},
	} {
		var errOut strings.Builder
		args := c.args
		if len(args) > 0 && args[len(args)-1] != "/no/such/seawall" {
			args = append(args, "-seawall", os.Args[0])
		}
		if status := Main(context.Background(), args, &errOut, &errOut); status != impossible || !strings.Contains(errOut.String(), c.want) {
			t.Errorf("%v: exit %d, %s", c.args, status, errOut.String())
		}
	}
}

func TestWorkersMustReachTheTemporaryDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		if err := reachable(t.TempDir()); err != nil {
			t.Errorf("without root the workers are the same user: %v", err)
		}
		return
	}
	dir := openTempDir(t)
	if err := reachable(dir); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := reachable(dir); err == nil || !strings.Contains(err.Error(), "TMPDIR") {
		t.Error(err)
	}
}

func TestOriginStandsInForBackends(t *testing.T) {
	conf := site(t, "")
	urls := filepath.Join(t.TempDir(), "urls")
	if err := os.WriteFile(urls, []byte("/\n/cached\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	status, out := compared(t, conf, "-origin", "-urls", urls, "-check")
	if status != agreed {
		t.Errorf("exit %d", status)
	}
	expect(t, out, "2 requests asked, 0 differ", "Every backend is replaced")
}

func TestInterruptLeavesNothing(t *testing.T) {
	conf := site(t, "")
	seawall, err := builtSeawall()
	if err != nil {
		t.Fatal(err)
	}
	dir := openTempDir(t)
	t.Setenv("TMPDIR", dir)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var out strings.Builder
	status := Main(ctx, []string{conf, "-seawall", seawall, "-duration", "1m"}, &out, interrupter{cancel})
	if status != impossible {
		t.Errorf("exit %d", status)
	}
	noneLeft(t, dir)
}

// interrupter ends the comparison when it says that it measures.
type interrupter struct{ cancel func() }

func (i interrupter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "round 1 of") {
		i.cancel()
	}
	return len(p), nil
}

func TestHelp(t *testing.T) {
	var out, errOut strings.Builder
	if status := Main(context.Background(), []string{"-h"}, &out, &errOut); status != 0 || errOut.Len() > 0 {
		t.Errorf("exit %d, %s", status, errOut.String())
	}
	expect(t, out.String(), "usage: bench conf", "-skip-both", "Exit status")
}
