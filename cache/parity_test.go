package cache

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// expandDates writes {+n} as the date n seconds after now, {@n} as @ and the time.
func expandDates(lines []string, now int64) []string {
	re := regexp.MustCompile(`\{([-+@]-?\d*)\}`)
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = re.ReplaceAllStringFunc(l, func(m string) string {
			m = m[1 : len(m)-1]
			if m[0] == '@' {
				n, _ := strconv.ParseInt(m[1:], 10, 64)
				return "@" + strconv.FormatInt(now+n, 10)
			}
			n, _ := strconv.ParseInt(m, 10, 64)
			return date(now + n)
		})
	}
	return out
}

// scriptedOrigin answers /.../N with what answer(N) says, head lines and all.
func scriptedOrigin(t *testing.T, answer func(n int) (status int, lines []string)) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				req, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				n, _ := strconv.Atoi(req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:])
				status, lines := answer(n)
				head := fmt.Sprintf("HTTP/1.0 %d X\r\n", status)
				for _, l := range lines {
					head += l + "\r\n"
				}
				if status == 304 {
					head += "\r\n"
				} else {
					head += "Content-Length: 2\r\n\r\nok"
				}
				io.WriteString(c, head)
			}()
		}
	}()
	return ln.Addr().String()
}

// startNginx runs nginx before the origin, with one location for each of testRules.
func startNginx(t *testing.T, origin string, locations map[string]string) (base string, minor int) {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx"
	}
	version, err := exec.Command(path, "-v").CombinedOutput()
	if err != nil {
		t.Fatalf("nginx is the oracle of this test and is not there (%v): apt-get install nginx-light", err)
	}
	if m := regexp.MustCompile(`nginx/1\.(\d+)`).FindSubmatch(version); m != nil {
		minor, _ = strconv.Atoi(string(m[1]))
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()

	dir := t.TempDir()
	var conf strings.Builder
	fmt.Fprintf(&conf, `daemon off; master_process off; worker_processes 1; pid %[1]s/pid;
error_log %[1]s/error.log warn;
events { worker_connections 64; }
http {
	access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/t; fastcgi_temp_path %[1]s/f;
	uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	proxy_cache_path %[1]s/cache keys_zone=z:1m;
	server {
		listen %[2]s; proxy_cache z; proxy_cache_key $uri; add_header X-Status $upstream_cache_status always;
`, dir, addr)
	for name, settings := range locations {
		fmt.Fprintf(&conf, "\t\tlocation /%s/ { proxy_pass http://%s; %s }\n", name, origin, settings)
	}
	conf.WriteString("\t}\n}\n")
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-p", dir, "-e", filepath.Join(dir, "start.log"), "-c", file)
	out, _ := os.Create(filepath.Join(dir, "out"))
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		out.Close()
	})
	for deadline := time.Now().Add(10 * time.Second); ; {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			c.Close()
			return "http://" + addr, minor
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(dir, "out"))
			t.Fatalf("nginx does not listen: %v\n%s", err, text)
		}
		time.Sleep(10 * time.Millisecond) // until the process listens; nothing to wait on
	}
}

// cacheStatus asks for a page and returns nginx's $upstream_cache_status.
func cacheStatus(t *testing.T, url string, lines ...string) string {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "identity")
	for _, l := range lines {
		n, v, _ := strings.Cut(l, ": ")
		req.Header.Set(n, v)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp.Header.Get("X-Status")
}

func locationName(conf string) string { return strings.ReplaceAll(conf, " ", "-") }

