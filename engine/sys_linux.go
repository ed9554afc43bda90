package engine

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func errnoOf(err error) unix.Errno {
	no, _ := err.(unix.Errno)
	return no
}

// sysAccept takes a connection from a listening socket, non-blocking and close-on-exec. Options such as TCP_NODELAY are
// inherited from the listening socket.
func (l *Loop) sysAccept(fd int) (int, endpoint, unix.Errno) {
	size := uint32(unix.SizeofSockaddrAny)
	n, _, no := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&l.sockaddr)),
		uintptr(unsafe.Pointer(&size)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	if no != 0 {
		return -1, endpoint{}, no
	}
	return int(n), endpointOf(&l.sockaddr), 0
}

// sysConnect begins a connection; EINPROGRESS is the usual answer.
func (l *Loop) sysConnect(fd int, to Addr) unix.Errno {
	size, no := fillSockaddr(&l.sockaddr, to)
	if no != 0 {
		return no
	}
	_, _, no = syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&l.sockaddr)), uintptr(size))
	return no
}

// sysName asks for the local (getsockname) or the peer's (getpeername) address of a socket.
func (l *Loop) sysName(fd int, peer bool) (endpoint, unix.Errno) {
	call := uintptr(unix.SYS_GETSOCKNAME)
	if peer {
		call = unix.SYS_GETPEERNAME
	}
	size := uint32(unix.SizeofSockaddrAny)
	_, _, no := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&l.sockaddr)), uintptr(unsafe.Pointer(&size)))
	if no != 0 {
		return endpoint{}, no
	}
	return endpointOf(&l.sockaddr), 0
}

// sysSocket makes a stream socket, non-blocking and close-on-exec.
func sysSocket(family int) (int, error) {
	return unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
}

// sysClose closes a socket. Raw, as the calls in io_linux.go: without SO_LINGER, or with a linger time of 0, it does not wait.
func sysClose(fd int) { _, _, _ = syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// endpointOf reads an address as the kernel wrote it.
func endpointOf(sa *unix.RawSockaddrAny) endpoint {
	switch sa.Addr.Family {
	case unix.AF_INET:
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		e := endpoint{family: familyV4, port: swapPort(in.Port)}
		copy(e.ip[:], in.Addr[:])
		return e
	case unix.AF_INET6:
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa))
		return endpoint{family: familyV6, port: swapPort(in.Port), ip: in.Addr, zone: in.Scope_id}
	}
	return endpoint{family: familyUnix}
}

// fillSockaddr writes an address as the kernel reads it and gives its length.
func fillSockaddr(sa *unix.RawSockaddrAny, to Addr) (int, unix.Errno) {
	if to.path != "" {
		un := (*unix.RawSockaddrUnix)(unsafe.Pointer(sa))
		if len(to.path) >= len(un.Path) {
			return 0, unix.EINVAL
		}
		*un = unix.RawSockaddrUnix{Family: unix.AF_UNIX}
		for i := range len(to.path) {
			un.Path[i] = int8(to.path[i])
		}
		size := 2 + len(to.path) + 1
		if to.path[0] == '@' || to.path[0] == 0 { // abstract: no NUL at the end
			un.Path[0] = 0
			size--
		}
		return size, 0
	}
	addr := to.ap.Addr()
	if addr.Is4() {
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		*in = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: swapPort(to.ap.Port()), Addr: addr.As4()}
		return unix.SizeofSockaddrInet4, 0
	}
	in := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa))
	*in = unix.RawSockaddrInet6{
		Family: unix.AF_INET6, Port: swapPort(to.ap.Port()), Addr: addr.As16(), Scope_id: zoneNumber(addr.Zone()),
	}
	return unix.SizeofSockaddrInet6, 0
}

// swapPort converts between host and network byte order.
func swapPort(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}
