// Command benchecho is the least HTTP server that the engine can carry: it answers whatever ends in an empty line with
// the same 1 KB (or -size) body. It measures the engine's floor per request, nothing else.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"seawall/engine"
)

type server struct {
	answer []byte
	body   []byte
	split  bool
}

// Accepted takes a connection.
func (s *server) Accepted(c *engine.Conn, _ *engine.Listener) {
	c.SetHandler(s)
	c.SetDeadline(c.Loop().Now() + 60e9)
}

// Readable answers every request head that came whole.
func (s *server) Readable(c *engine.Conn) {
	l := c.Loop()
	b := l.GetBuf(4 << 10)
	p := b.B[:cap(b.B)]
	for c.ReadableNow() {
		n, err := c.Read(p)
		if err != nil {
			if err != engine.ErrAgain {
				c.Close()
			}
			break
		}
		c.SetIdle(false)
		for range bytes.Count(p[:n], []byte("\r\n\r\n")) {
			if s.split {
				c.Write(s.answer)
				c.WriteShared(s.body)
			} else {
				c.WriteShared(s.answer)
			}
		}
		if c.Flush() != nil {
			break
		}
		c.SetDeadline(l.Now() + 60e9)
		c.SetIdle(true)
	}
	l.PutBuf(b)
}

// Writable has nothing to do: answers queue without bound here.
func (s *server) Writable(*engine.Conn) {}

// Timeout closes.
func (s *server) Timeout(c *engine.Conn) { c.Close() }

// Closed has nothing to free.
func (s *server) Closed(*engine.Conn, error) {}

func main() {
	addr := flag.String("listen", "127.0.0.1:9999", "address")
	size := flag.Int("size", 1024, "bytes of the body")
	loops := flag.Int("loops", 1, "event loops")
	split := flag.Bool("split", false, "send head and body as two segments")
	flag.Parse()
	runtime.GOMAXPROCS(max(*loops, 1))
	s := &server{split: *split, body: bytes.Repeat([]byte("x"), *size)}
	s.answer = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + strconv.Itoa(*size) + "\r\n\r\n")
	if !*split {
		s.answer = append(s.answer, s.body...)
	}
	e, err := engine.New(engine.Options{Loops: *loops, MaxConns: 100000, Log: func(_ engine.Severity, id uint64, text string) {
		fmt.Fprintf(os.Stderr, "*%d %s\n", id, text)
	}})
	if err == nil {
		err = e.SetListeners([]engine.ListenSpec{{Network: "tcp", Addr: *addr, Acceptor: s}})
	}
	if err == nil {
		err = e.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt, unix.SIGTERM)
	<-interrupt
	e.Stop()
}
