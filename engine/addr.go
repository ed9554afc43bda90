package engine

import (
	"errors"
	"net/netip"
	"strings"
)

// Addr is where to dial: an IP address with port, or a unix socket's path. Parsed once, immutable, comparable.
type Addr struct {
	ap   netip.AddrPort
	path string
}

// ParseAddr reads "127.0.0.1:8000", "[::1]:8000" or "unix:/path". Names are not resolved.
func ParseAddr(s string) (Addr, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		if path == "" {
			return Addr{}, errors.New("engine: empty path in " + s)
		}
		return UnixAddr(path), nil
	}
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return Addr{}, err
	}
	return TCPAddr(ap), nil
}

// TCPAddr is the address of a TCP peer.
func TCPAddr(ap netip.AddrPort) Addr { return Addr{ap: ap} }

// UnixAddr is the address of a unix stream socket. On Linux a leading NUL or '@' means the abstract name space.
func UnixAddr(path string) Addr { return Addr{path: path} }

// IsUnix says whether the address is a unix socket's.
func (a Addr) IsUnix() bool { return a.path != "" }

// IsValid is false for the zero Addr.
func (a Addr) IsValid() bool { return a.path != "" || a.ap.IsValid() }

// AddrPort is the IP address and port; the zero value for a unix socket.
func (a Addr) AddrPort() netip.AddrPort { return a.ap }

// Path is the unix socket's path; "" otherwise.
func (a Addr) Path() string { return a.path }

// String gives nginx's notation: "127.0.0.1:8000", "[::1]:8000", "unix:/path".
func (a Addr) String() string {
	if a.path != "" {
		return "unix:" + a.path
	}
	return a.ap.String()
}
