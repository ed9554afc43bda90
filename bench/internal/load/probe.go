//go:build linux

package load

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// probeLimit is how long one request may take: a cold server may have to ask a slow origin.
const probeLimit = 10 * time.Second

// Answer is a right answer.
type Answer struct {
	Bytes  int  // on the wire: head, framing and body
	Closes bool // the server is going to close the connection
	Header http.Header
	Body   []byte
}

// Probe makes one request on a connection of its own and checks the whole answer.
func Probe(at netip.AddrPort, p Page) (Answer, error) {
	a, err := probe(at, p)
	if err != nil {
		return a, fmt.Errorf("%s: %w", p.Path, err)
	}
	return a, nil
}

func probe(at netip.AddrPort, p Page) (Answer, error) {
	c, err := net.DialTimeout("tcp", at.String(), time.Second)
	if err != nil {
		return Answer{}, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(probeLimit)); err != nil {
		return Answer{}, err
	}
	method, more := http.MethodGet, ""
	if p.Post > 0 {
		method = http.MethodPost
		more = fmt.Sprintf("Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", p.Post)
	}
	path := p.Path
	if p.Unique {
		path = fmt.Sprintf("%s%cn=probe%d", path, querySeparator(path), time.Now().UnixNano())
	}
	// In a goroutine of its own, as a server may answer before it has read the body.
	wrote := make(chan error, 1)
	go func() {
		_, err := fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: example.com\r\nUser-Agent: load\r\nAccept: */*\r\n%s\r\n%s",
			method, path, more, letters(p.Post))
		wrote <- err
	}()
	var raw bytes.Buffer
	resp, err := http.ReadResponse(bufio.NewReader(io.TeeReader(c, &raw)), &http.Request{Method: method})
	if err != nil {
		return Answer{}, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Bytes: raw.Len(), Closes: resp.Close, Header: resp.Header, Body: body}
	if resp.StatusCode != p.status() || !p.bodyIsRight(body) {
		return a, fmt.Errorf("wrong answer: %s with a body of %d bytes, %d with %s is right",
			resp.Status, len(body), p.status(), p.describeBody())
	}
	return a, <-wrote
}

func (p Page) describeBody() string {
	switch {
	case p.Body != "":
		return fmt.Sprintf("%.40q", p.Body)
	case p.size() < 0:
		return "any"
	}
	return fmt.Sprintf("%d bytes of the alphabet", p.Size)
}

func querySeparator(path string) byte {
	for i := range len(path) {
		if path[i] == '?' {
			return '&'
		}
	}
	return '?'
}
