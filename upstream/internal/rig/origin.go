package rig

import (
	"bufio"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"seawall/engine"
	"seawall/upstream"
)

// Origin is a backend on loopback that does what a script says, byte by byte.
type Origin struct {
	ln     net.Listener
	wg     sync.WaitGroup
	mu     sync.Mutex
	conns  map[net.Conn]struct{} // guarded by mu
	closed bool                  // guarded by mu
	Served atomic.Int32          // connections accepted
}

// Client is one connection to an Origin, as its script sees it.
type Client struct {
	net.Conn
	N int // serial of the connection, from 1
	r *bufio.Reader
}

// NewOrigin serves every connection by script, in a goroutine of its own; when
// that returns the connection is closed.
func NewOrigin(t testing.TB, script func(c *Client)) *Origin {
	t.Helper()
	return listen(t, "tcp", "127.0.0.1:0", script)
}

// NewUnixOrigin is NewOrigin on a unix socket.
func NewUnixOrigin(t testing.TB, script func(c *Client)) *Origin {
	t.Helper()
	return listen(t, "unix", filepath.Join(t.TempDir(), "origin"), script)
}

func listen(t testing.TB, network, addr string, script func(c *Client)) *Origin {
	t.Helper()
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	o := &Origin{ln: ln, conns: map[net.Conn]struct{}{}}
	o.wg.Add(1)
	go o.accept(script)
	t.Cleanup(o.Close)
	return o
}

func (o *Origin) accept(script func(c *Client)) {
	defer o.wg.Done()
	for {
		nc, err := o.ln.Accept()
		if err != nil {
			return
		}
		o.mu.Lock()
		if o.closed {
			o.mu.Unlock()
			nc.Close()
			return
		}
		o.conns[nc] = struct{}{}
		o.wg.Add(1)
		o.mu.Unlock()
		n := int(o.Served.Add(1))
		go func() {
			defer o.wg.Done()
			script(&Client{Conn: nc, N: n, r: bufio.NewReader(nc)})
			nc.Close()
			o.mu.Lock()
			delete(o.conns, nc)
			o.mu.Unlock()
		}()
	}
}

// Close stops listening, closes what is open and waits for the scripts.
func (o *Origin) Close() {
	o.ln.Close()
	o.mu.Lock()
	o.closed = true
	for nc := range o.conns {
		nc.Close()
	}
	o.mu.Unlock()
	o.wg.Wait()
}

// Name is the address, "127.0.0.1:port" or "unix:/path".
func (o *Origin) Name() string {
	if a := o.ln.Addr(); a.Network() == "unix" {
		return "unix:" + a.String()
	}
	return o.ln.Addr().String()
}

// Peer is the origin as a server of a group, as nginx's defaults have it.
func (o *Origin) Peer() upstream.PeerConfig { return PeerAt(o.Name()) }

// PeerAt is a server at an address, as nginx's defaults have it.
func PeerAt(addr string) upstream.PeerConfig {
	a, err := engine.ParseAddr(addr)
	if err != nil {
		panic(err)
	}
	return upstream.PeerConfig{Name: addr, Addr: a, Weight: 1, MaxFails: 1, FailTimeout: 10e9}
}

// Head reads a request head, "" when the connection ends before it is whole.
func (c *Client) Head() string {
	var b strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			return ""
		}
		if line == "\r\n" {
			return b.String()
		}
	}
}

// Take reads exactly n bytes, fewer when the connection ends.
func (c *Client) Take(n int) string {
	b := make([]byte, n)
	n, _ = io.ReadFull(c.r, b)
	return string(b[:n])
}

// Rest reads to the end of the connection.
func (c *Client) Rest() string {
	b, _ := io.ReadAll(c.r)
	return string(b)
}

// Say writes s and reports whether it could.
func (c *Client) Say(s string) bool {
	_, err := io.WriteString(c.Conn, s)
	return err == nil
}

// Abort ends the connection with RST.
func (c *Client) Abort() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Conn.Close()
}

// Line reads a line with its end, less when the connection ends.
func (c *Client) Line() string {
	s, _ := c.r.ReadString('\n')
	return s
}

// CloseWrite ends the sending side.
func (c *Client) CloseWrite() {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
