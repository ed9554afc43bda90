package httpparse

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const nginxBinary = "/usr/sbin/nginx"

// nginx is a running oracle: one process, one port per setting.
type nginx struct {
	t     *testing.T
	log   string
	ports map[string]string // setting -> address
}

// settings are the servers' peculiarities, "" the defaults.
var settings = []string{"", "merge_slashes off;", "ignore_invalid_headers off;", "underscores_in_headers on;"}

// startNginx starts one with all settings; locations go into every server.
func startNginx(t *testing.T, locations ...string) *nginx {
	t.Helper()
	if _, err := os.Stat(nginxBinary); err != nil {
		t.Fatalf("%s is missing: these tests compare with Debian's nginx; apt-get install nginx-light (make test does)", nginxBinary)
	}
	dir := t.TempDir()
	n := &nginx{t: t, log: filepath.Join(dir, "error.log"), ports: map[string]string{}}
	var servers strings.Builder
	for _, s := range settings {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		n.ports[s] = ln.Addr().String()
		ln.Close()
		fmt.Fprintf(&servers, `server { listen %s; %s %s location / { return 200 "$uri\n$request_uri\n$args\n$host\n$http_x_f\n"; } }`+"\n", n.ports[s], s, strings.Join(locations, " "))
	}
	conf := fmt.Sprintf(`daemon off; master_process off; pid nginx.pid; error_log error.log info;
events { worker_connections 64; }
http { access_log off; lingering_close off; client_header_timeout 2s;
client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
%s}`, servers.String())
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nginxBinary, "-p", dir, "-e", n.log, "-c", path)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; {
		c, err := net.Dial("tcp", n.ports[""])
		if err == nil {
			c.Close()
			return n
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx does not listen: %v\n%s", err, out.String())
		}
		time.Sleep(10 * time.Millisecond) // polling a start, not hiding a race
	}
}

// ask sends raw and returns status (9: a response without a head), body lines and
// what the error log says the client did.
func (n *nginx) ask(setting, raw string) (status int, body []string, reason string) {
	n.t.Helper()
	before, _ := os.ReadFile(n.log)
	c, err := net.Dial("tcp", n.ports[setting])
	if err != nil {
		n.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		n.t.Fatal(err)
	}
	// Half-closed, so that a request nginx keeps alive ends all the same.
	_ = c.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(c)
	after, _ := os.ReadFile(n.log)
	for line := range strings.Lines(string(after[len(before):])) {
		if _, text, ok := strings.Cut(line, "client sent "); ok && reason == "" {
			reason = "client sent " + text
			for _, cut := range []string{" while ", `: "`, ", client:"} {
				reason, _, _ = strings.Cut(reason, cut)
			}
		}
	}
	status = 9
	rest := string(answer)
	if _, err := fmt.Sscanf(rest, "HTTP/1.1 %d", &status); err == nil {
		_, rest, _ = strings.Cut(rest, "\r\n\r\n")
	} else if rest == "" {
		status = 0
	}
	return status, strings.Split(rest, "\n"), reason
}
