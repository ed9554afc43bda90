package engine

import (
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkRound is one request of 700 bytes and its answer of 1.2 KB over a socket pair, the peer's two calls included.
func BenchmarkRound(b *testing.B) {
	_, l := still(b)
	answer := bytesOf('b', 1200)
	c, peer := pair(b, l, &script{readable: func(c *Conn) {
		buf := l.GetBuf(4096)
		if _, err := c.Read(buf.B[:4096]); err == nil {
			c.SetIdle(false)
			c.WriteShared(answer)
			_ = c.Flush()
			c.SetDeadline(l.Now() + 60e9)
			c.SetIdle(true)
		}
		l.PutBuf(buf)
	}})
	msg, got := bytesOf('m', 700), make([]byte, 2048)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = unix.Write(peer, msg)
		poke(l, int(c.fd))
		_, _ = unix.Read(peer, got)
	}
}

// BenchmarkEventAlone is what the engine adds to an event whose handler does nothing.
func BenchmarkEventAlone(b *testing.B) {
	_, l := still(b)
	c, _ := pair(b, l, &script{})
	for b.Loop() {
		poke(l, int(c.fd))
	}
}

// BenchmarkLargeWrite is 100 KB from memory, shared, to a peer that takes all.
func BenchmarkLargeWrite(b *testing.B) {
	_, l := still(b)
	c, peer := pair(b, l, &script{})
	_ = unix.SetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 1<<20)
	answer, got := bytesOf('b', 100<<10), make([]byte, 1<<20)
	b.SetBytes(int64(len(answer)))
	for b.Loop() {
		c.WriteShared(answer)
		_ = c.Flush()
		for c.Pending() > 0 {
			_, _ = unix.Read(peer, got)
			c.state |= writable
			_ = c.Flush()
		}
		_, _ = unix.Read(peer, got)
	}
}

func BenchmarkDeadline(b *testing.B) {
	_, l := still(b)
	c, _ := pair(b, l, &script{})
	at := l.Now() + 60e9
	for b.Loop() {
		at++
		c.SetDeadline(at)
	}
}
