package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"seawall/conf"
	"seawall/internal/freeport"
	"seawall/logs"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// world is a Server on loopback with its files in a directory of the test's.
type world struct {
	t    testing.TB
	srv  *Server
	log  *logs.ErrorLog
	dir  string
	addr string
	port string
}

// mainBlock is what most tests begin with: one loop, everything logged.
const mainBlock = "worker_processes 1; error_log error.log info; events { worker_connections 4096; }\n"

// newWorld starts a Server on an http block with a server in it. "{{name}}"
// in the text is replaced by the value after the name in pairs, {{listen}} by
// the address to listen on.
func newWorld(t testing.TB, http string, pairs ...string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	w.port = strconv.Itoa(freeport.TCP(t))
	w.addr = "127.0.0.1:" + w.port
	reg := logs.NewRegistry(logs.Options{Prefix: w.dir})
	log, err := logs.NewErrorLog(reg, logs.Target{Path: "error.log", Level: logs.LevelInfo})
	if err != nil {
		t.Fatal(err)
	}
	log.EchoStderr(false)
	w.log = log
	cfg := w.load(mainBlock+"http {\n"+http+"\n}\n", pairs...)
	w.srv, err = New(cfg, Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.srv.Stop()
		reg.Close()
		if t.Failed() {
			text := w.file("error.log")
			if len(text) > 8<<10 {
				text = text[len(text)-8<<10:]
			}
			t.Logf("error log:\n%s", text)
		}
	})
	if err := w.srv.Start(); err != nil {
		t.Fatal(err)
	}
	return w
}

// load reads a configuration text.
func (w *world) load(text string, pairs ...string) *conf.Config {
	w.t.Helper()
	text = strings.NewReplacer(append(pairs2braces(pairs), "{{listen}}", w.addr)...).Replace(text)
	path := filepath.Join(w.dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	cfg, err := conf.Load(path, conf.Options{Prefix: w.dir})
	if err != nil {
		w.t.Fatal(err)
	}
	return cfg
}

func pairs2braces(pairs []string) []string {
	out := append([]string(nil), pairs...)
	for i := 0; i < len(out); i += 2 {
		out[i] = "{{" + out[i] + "}}"
	}
	return out
}

// reload replaces the http block.
func (w *world) reload(http string, pairs ...string) error {
	return w.srv.Reload(w.load(mainBlock+"http {\n"+http+"\n}\n", pairs...))
}

// file is the text of a file in the world's directory, "" without one.
func (w *world) file(name string) string {
	w.log.Registry().Flush()
	b, _ := os.ReadFile(filepath.Join(w.dir, name))
	return string(b)
}

// closeHard ends the connection with a reset.
func (p *peer) closeHard() {
	p.Conn.(*net.TCPConn).SetLinger(0)
	p.Conn.Close()
}

// peer is a client connection.
type peer struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func (w *world) dial() *peer {
	w.t.Helper()
	return w.dialBy(&net.Dialer{})
}

func (w *world) dialBy(d *net.Dialer) *peer {
	w.t.Helper()
	c, err := d.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	w.t.Cleanup(func() { c.Close() })
	return &peer{c, w.t, bufio.NewReader(c)}
}

// slowPeer is dial with a small receive buffer, so that the other side's
// output soon has to wait.
func (w *world) slowPeer() *peer {
	w.t.Helper()
	return w.dialBy(&net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 64<<10) })
	}})
}

func (p *peer) send(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.Conn, text); err != nil {
		p.t.Fatal(err)
	}
}

// answer is a response as a test sees it.
type answer struct {
	status int
	header http.Header
	body   string
	length int64 // Content-Length, -1 without
	err    error // of reading the body
	close  bool
}

