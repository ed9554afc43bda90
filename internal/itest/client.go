package itest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// clientPatience is how long a client waits for the next byte before it notes that the server left the connection open.
const clientPatience = 8 * time.Second

// End says how a client's connection ended.
type End string

const (
	EndClosed End = "closed"     // the server closed; a reset after the last byte counts as that
	EndReset  End = "reset"      // reset before any byte came
	EndOpen   End = "left open"  // nothing more came for as long as the client waits
	EndOurs   End = "client end" // the client closed or reset the connection by script
)

// Heard is what a client read on one connection.
type Heard struct {
	Raw     []byte
	End     End
	Methods []string // of the requests that the client sent, in order: framing of answers to HEAD needs them
}

// Client is a raw TCP client that follows a script.
type Client struct {
	conn    net.Conn
	places  places
	heard   Heard
	sent    bytes.Buffer
	waiting time.Duration
}

// dialClient connects to address ("127.0.0.1:port").
func dialClient(network, address string, p places) (*Client, error) {
	conn, err := net.DialTimeout(network, address, clientPatience)
	if err != nil {
		return nil, err
	}
	return &Client{conn: conn, places: p, waiting: clientPatience}, nil
}

// run follows the acts and then, unless the script ended the connection, reads until the server closes.
func (c *Client) run(t testing.TB, acts []Act) Heard {
	t.Helper()
	defer c.conn.Close()
	for _, a := range acts {
		if c.heard.End != "" {
			break
		}
		c.do(t, a)
	}
	for c.heard.End == "" {
		c.readSome()
	}
	c.heard.Methods = sentMethods(c.sent.String())
	return c.heard
}

func (c *Client) do(t testing.TB, a Act) {
	t.Helper()
	switch a.kind {
	case actSend:
		c.write([]byte(c.places.fill(t, a.text)))
	case actTrickle:
		for _, b := range []byte(c.places.fill(t, a.text)) {
			if !c.write([]byte{b}) {
				return
			}
			time.Sleep(a.pause)
		}
	case actRepeat:
		text := []byte(c.places.fill(t, a.text))
		for range a.count {
			if !c.write(text) {
				return
			}
		}
	case actAwait:
		for c.heard.End == "" && countResponses(c.heard.Raw, sentMethods(c.sent.String())) < a.count {
			c.readSome()
		}
	case actExpectText:
		for c.heard.End == "" && !bytes.Contains(c.heard.Raw, []byte(a.text)) {
			c.readSome()
		}
	case actCloseWrite:
		_ = c.conn.(interface{ CloseWrite() error }).CloseWrite()
	case actPause:
		time.Sleep(a.pause)
	case actHold:
		<-a.until
	case actCall:
		a.call()
	case actReset:
		if tcp, ok := c.conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.conn.Close()
		c.heard.End = EndOurs
	case actClose:
		_ = c.conn.Close()
		c.heard.End = EndOurs
	default:
		t.Fatalf("act %d is not for clients", a.kind)
	}
}

// write reports whether the bytes left; a failed write does not end the script, since an early answer may still be readable.
func (c *Client) write(p []byte) bool {
	c.sent.Write(p)
	_ = c.conn.SetWriteDeadline(time.Now().Add(clientPatience))
	_, err := c.conn.Write(p)
	return err == nil
}

func (c *Client) readSome() {
	var buf [64 << 10]byte
	_ = c.conn.SetReadDeadline(time.Now().Add(c.waiting))
	n, err := c.conn.Read(buf[:])
	c.heard.Raw = append(c.heard.Raw, buf[:n]...)
	if err == nil {
		return
	}
	var netErr net.Error
	switch {
	case errors.As(err, &netErr) && netErr.Timeout():
		c.heard.End = EndOpen
	case errors.Is(err, syscall.ECONNRESET) && len(c.heard.Raw) == 0:
		c.heard.End = EndReset
	default:
		c.heard.End = EndClosed
	}
}

var requestLinePattern = regexp.MustCompile(`(?m)^([A-Z]+) [^\r\n]+ HTTP/1\.[01]\r?$`)

// sentMethods finds the methods of the requests in what a client sent.
func sentMethods(sent string) []string {
	var methods []string
	for _, m := range requestLinePattern.FindAllStringSubmatch(sent, -1) {
		methods = append(methods, m[1])
	}
	return methods
}

// countResponses counts the complete final responses at the start of raw.
func countResponses(raw []byte, methods []string) int {
	n := 0
	for _, m := range splitMessages(raw, methods) {
		if m.complete && m.status >= 200 {
			n++
		}
	}
	return n
}

// get is a request without a body that asks the server to close afterwards; headers are extra lines.
func get(target string, headers ...string) string { return request("GET", target, "", headers...) }

// request is a whole HTTP/1.1 request with Connection: close. A non-empty body gets a Content-Length.
func request(method, target, body string, headers ...string) string {
	return keep(method, target, body, append([]string{"Connection: close"}, headers...)...)
}

// keep is request without Connection: close.
func keep(method, target, body string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, target)
	if !hasHost(headers) {
		b.WriteString("Host: example.com\r\n")
	}
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.String()
}

func hasHost(headers []string) bool {
	for _, h := range headers {
		if strings.HasPrefix(strings.ToLower(h), "host:") {
			return true
		}
	}
	return false
}
