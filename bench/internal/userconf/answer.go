//go:build linux

package userconf

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"time"
)

// answer is what a server answered to one request.
type answer struct {
	status int
	header http.Header
	body   []byte
	coding string // how the body was framed: "length", "chunked" or "close"
	closes bool   // the connection
	wire   int    // bytes, head included
	err    error
}

const (
	answerLimit = 30 * time.Second // a backend may be slow
	bodyLimit   = 256 << 20
)

// request is what goes over the wire.
func (a *ask) request(headers []string) string {
	text := a.method + " " + a.target + " HTTP/1.1\r\nHost: " + a.host + "\r\n"
	for _, h := range headers {
		text += h + "\r\n"
	}
	return text + "\r\n"
}

// get asks once, on a connection of its own.
func get(ctx context.Context, at netip.AddrPort, a *ask, headers []string) *answer {
	r, err := getOnce(ctx, at, a, headers)
	if err != nil {
		r.err = err
		if cause := context.Cause(ctx); cause != nil {
			r.err = cause
		}
	}
	return r
}

func getOnce(ctx context.Context, at netip.AddrPort, a *ask, headers []string) (*answer, error) {
	r := &answer{}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", at.String())
	if err != nil {
		return r, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if err := c.SetDeadline(time.Now().Add(answerLimit)); err != nil {
		return r, err
	}
	if _, err := io.WriteString(c, a.request(headers)); err != nil {
		return r, err
	}
	counted := &countingReader{in: c}
	resp, err := http.ReadResponse(bufio.NewReader(counted), &http.Request{Method: a.method})
	if err != nil {
		if counted.n == 0 {
			return r, fmt.Errorf("closes the connection without an answer")
		}
		return r, err
	}
	defer resp.Body.Close()
	r.status, r.header, r.closes = resp.StatusCode, resp.Header, resp.Close
	switch {
	case len(resp.TransferEncoding) > 0:
		r.coding = "chunked"
	case resp.ContentLength >= 0:
		r.coding = "length"
	default:
		r.coding = "close"
	}
	r.body, err = io.ReadAll(io.LimitReader(resp.Body, bodyLimit))
	r.wire = counted.n
	if err != nil {
		return r, fmt.Errorf("breaks off after %d bytes of the body: %w", len(r.body), err)
	}
	return r, nil
}

type countingReader struct {
	in io.Reader
	n  int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += n
	return n, err
}

// signature is how the servers sign the pages of errors.
var signature = regexp.MustCompile(`(?i)<center>(?:nginx|seawall)(?:/[0-9A-Za-z.+-]+)?(?: \([^)<]*\))?</center>`)

var portNumber = regexp.MustCompile(`\b[0-9]{4,5}\b`)

// movedPorts are the ports that servers were moved to, and those that they have in the user's configuration.
func movedPorts(contenders ...*contender) map[string]string {
	ports := map[string]string{}
	for _, c := range contenders {
		for e, to := range c.layout.addresses {
			if e.unix == "" {
				ports[strconv.Itoa(int(to.Port()))] = strconv.Itoa(e.port)
			}
		}
	}
	return ports
}

// generalize takes out of an answer what must differ: the port that the server was moved to and its own name. ports are
// those of both servers, so that a number that happens to be one of them is changed in both answers.
func (r *answer) generalize(ports map[string]string, method string) {
	replace := func(text []byte) []byte {
		return portNumber.ReplaceAllFunc(text, func(m []byte) []byte {
			if port, ok := ports[string(m)]; ok {
				return []byte(port)
			}
			return m
		})
	}
	for _, values := range r.header {
		for i, v := range values {
			values[i] = string(replace([]byte(v)))
		}
	}
	body := r.body
	if len(body) < 1<<20 { // pages and redirects; what is larger is data
		body = replace(body)
		body = signature.ReplaceAll(body, []byte("<center>SERVER</center>"))
	}
	own := r.status >= 300 && method == "HEAD" // of a page that is not seen
	if !bytes.Equal(body, r.body) || own {
		r.header.Del("Content-Length")
	}
	r.body = body
}