// TestDecideAgreesWithNginx puts each response to a real nginx, asks twice, and
// compares whether the second answer came from the cache with Decide's verdict.
func TestDecideAgreesWithNginx(t *testing.T) {
	now := time.Now().Unix()
	origin := scriptedOrigin(t, func(n int) (int, []string) {
		return verdictCases[n].status, expandDates(verdictCases[n].lines, now)
	})
	locations := map[string]string{}
	for name, r := range testRules {
		locations[locationName(name)] = r.nginx
	}
	base, minor := startNginx(t, origin, locations)
	for i, c := range verdictCases {
		url := fmt.Sprintf("%s/%s/%d", base, locationName(c.conf), i)
		first, second := cacheStatus(t, url), cacheStatus(t, url)
		if first != "MISS" {
			t.Fatalf("%s: the first request: %q", c.name, first)
		}
		rules := testRules[c.conf].rules
		v := Decide(&rules, c.status, headersOf(expandDates(c.lines, now)...), now)
		agree := (second == "HIT") == v.Cacheable
		known := c.ours
		if known == "" && minor < 23 {
			known = c.nginx22
		}
		switch {
		case !agree && known == "":
			t.Errorf("%s: nginx 1.%d says %s, Decide %+v", c.name, minor, second, v)
		case agree && known != "":
			t.Errorf("%s: nginx 1.%d agrees, though a difference is noted: %s", c.name, minor, known)
		}
	}
}

var varyCases = []struct {
	vary          string
	first, second []string
}{
	{"Accept-Encoding", []string{"Accept-Encoding: gzip, br"}, []string{"Accept-Encoding: gzip, br"}},
	{"Accept-Encoding", []string{"Accept-Encoding: gzip, br"}, []string{"Accept-Encoding: gzip,br"}},
	{"Accept-Encoding", []string{"Accept-Encoding: gzip, br"}, []string{"Accept-Encoding: gzip ,  br,"}},
	{"Accept-Encoding", []string{"Accept-Encoding: gzip, br"}, []string{"Accept-Encoding: br, gzip"}},
	{"Accept-Encoding", []string{"Accept-Encoding: gzip"}, []string{"Accept-Encoding: GZIP"}},
	{"accept-language", []string{"Accept-Language: de, en"}, []string{"Accept-Language: de,en"}},
	{"X-Kind", []string{"X-Kind: a, b"}, []string{"X-Kind: a,b"}},
	{"X-Kind", []string{"X-Kind: a"}, []string{"X-Kind: b"}},
	{"X-Kind", nil, nil},
	{"X-Kind", nil, []string{"X-Kind: a"}},
	{"X-Kind, X-Other", []string{"X-Kind: a", "X-Other: b"}, []string{"X-Kind: a", "X-Other: b"}},
	{"X-Kind, X-Other", []string{"X-Kind: a"}, []string{"X-Other: a"}},
	{"X-Kind", []string{"X-Kind: a", "X-Other: b"}, []string{"X-Kind: a", "X-Other: c"}},
	{",, X-Kind ,", []string{"X-Kind: a"}, []string{"X-Kind: b"}},
}

// TestVaryAgreesWithNginx compares which requests count as the same variant.
func TestVaryAgreesWithNginx(t *testing.T) {
	origin := scriptedOrigin(t, func(n int) (int, []string) { return 200, []string{"Vary: " + varyCases[n].vary} })
	base, _ := startNginx(t, origin, map[string]string{"v": "proxy_cache_valid 200 10s;"})
	z := newTestZone(t, 1<<20)
	for i, c := range varyCases {
		url := fmt.Sprintf("%s/v/%d", base, i)
		cacheStatus(t, url, c.first...)
		hit := cacheStatus(t, url, c.second...) == "HIT"

		key := fmt.Sprint(i)
		first, second := append(request{}, c.first...), append(request{}, c.second...)
		for _, r := range []*request{&first, &second} {
			if _, ok := r.HeaderValue([]byte("Accept-Encoding"), 0); !ok {
				*r = append(*r, "Accept-Encoding: identity")
			}
		}
		mustStore(t, z, nil, key, first, response(0, sec, []byte("x"), "Vary: "+c.vary), 0)
		_, st := z.Lookup(nil, z.MakeKey([]byte(key)), second, 1)
		if (st == Fresh) != hit {
			t.Errorf("Vary %q, %q then %q: nginx hit %v, Lookup %v", c.vary, c.first, c.second, hit, st)
		}
	}
}
