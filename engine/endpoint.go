package engine

import (
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// Address families of an endpoint.
const (
	familyUnix = iota
	familyV4
	familyV6
)

// endpoint is a socket address in 24 bytes, where netip.AddrPort takes 32: it stands in every connection.
type endpoint struct {
	ip     [16]byte
	zone   uint32 // scope of a link-local IPv6 address; 0: none
	port   uint16
	family uint8
}

func (e *endpoint) addrPort() netip.AddrPort {
	switch e.family {
	case familyV4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(e.ip[:4])), e.port)
	case familyV6:
		addr := netip.AddrFrom16(e.ip)
		if e.zone != 0 {
			addr = addr.WithZone(strconv.Itoa(int(e.zone)))
		}
		return netip.AddrPortFrom(addr, e.port)
	}
	return netip.AddrPort{}
}

// appendIP appends the address as text, an IPv4 address in IPv6 as IPv4; nothing for unix sockets. Every request asks for
// it, some more than once, hence the short way for IPv4: 20 ns where netip takes 40.
func (e *endpoint) appendIP(dst []byte) []byte {
	if e.family != familyV4 {
		return e.addrPort().Addr().Unmap().AppendTo(dst)
	}
	for i, n := range e.ip[:4] {
		if i > 0 {
			dst = append(dst, '.')
		}
		switch {
		case n >= 100:
			dst = append(dst, '0'+n/100, '0'+n/10%10, '0'+n%10)
		case n >= 10:
			dst = append(dst, '0'+n/10, '0'+n%10)
		default:
			dst = append(dst, '0'+n)
		}
	}
	return dst
}

func endpointFromAddrPort(ap netip.AddrPort) endpoint {
	addr := ap.Addr()
	e := endpoint{port: ap.Port()}
	switch {
	case addr.Is4():
		ip := addr.As4()
		copy(e.ip[:], ip[:])
		e.family = familyV4
	case addr.Is6():
		e.ip, e.family, e.zone = addr.As16(), familyV6, zoneNumber(addr.Zone())
	}
	return e
}

// zoneNumber gives the scope id of an IPv6 zone, which is a number or an interface's name; 0 for none.
func zoneNumber(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if itf, err := net.InterfaceByName(zone); err == nil {
		return uint32(itf.Index)
	}
	return 0
}

// sockaddrOf converts for calls that are not on a hot path.
func sockaddrOf(a Addr) unix.Sockaddr {
	if a.path != "" {
		return &unix.SockaddrUnix{Name: a.path}
	}
	addr, port := a.ap.Addr(), int(a.ap.Port())
	if addr.Is4() {
		return &unix.SockaddrInet4{Addr: addr.As4(), Port: port}
	}
	return &unix.SockaddrInet6{Addr: addr.As16(), Port: port, ZoneId: zoneNumber(addr.Zone())}
}

func familyOf(a Addr) int {
	switch {
	case a.path != "":
		return unix.AF_UNIX
	case a.ap.Addr().Is4():
		return unix.AF_INET
	}
	return unix.AF_INET6
}
