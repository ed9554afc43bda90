package engine

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAcceptSurvivesLackOfDescriptors runs in a process of its own with few descriptors.
func TestAcceptSurvivesLackOfDescriptors(t *testing.T) {
	const inside = "SEAWALL_TEST_FEW_DESCRIPTORS"
	if os.Getenv(inside) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), inside+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	var rec recorder
	e := newEngine(t, Options{Log: rec.log})
	l := e.Loops()[0]
	var reclaimed atomic.Int32
	a := &script{
		accepted: func(c *Conn, _ *Listener) { c.SetIdle(true) },
		readable: func(c *Conn) { c.SetIdle(false); echo(c); c.SetIdle(true) },
		closed: func(_ *Conn, why error) {
			if why == ErrReclaimed {
				reclaimed.Add(1)
			}
		},
	}
	addr := listen(t, e, a)
	// Room for 40 connections on the server's side; the clients' ends have descriptors that are made before.
	const clients = 100
	fds := make([]int, clients)
	for i := range fds {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		fds[i] = fd
	}
	limit := unix.Rlimit{Cur: uint64(fds[clients-1] + 41), Max: uint64(fds[clients-1] + 41)}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	to := netip.MustParseAddrPort(addr)
	for i, fd := range fds {
		if err := unix.Connect(fd, sockaddrOf(TCPAddr(to))); err != nil {
			t.Fatal(err)
		}
		// Each new client is served, at the cost of the one idle for longest.
		tv := unix.Timeval{Sec: 10}
		_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
		_, _ = unix.Write(fd, []byte("ping"))
		var p [4]byte
		if n, err := unix.Read(fd, p[:]); n != 4 || err != nil {
			t.Fatalf("client %d: %d, %v", i, n, err)
		}
	}
	if n := reclaimed.Load(); n < clients-41 {
		t.Errorf("%d idle connections closed", n)
	}
	if n := rec.count("accept4() failed (24: Too many open files)"); n == 0 || n > 10 {
		t.Errorf("logged %d times", n)
	}
	// The last clients are alive, the first are gone.
	var p [4]byte
	if n, _ := unix.Read(fds[0], p[:]); n != 0 {
		t.Error("the longest idle lives")
	}
	last := fds[clients-1]
	_, _ = unix.Write(last, []byte("ping"))
	if n, _ := unix.Read(last, p[:]); n != 4 {
		t.Error("the newest is gone")
	}
	// Nobody idle: accepting pauses, and goes on when a connection closes.
	onLoop(t, l, func() { e.fds.each(l, func(c *Conn) { c.SetIdle(false) }) })
	var hogs []int
	for {
		fd, err := unix.Dup(last)
		if err != nil {
			break
		}
		hogs = append(hogs, fd)
	}
	// The first clients' ends were closed by the other side; one of them tries again.
	_ = unix.Close(fds[0])
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, sockaddrOf(TCPAddr(to))); err != nil {
		t.Fatal(err)
	}
	pauses := e.Stats().AcceptPauses
	eventually(t, "a pause", func() bool { return e.Stats().AcceptPauses > pauses })
	for _, hog := range hogs {
		_ = unix.Close(hog)
	}
	tv := unix.Timeval{Sec: 10}
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
	_, _ = unix.Write(fd, []byte("ping"))
	if n, err := unix.Read(fd, p[:]); n != 4 {
		t.Errorf("after the pause: %d, %v", n, err)
	}
}
