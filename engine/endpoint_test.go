package engine

import (
	"net/netip"
	"testing"
)

func TestAppendIPWritesWhatNetipDoes(t *testing.T) {
	for _, text := range []string{"0.0.0.0", "1.20.255.100", "127.0.0.1", "9.10.99.200", "::", "::1", "2001:db8::7", "fe80::1%7", "::ffff:10.0.0.1"} {
		ip := netip.MustParseAddr(text)
		e := endpointFromAddrPort(netip.AddrPortFrom(ip, 80))
		if got, want := string(e.appendIP([]byte("x"))), "x"+ip.Unmap().String(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := (&endpoint{}).appendIP(nil); len(got) > 0 {
		t.Errorf("a unix socket: %q", got)
	}
}
