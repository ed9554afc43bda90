package engine

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const defaultBacklog = 511 // nginx's NGX_LISTEN_BACKLOG

// ListenError is a system call that failed for a listener; Error words it as nginx does.
type ListenError struct {
	Call string // "bind()"
	Addr string // "0.0.0.0:80", "unix:/path"
	Err  error  // the errno
}

// Error gives "bind() to 0.0.0.0:80 failed (98: Address already in use)".
func (e *ListenError) Error() string {
	to := " to "
	if e.Call != "bind()" && e.Call != "listen()" {
		to = " "
	}
	return e.Call + to + e.Addr + " failed (" + ErrnoText(e.Err) + ")"
}

// Unwrap gives the errno.
func (e *ListenError) Unwrap() error { return e.Err }

// openListener opens a spec's sockets: one for each loop where the kernel spreads connections over them (SO_REUSEPORT on
// Linux), else one for all. ours: another listener of ours has the port.
func openListener(spec *ListenSpec, loops int, ours bool) (*Listener, error) {
	if spec.Acceptor == nil {
		return nil, errors.New("engine: listener " + spec.Addr + " has no acceptor")
	}
	ln := &Listener{network: spec.Network, text: spec.Addr}
	to, err := listenAddr(spec)
	if err != nil {
		return nil, err
	}
	sockets := loops
	if !socketPerLoop || to.IsUnix() {
		sockets = 1
	}
	share := spec.ReusePort || sockets > 1
	if share && !spec.ReusePort && !ours && to.ap.Port() != 0 {
		// SO_REUSEPORT would let us join another process of the same user on its port, silently. A bind without it tells
		// whether anybody is there. Not possible when we are there ourselves.
		fd, err := bindSocket(spec, to, false)
		if err != nil {
			return nil, err
		}
		_ = unix.Close(fd)
	}
	for range sockets {
		fd, err := bindSocket(spec, to, share)
		if err == nil {
			ln.fds = append(ln.fds, fd)
			err = listenOn(fd, spec, to)
		}
		if err == nil && !to.IsUnix() && to.ap.Port() == 0 {
			to, err = boundAddr(fd, to)
		}
		if err != nil {
			ln.close()
			return nil, err
		}
	}
	ln.addr, ln.path = to.ap, to.path
	ln.use(spec)
	return ln, nil
}

func listenAddr(spec *ListenSpec) (Addr, error) {
	if spec.Network == "unix" {
		if spec.Addr == "" {
			return Addr{}, errors.New("engine: listener without a path")
		}
		return UnixAddr(spec.Addr), nil
	}
	ap, err := netip.ParseAddrPort(spec.Addr)
	if err != nil {
		return Addr{}, fmt.Errorf("engine: listener: %w", err)
	}
	want6 := ap.Addr().Is6()
	if spec.Network != "tcp" && spec.Network != "tcp4" && spec.Network != "tcp6" ||
		spec.Network == "tcp4" && want6 || spec.Network == "tcp6" && !want6 {
		return Addr{}, errors.New("engine: listener: address " + spec.Addr + " is not of network " + strconv.Quote(spec.Network))
	}
	return TCPAddr(ap), nil
}

func bindSocket(spec *ListenSpec, to Addr, share bool) (int, error) {
	fail := func(call string, err error) (int, error) { return -1, &ListenError{call, to.String(), err} }
	fd, err := sysSocket(familyOf(to))
	if err != nil {
		return fail("socket()", err)
	}
	call := "setsockopt(SO_REUSEADDR)"
	if !to.IsUnix() {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		if err == nil && share {
			call = "setsockopt(SO_REUSEPORT)"
			err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}
		if err == nil && to.ap.Addr().Is6() {
			call = "setsockopt(IPV6_V6ONLY)"
			only := 0
			if spec.IPv6Only {
				only = 1
			}
			err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
		}
	}
	if err == nil {
		call, err = "bind()", unix.Bind(fd, sockaddrOf(to))
	}
	if err == nil && onDisk(to) {
		call, err = "chmod()", os.Chmod(to.path, 0o666) // as nginx
	}
	if err != nil {
		_ = unix.Close(fd)
		return fail(call, err)
	}
	return fd, nil
}

// onDisk says whether the address is a unix socket's that has a file.
func onDisk(a Addr) bool { return a.path != "" && a.path[0] != '@' && a.path[0] != 0 }

// listenOn sets what belongs to a bound socket and (again, on a reload) its backlog. Options that fail are no reason not
// to serve, except for listen(2) itself.
func listenOn(fd int, spec *ListenSpec, to Addr) error {
	if spec.RcvBuf > 0 {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, spec.RcvBuf)
	}
	if spec.SndBuf > 0 {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, spec.SndBuf)
	}
	if !to.IsUnix() {
		// Inherited by accepted sockets on Linux, which saves a call for each.
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			return &ListenError{"setsockopt(TCP_NODELAY)", to.String(), err}
		}
		listenOptions(fd, spec)
	}
	backlog := spec.Backlog
	if backlog <= 0 {
		backlog = defaultBacklog
	}
	if err := unix.Listen(fd, backlog); err != nil {
		return &ListenError{"listen()", to.String() + ", backlog " + strconv.Itoa(backlog), err}
	}
	return nil
}

func setKeepAlive(fd int, k KeepAlive) {
	switch k.Mode {
	case KeepAliveOff:
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0)
	case KeepAliveOn:
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		if s := int(k.Idle.Seconds()); s > 0 {
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, tcpKeepIdle, s)
		}
		if s := int(k.Interval.Seconds()); s > 0 {
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, s)
		}
		if k.Count > 0 {
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, k.Count)
		}
	}
}

// boundAddr fills in the port that the kernel chose.
func boundAddr(fd int, to Addr) (Addr, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return Addr{}, &ListenError{"getsockname()", to.String(), err}
	}
	port := 0
	switch in := sa.(type) {
	case *unix.SockaddrInet4:
		port = in.Port
	case *unix.SockaddrInet6:
		port = in.Port
	}
	return TCPAddr(netip.AddrPortFrom(to.ap.Addr(), uint16(port))), nil
}

// use takes what a spec says for a socket that is open already.
func (ln *Listener) use(spec *ListenSpec) {
	ln.current.Store(&listenerUse{spec.Acceptor, spec.Token})
}

// close closes the sockets and removes a unix socket's file.
func (ln *Listener) close() {
	for _, fd := range ln.fds {
		_ = unix.Close(fd)
	}
	ln.fds = nil
	if a := UnixAddr(ln.path); onDisk(a) {
		_ = os.Remove(ln.path)
	}
}
