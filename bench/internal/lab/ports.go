//go:build linux

package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
)

// The ports that servers get, where the kernel's own range does not reach into them.
const firstPort, lastPort = 10_000, 32_000

// FreePort returns an address of the loopback interface that nobody listens on. It hands out none twice, and none of the
// range that the kernel gives to outgoing connections, so that no load generator can take it before the server does.
func (l *Lab) FreePort() (netip.AddrPort, error) {
	low, high := ephemeralPorts()
	l.mu.Lock()
	defer l.mu.Unlock()
	for range 1000 {
		port := uint16(firstPort + rand.IntN(lastPort-firstPort))
		if l.ports[port] || low <= port && port <= high {
			continue
		}
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
		listener, err := net.Listen("tcp4", at.String())
		if err != nil {
			continue
		}
		l.ports[port] = true
		return at, listener.Close()
	}
	return netip.AddrPort{}, errors.New("no free port was found between 10000 and 32000, net.ipv4.ip_local_port_range left out")
}

// ephemeralPorts is the range of outgoing connections; Linux's default when it cannot be read.
func ephemeralPorts() (low, high uint16) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		_, err = fmt.Sscan(string(text), &low, &high)
	}
	if err != nil {
		return 32768, 60999
	}
	return low, high
}
