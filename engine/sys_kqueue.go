//go:build darwin || freebsd

package engine

import (
	"errors"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

func errnoOf(err error) unix.Errno {
	var no unix.Errno
	if err != nil && !errors.As(err, &no) {
		return unix.EIO
	}
	return no
}

func sysRead(fd int, p []byte) (int, unix.Errno) {
	n, err := unix.Read(fd, p)
	return n, errnoOf(err)
}

func sysWrite(fd int, p []byte, _ bool) (int, unix.Errno) {
	n, err := unix.Write(fd, p)
	return n, errnoOf(err)
}

func sysClose(fd int) { _ = unix.Close(fd) }

// sysAccept takes a connection from a listening socket, non-blocking and close-on-exec, with TCP_NODELAY.
func (l *Loop) sysAccept(fd int) (int, endpoint, unix.Errno) {
	syscall.ForkLock.RLock()
	conn, sa, err := unix.Accept(fd)
	if err == nil {
		unix.CloseOnExec(conn)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, endpoint{}, errnoOf(err)
	}
	peer := endpointFrom(sa)
	err = unix.SetNonblock(conn, true)
	if err == nil && peer.family != familyUnix {
		err = unix.SetsockoptInt(conn, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err != nil {
		_ = unix.Close(conn)
		return -1, endpoint{}, unix.ECONNABORTED // reset meanwhile: the next one, please
	}
	return conn, peer, 0
}

// sysConnect begins a connection; EINPROGRESS is the usual answer.
func (l *Loop) sysConnect(fd int, to Addr) unix.Errno {
	return errnoOf(unix.Connect(fd, sockaddrOf(to)))
}

// sysName asks for the local (getsockname) or the peer's (getpeername) address of a socket.
func (l *Loop) sysName(fd int, peer bool) (endpoint, unix.Errno) {
	ask := unix.Getsockname
	if peer {
		ask = unix.Getpeername
	}
	sa, err := ask(fd)
	if err != nil {
		return endpoint{}, errnoOf(err)
	}
	return endpointFrom(sa), 0
}

// sysSocket makes a stream socket, non-blocking and close-on-exec.
func sysSocket(family int) (int, error) {
	syscall.ForkLock.RLock()
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func endpointFrom(sa unix.Sockaddr) endpoint {
	switch in := sa.(type) {
	case *unix.SockaddrInet4:
		return endpointFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port)))
	case *unix.SockaddrInet6:
		e := endpointFromAddrPort(netip.AddrPortFrom(netip.AddrFrom16(in.Addr), uint16(in.Port)))
		e.zone = in.ZoneId
		return e
	}
	return endpoint{family: familyUnix}
}
