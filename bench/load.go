//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// page is what a row asks for.
type page struct {
	path string
	size int // of the body; those of the backend are the alphabet over and over
	body string
}

func alphabetPage(path string, size int) page {
	return page{path: path, size: size, body: strings.Repeat("abcdefghijklmnopqrstuvwxyz", size/26+1)[:size]}
}

// probe asks for a page once and checks the answer whole. It returns how many bytes the answer took on the wire.
func probe(s *server, p page) (int, error) {
	fail := func(err error) (int, error) { return 0, s.explain(fmt.Errorf("%s: %w", p.path, err)) }
	c, err := net.DialTimeout("tcp4", s.address(), time.Second)
	if err != nil {
		return fail(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return fail(err)
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: example.com\r\n\r\n", p.path); err != nil {
		return fail(err)
	}
	var raw bytes.Buffer
	in := bufio.NewReader(io.TeeReader(c, &raw))
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return fail(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fail(err)
	}
	if resp.StatusCode != 200 || string(body) != p.body || resp.ContentLength != int64(p.size) || resp.Close {
		return fail(fmt.Errorf("wrong answer: %s, %d bytes of body (Content-Length %d) where %d were expected, closing %t",
			resp.Status, len(body), resp.ContentLength, p.size, resp.Close))
	}
	return raw.Len(), nil
}

// backendCount returns how many requests the origin answered and how many connections it accepted since its start.
func backendCount(backend *server) (requests, accepts int, err error) {
	resp, err := http.Get("http://" + backend.address() + "/count")
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	_, err = fmt.Fscan(resp.Body, &requests, &accepts)
	return requests, accepts, err
}

// totals is what a load generator reports.
type totals struct {
	Requests   int     `json:"requests"`
	Bytes      int     `json:"bytes"` // wrk only
	Errors     int     `json:"errors"`
	FirstError string  `json:"first_error"` // our own only
	P50ms      float64 `json:"p50_ms"`
	P99ms      float64 `json:"p99_ms"`
	Seconds    float64 `json:"seconds"` // our own only
}

func (t totals) check() error {
	if t.Errors > 0 {
		return fmt.Errorf("%d errors in %d requests: %s", t.Errors, t.Requests, t.FirstError)
	}
	if t.Requests == 0 {
		return fmt.Errorf("no request was answered")
	}
	return nil
}

// runWrk loads a server through kept-alive connections and checks that the bytes received are those of so many answers:
// wrk itself looks at the status only.
func (b *bench) runWrk(s *server, p page, answerBytes, connections int, d time.Duration) (totals, error) {
	var t totals
	ctx, cancel := context.WithTimeout(b.ctx, d+20*time.Second)
	defer cancel()
	// wrk's -d takes whole seconds only; a shorter run is ended by SIGINT, on which it reports as usual.
	seconds := int((d + time.Second - 1) / time.Second)
	cmd := exec.CommandContext(ctx, "taskset", "-c", strconv.Itoa(b.loadCore), "wrk", "-t1", "-c"+strconv.Itoa(connections),
		"-d"+strconv.Itoa(seconds)+"s", "-s", filepath.Join(b.dir, "wrk.lua"),
		"-H", "Host: example.com", "http://"+s.address()+p.path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return t, err
	}
	interrupt := time.AfterFunc(d, func() { _ = cmd.Process.Signal(syscall.SIGINT) })
	err := cmd.Wait()
	interrupt.Stop()
	if err != nil {
		return t, fmt.Errorf("wrk: %w\n%s", err, out.String())
	}
	if err := parseWrk(out.String(), &t); err != nil {
		return t, err
	}
	if err := t.check(); err != nil {
		return t, err
	}
	const slack = 16 // bytes by which a head may differ from the probe's: X-Cache, Age
	low, high := t.Requests*(answerBytes-slack), (t.Requests+connections)*(answerBytes+slack)
	if t.Bytes < low || t.Bytes > high {
		return t, fmt.Errorf("%d answers of %d bytes each were expected, wrk received %d bytes", t.Requests, answerBytes, t.Bytes)
	}
	return t, nil
}

// parseWrk finds the line of wrk.lua in wrk's output.
func parseWrk(out string, t *totals) error {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "{") {
			return json.Unmarshal([]byte(line), t)
		}
	}
	return fmt.Errorf("unexpected output of wrk:\n%s", out)
}

// ownLoad is a running floor/load.c, which see for the protocol.
type ownLoad struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// startLoad opens connections to a server; they are open when it returns. More arguments say what to do then.
func (b *bench) startLoad(s *server, p page, connections int, args ...string) (*ownLoad, error) {
	args = append([]string{"-c", strconv.Itoa(b.loadCore), filepath.Join(b.dir, "floor", "load"),
		"-c", strconv.Itoa(connections), "-p", strconv.Itoa(s.port), "-u", p.path, "-b", strconv.Itoa(p.size)}, args...)
	l := &ownLoad{cmd: exec.CommandContext(b.ctx, "taskset", args...)}
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var errText bytes.Buffer
	l.cmd.Stderr = &errText
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	l.out = bufio.NewScanner(out)
	if l.in, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := l.cmd.Start(); err != nil {
		return nil, err
	}
	if err := l.expect("connected"); err != nil {
		l.end()
		return nil, fmt.Errorf("%w: %s", err, errText.String())
	}
	return l, nil
}

// run makes it send its requests.
func (l *ownLoad) run() error {
	_, err := io.WriteString(l.in, "go\n")
	return err
}

func (l *ownLoad) expect(line string) error {
	if !l.out.Scan() || l.out.Text() != line {
		return fmt.Errorf("the load generator said %q where %q was expected", l.out.Text(), line)
	}
	return nil
}

// report waits for the totals and checks them.
func (l *ownLoad) report() (totals, error) {
	var t totals
	if !l.out.Scan() {
		return t, fmt.Errorf("the load generator ended without a report")
	}
	if err := json.Unmarshal(l.out.Bytes(), &t); err != nil {
		return t, err
	}
	return t, t.check()
}

// release closes the held connections and returns how many of them the server had closed before.
func (l *ownLoad) release() (closed int, err error) {
	if err := l.in.Close(); err != nil {
		return 0, err
	}
	var t struct{ Closed int }
	if !l.out.Scan() {
		return 0, fmt.Errorf("the load generator ended without a report")
	}
	return t.Closed, json.Unmarshal(l.out.Bytes(), &t)
}

// end closes its connections and waits for it.
func (l *ownLoad) end() {
	l.in.Close()
	kill := time.AfterFunc(stopLimit, func() { _ = l.cmd.Process.Kill() })
	defer kill.Stop()
	_ = l.cmd.Wait() // what it had to say was read before
}
