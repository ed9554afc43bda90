package engine

import (
	"bytes"
	"io"
	"testing"
	"time"
)

// TestFinishIsNotCutOffByUnreadInput: a client that goes on sending while the answer is on its way would get a reset, and
// lose the answer, if the socket were just closed.
func TestFinishIsNotCutOffByUnreadInput(t *testing.T) {
	e := newEngine(t, Options{})
	answer := bytes.Repeat([]byte("413 "), 1<<18) // 1 MB
	why := make(chan error, 1)
	addr := listen(t, e, &script{
		readable: func(c *Conn) {
			_, _ = c.Read(make([]byte, 10))
			c.WriteShared(answer)
			c.Finish(10*time.Second, 5*time.Second)
		},
		closed: func(_ *Conn, err error) { why <- err },
	})
	c := dialTCP(t, addr)
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, 8<<20)) // more than the buffers take: reading must go on at the other side
		_ = c.CloseWrite()
		sent <- err
	}()
	time.Sleep(20 * time.Millisecond) // the client is slow to read: what was reset would be gone by now
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, answer) {
		t.Errorf("got %d of %d bytes, %v", len(got), len(answer), err)
	}
	if err := wait(t, sent, "sending"); err != nil {
		t.Errorf("sending: %v", err)
	}
	if err := wait(t, why, "Closed"); err != nil {
		t.Errorf("closed: %v", err)
	}
}

func TestFinishEndsByEachTime(t *testing.T) {
	e := newEngine(t, Options{})
	closed := make(chan time.Time, 1)
	addr := listen(t, e, &script{
		accepted: func(c *Conn, _ *Listener) {
			c.Write([]byte("bye"))
			c.Finish(10*time.Second, 100*time.Millisecond)
		},
		closed: func(*Conn, error) { closed <- time.Now() },
	})
	start := time.Now()
	c := dialTCP(t, addr)
	if got, err := io.ReadAll(c); string(got) != "bye" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if d := wait(t, closed, "Closed").Sub(start); d < 100*time.Millisecond || d > 3*time.Second {
		t.Errorf("lingered %v", d)
	}
}

func TestFinishEndsByTotalTime(t *testing.T) {
	e := newEngine(t, Options{})
	closed := make(chan time.Time, 1)
	addr := listen(t, e, &script{
		accepted: func(c *Conn, _ *Listener) { c.Finish(300*time.Millisecond, 200*time.Millisecond) },
		closed:   func(*Conn, error) { closed <- time.Now() },
	})
	start := time.Now()
	c := dialTCP(t, addr)
	stop := make(chan struct{})
	defer close(stop)
	go func() { // never silent for lingerEach
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				_, _ = c.Write([]byte("more "))
			}
		}
	}()
	if d := wait(t, closed, "Closed").Sub(start); d < 300*time.Millisecond || d > 3*time.Second {
		t.Errorf("lingered %v", d)
	}
}

// TestFinishWithPendingOutputTellsTheHandler: the send deadline stays the handler's affair until all is sent.
func TestFinishWithPendingOutputTellsTheHandler(t *testing.T) {
	e := newEngine(t, Options{})
	timeouts := make(chan int, 1)
	addr := listen(t, e, &script{
		accepted: func(c *Conn, _ *Listener) {
			for range 30 {
				c.WriteShared(make([]byte, 1<<20))
			}
			c.SetDeadline(c.Loop().Now() + int64(50*time.Millisecond))
			c.Finish(time.Second, time.Second)
		},
		timeout: func(c *Conn) { timeouts <- c.Pending(); c.Reset() },
	})
	c := dialTCP(t, addr)
	if left := wait(t, timeouts, "Timeout"); left == 0 {
		t.Error("nothing pending")
	}
	if _, err := io.Copy(io.Discard, c); err == nil {
		t.Error("the client took it for whole")
	}
}

func TestCloseWriteAfterPendingOutput(t *testing.T) {
	e := newEngine(t, Options{})
	total := 20 << 20
	got := make(chan string, 1)
	var in bytes.Buffer
	addr := listen(t, e, &script{
		accepted: func(c *Conn, _ *Listener) {
			c.WriteShared(make([]byte, total))
			c.CloseWrite()
			c.Write([]byte("not any more"))
		},
		readable: func(c *Conn) {
			if err := readAll(c, &in); err == io.EOF {
				got <- in.String()
				c.Close()
			}
		},
	})
	c := dialTCP(t, addr)
	if n, err := io.Copy(io.Discard, c); n != int64(total) || err != nil {
		t.Errorf("got %d bytes, %v", n, err)
	}
	_, _ = c.Write([]byte("still heard"))
	_ = c.CloseWrite()
	if s := wait(t, got, "the other direction"); s != "still heard" {
		t.Errorf("got %q", s)
	}
}

// TestFlushWhileFinishing: a handler that flushes in Writable out of habit does not take the end away.
func TestFlushWhileFinishing(t *testing.T) {
	e := newEngine(t, Options{})
	const total = 20 << 20
	closed := make(chan error, 1)
	addr := listen(t, e, &script{
		accepted: func(c *Conn, _ *Listener) {
			c.WriteShared(make([]byte, total))
			c.Finish(time.Second, time.Second)
		},
		writable: func(c *Conn) {
			c.Write([]byte("too late"))
			if err := c.Flush(); err != nil {
				t.Error(err)
			}
		},
		closed: func(_ *Conn, why error) { closed <- why },
	})
	c := dialTCP(t, addr)
	if n, err := io.Copy(io.Discard, c); n != total || err != nil {
		t.Errorf("got %d bytes, %v", n, err)
	}
	_ = c.Close()
	if why := wait(t, closed, "Closed"); why != nil {
		t.Errorf("closed: %v", why)
	}
}
