package itest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Received is one request as an origin got it.
type Received struct {
	Conn     int    // which of the origin's connections, counted from 1
	Head     string // raw, with the empty line
	Body     []byte // de-chunked
	Chunked  bool
	Trailers string
	Short    bool // the connection ended within the request
}

// Target is the request target of the request line.
func (r Received) Target() string {
	f := strings.Fields(r.Head)
	if len(f) < 2 {
		return ""
	}
	return f[1]
}

// Origin is a scripted raw HTTP server on loopback. The n-th request since Script was called gets the n-th reply; the last
// reply serves all that follow.
type Origin struct {
	t      testing.TB
	ln     net.Listener
	places places

	mu       sync.Mutex // guards all below
	replies  []Reply
	byTarget map[string]Reply
	asked    int
	received []Received
	more     []byte // bytes read by ReadMore
	conns    int
	open     map[net.Conn]struct{}
	changed  *sync.Cond
}

const defaultOriginAnswer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\norigin\n"

// newOrigin listens on a free loopback port ("tcp4", an ephemeral one: five digits too) or on the given path ("unix") and
// serves until the test ends.
func newOrigin(t testing.TB, network, address string) *Origin {
	t.Helper()
	if network == "tcp4" {
		address = "127.0.0.1:0"
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	o := &Origin{t: t, ln: ln, open: map[net.Conn]struct{}{}}
	o.changed = sync.NewCond(&o.mu)
	go o.accept()
	t.Cleanup(o.stop)
	return o
}

func (o *Origin) stop() {
	_ = o.ln.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.open {
		_ = c.Close()
	}
}

// Port is the TCP port that the origin listens on.
func (o *Origin) Port() int { return o.ln.Addr().(*net.TCPAddr).Port }

// Script sets the replies for the requests from now on, forgets what was received and ends the connections that are open, so
// that a kept one does not carry a case over into the next. No reply: a plain 200.
func (o *Origin) Script(replies ...Reply) {
	o.endOpenConns()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.replies, o.asked, o.received, o.more, o.byTarget = replies, 0, nil, nil, nil
}

// endOpenConns says FIN on every open connection and waits until the other side has closed them too: a server that was still
// to notice could otherwise send its next request on one of them.
func (o *Origin) endOpenConns() {
	deadline := time.Now().Add(500 * time.Millisecond)
	for round := 0; ; round++ {
		o.mu.Lock()
		late := time.Now().After(deadline)
		for c := range o.open {
			if half, ok := c.(interface{ CloseWrite() error }); ok && round == 0 {
				_ = half.CloseWrite()
			}
			if late {
				_ = c.Close()
			}
		}
		left := len(o.open)
		o.mu.Unlock()
		if left == 0 || late {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// ScriptTarget sets the reply for one exact request target; it goes before the sequence.
func (o *Origin) ScriptTarget(target string, r Reply) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byTarget == nil {
		o.byTarget = map[string]Reply{}
	}
	o.byTarget[target] = r
}

// Received is what came since Script.
func (o *Origin) Received() []Received {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Received(nil), o.received...)
}

// More is what the ReadMore acts read since Script.
func (o *Origin) More() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]byte(nil), o.more...)
}

// Conns counts the connections accepted since the origin was made.
func (o *Origin) Conns() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.conns
}

// OpenConns counts the connections that are open now.
func (o *Origin) OpenConns() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.open)
}

// WaitRequests waits until n requests were received since Script.
func (o *Origin) WaitRequests(n int) {
	o.t.Helper()
	o.waitFor(fmt.Sprintf("%d requests", n), func() bool { return len(o.received) >= n })
}

// WaitOpenConns waits until exactly n connections are open.
func (o *Origin) WaitOpenConns(n int) {
	o.t.Helper()
	o.waitFor(fmt.Sprintf("%d open connections", n), func() bool { return len(o.open) == n })
}

func (o *Origin) waitFor(what string, done func() bool) {
	o.t.Helper()
	late := false
	timer := time.AfterFunc(10*time.Second, func() {
		o.mu.Lock()
		late = true
		o.mu.Unlock()
		o.changed.Broadcast()
	})
	defer timer.Stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for !done() {
		if late {
			o.t.Errorf("origin waited in vain for %s: %d requests came, %d connections are open", what, len(o.received), len(o.open))
			return
		}
		o.changed.Wait()
	}
}