// read reads one response to a request with method.
func (p *peer) read(method string) answer {
	p.t.Helper()
	resp, err := http.ReadResponse(p.r, &http.Request{Method: method})
	if err != nil {
		p.t.Fatalf("no response: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body), resp.ContentLength, err, resp.Close}
}

// ask sends a request on a new connection and reads the answer.
func (w *world) ask(request string) answer {
	w.t.Helper()
	p := w.dial()
	defer p.Close()
	p.send(request)
	method, _, _ := strings.Cut(request, " ")
	return p.read(method)
}

// get asks for a path on a new connection; fields are added.
func (w *world) get(path string, fields ...string) answer {
	w.t.Helper()
	return w.ask(getRequest(path, fields...))
}

func getRequest(path string, fields ...string) string {
	extra := ""
	for _, f := range fields {
		extra += f + "\r\n"
	}
	return "GET " + path + " HTTP/1.1\r\nHost: a.test\r\n" + extra + "\r\n"
}

// origin is a backend on loopback.
type origin struct {
	t      testing.TB
	ln     net.Listener
	serve  func(x *exchangeScript)
	conns  atomic.Int32 // connections accepted
	count  atomic.Int32 // requests
	mu     sync.Mutex
	open   map[net.Conn]struct{} // guarded by mu
	closed bool                  // guarded by mu
	ended  chan struct{}         // closed by stop
	wg     sync.WaitGroup
}

// exchangeScript is one request to an origin.
type exchangeScript struct {
	net.Conn
	o    *origin
	r    *bufio.Reader
	req  *http.Request
	body string // read whole before serve is called, unless the origin reads lazily
	n    int    // serial of the request, from 1
	conn int    // serial of the connection, from 1
}

// newOrigin answers each request by serve, which closes the connection to end it.
func newOrigin(t testing.TB, serve func(x *exchangeScript)) *origin {
	return startOrigin(t, true, serve)
}

// newLazyOrigin is newOrigin without reading bodies.
func newLazyOrigin(t testing.TB, serve func(x *exchangeScript)) *origin {
	return startOrigin(t, false, serve)
}

func startOrigin(t testing.TB, bodies bool, serve func(x *exchangeScript)) *origin {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &origin{t: t, ln: ln, serve: serve, open: map[net.Conn]struct{}{}, ended: make(chan struct{})}
	o.wg.Add(1)
	go o.accept(bodies)
	t.Cleanup(o.stop)
	return o
}

func (o *origin) addr() string { return o.ln.Addr().String() }

func (o *origin) accept(bodies bool) {
	defer o.wg.Done()
	for {
		c, err := o.ln.Accept()
		if err != nil {
			return
		}
		o.mu.Lock()
		if o.closed {
			o.mu.Unlock()
			c.Close()
			return
		}
		o.open[c] = struct{}{}
		o.wg.Add(1)
		o.mu.Unlock()
		go o.connection(c, int(o.conns.Add(1)), bodies)
	}
}

func (o *origin) connection(c net.Conn, serial int, bodies bool) {
	defer o.wg.Done()
	defer func() {
		c.Close()
		o.mu.Lock()
		delete(o.open, c)
		o.mu.Unlock()
	}()
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		x := &exchangeScript{Conn: c, o: o, r: r, req: req, conn: serial}
		if bodies {
			b, err := io.ReadAll(req.Body)
			if err != nil {
				return
			}
			x.body = string(b)
		}
		x.n = int(o.count.Add(1))
		o.serve(x)
	}
}

// wait waits for ch, or for the end of the test.
func (x *exchangeScript) wait(ch <-chan struct{}) {
	select {
	case <-ch:
	case <-x.o.ended:
	}
}

// openConns is the number of open connections.
func (o *origin) openConns() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.open)
}

// stop closes the origin and all of its connections.
func (o *origin) stop() {
	o.ln.Close()
	close(o.ended)
	o.mu.Lock()
	o.closed = true
	for c := range o.open {
		c.Close()
	}
	o.mu.Unlock()
	o.wg.Wait()
}

// reply answers with a status line, body and fields.
func (x *exchangeScript) reply(status, body string, fields ...string) {
	head := "HTTP/1.1 " + status + "\r\n"
	for _, f := range fields {
		head += f + "\r\n"
	}
	fmt.Fprintf(x, "%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// eventually waits until cond holds.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !cond(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not reached: %s", what)
		}
	}
}

// onLoop runs fn on the world's first loop and waits for it.
func (w *world) onLoop(fn func(s *loopState)) {
	done := make(chan struct{})
	w.srv.loops[0].l.Post(func() {
		fn(w.srv.loops[0])
		close(done)
	})
	<-done
}

// pools are the sizes of the first loop's pools, each struct counted once.
func (w *world) pools() (requests, exchanges int, doubles bool) {
	w.onLoop(func(s *loopState) {
		seenR, seenE := map[*Request]bool{}, map[*exchange]bool{}
		for _, r := range s.free {
			seenR[r] = true
		}
		for _, ex := range s.exchanges {
			seenE[ex] = true
		}
		requests, exchanges = len(seenR), len(seenE)
		doubles = requests != len(s.free) || exchanges != len(s.exchanges)
	})
	return requests, exchanges, doubles
}

// checkPools fails when a struct lies in a pool twice.
func (w *world) checkPools() {
	w.t.Helper()
	if _, _, doubles := w.pools(); doubles {
		w.t.Error("a struct was put into its pool twice")
	}
}

// pattern is n bytes that tell their place.
func pattern(n int) string {
	b := []byte(strings.Repeat("000000000\n", n/10+1))
	for i := 0; i < len(b); i += 10 {
		for at, k := i+8, i/10; k > 0; at, k = at-1, k/10 {
			b[at] = byte('0' + k%10)
		}
	}
	return string(b[:n])
}