func (o *Origin) accept() {
	for {
		conn, err := o.ln.Accept()
		if err != nil {
			return
		}
		o.mu.Lock()
		o.conns++
		number := o.conns
		o.open[conn] = struct{}{}
		o.mu.Unlock()
		o.changed.Broadcast()
		go func() {
			o.serve(conn, number)
			_ = conn.Close()
			o.mu.Lock()
			delete(o.open, conn)
			o.mu.Unlock()
			o.changed.Broadcast()
		}()
	}
}

// serve answers requests of one connection until a reply ends it.
func (o *Origin) serve(conn net.Conn, number int) {
	in := bufio.NewReader(conn)
	for {
		head, err := readHead(in)
		if head == "" {
			return
		}
		r := Received{Conn: number, Head: head, Short: err != nil}
		o.mu.Lock()
		reply := Answer(defaultOriginAnswer)
		if special, ok := o.byTarget[r.Target()]; ok {
			reply = special
		} else if len(o.replies) > 0 {
			reply = o.replies[min(o.asked, len(o.replies)-1)]
		}
		o.asked++
		o.mu.Unlock()
		if err == nil && !reply.Early {
			readBody(in, &r)
		}
		o.mu.Lock()
		slot := len(o.received)
		o.received = append(o.received, r)
		o.mu.Unlock()
		o.changed.Broadcast()
		if err != nil {
			return
		}
		for _, a := range reply.Acts {
			if !o.do(conn, in, a, slot) {
				return
			}
		}
	}
}

// do performs one act and reports whether the connection lives on.
func (o *Origin) do(conn net.Conn, in *bufio.Reader, a Act, slot int) bool {
	switch a.kind {
	case actSend:
		_, err := io.WriteString(conn, o.places.fill(o.t, a.text))
		return err == nil
	case actTrickle:
		for _, b := range []byte(o.places.fill(o.t, a.text)) {
			if _, err := conn.Write([]byte{b}); err != nil {
				return false
			}
			time.Sleep(a.pause)
		}
	case actRepeat:
		for range a.count {
			if _, err := io.WriteString(conn, a.text); err != nil {
				return false
			}
		}
	case actPause:
		time.Sleep(a.pause)
	case actHold:
		<-a.until
	case actCall:
		a.call()
	case actCloseWrite:
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	case actReset:
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		return false
	case actClose:
		return false
	case actStall:
		_, _ = io.Copy(io.Discard, in)
		return false
	case actReadBody:
		o.mu.Lock()
		r := o.received[slot]
		o.mu.Unlock()
		readBody(in, &r)
		o.mu.Lock()
		o.received[slot] = r
		o.mu.Unlock()
		o.changed.Broadcast()
	case actReadMore:
		buf := make([]byte, a.count)
		n, err := io.ReadFull(in, buf)
		o.mu.Lock()
		o.more = append(o.more, buf[:n]...)
		o.mu.Unlock()
		o.changed.Broadcast()
		return err == nil
	default:
		o.t.Errorf("act %d is not for origins", a.kind)
		return false
	}
	return true
}

// readHead reads through the empty line; what came before an early end is returned with the error.
func readHead(in *bufio.Reader) (string, error) {
	var head bytes.Buffer
	for {
		line, err := in.ReadString('\n')
		head.WriteString(line)
		if err != nil {
			return head.String(), err
		}
		if line == "\r\n" || line == "\n" {
			return head.String(), nil
		}
	}
}

// readBody reads the body that the head announces into r.
func readBody(in *bufio.Reader, r *Received) {
	if length, err := strconv.Atoi(headerValue(r.Head, "Content-Length")); err == nil {
		r.Body = make([]byte, length)
		n, err := io.ReadFull(in, r.Body)
		r.Body, r.Short = r.Body[:n], err != nil
		return
	}
	if !strings.EqualFold(headerValue(r.Head, "Transfer-Encoding"), "chunked") {
		return
	}
	r.Chunked = true
	for {
		line, err := in.ReadString('\n')
		size, bad := strconv.ParseUint(strings.TrimSpace(line), 16, 31)
		if err != nil || bad != nil {
			r.Short = true
			return
		}
		if size == 0 {
			break
		}
		chunk := make([]byte, size+2)
		n, err := io.ReadFull(in, chunk)
		r.Body = append(r.Body, chunk[:min(n, int(size))]...)
		if err != nil {
			r.Short = true
			return
		}
	}
	trailers, err := readHead(in)
	r.Trailers, r.Short = strings.TrimSuffix(trailers, "\r\n"), err != nil
}
