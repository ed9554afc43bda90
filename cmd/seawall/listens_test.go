package main

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"seawall/conf"
)

func listening(listens ...conf.Listen) *conf.Config {
	return &conf.Config{HTTP: &conf.HTTP{Servers: []*conf.Server{{Listens: listens}}}}
}

func tcpListen(addr string) conf.Listen {
	return conf.Listen{Network: "tcp4", Addr: addr, AddrPort: netip.MustParseAddrPort(addr)}
}

func TestProbeFindsATakenAddress(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := tcpListen(ln.Addr().String())
	errs := probeListens(listening(taken, taken), nil)
	if want := "bind() to " + taken.Addr + " failed (98: Address already in use)"; len(errs) != 1 || !sameButErrno(errs[0].Error(), want) {
		t.Errorf("got %v, want %s", errs, want)
	}
	if !addressTaken(errs) {
		t.Error("not recognised as taken")
	}
	if errs := probeListens(listening(taken), listening(taken)); len(errs) > 0 {
		t.Errorf("an address that we hold ourselves: %v", errs)
	}
	shared := taken
	shared.ReusePort = true
	if errs := probeListens(listening(shared), nil); len(errs) > 0 {
		t.Errorf("reuseport: %v", errs)
	}
	ln.Close()
	if errs := probeListens(listening(taken), nil); len(errs) > 0 {
		t.Errorf("after it was given up: %v", errs)
	}
}

func TestProbeTellsAnAddressThatIsNotOurs(t *testing.T) {
	errs := probeListens(listening(tcpListen("192.0.2.1:8080")), nil)
	if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "bind() to 192.0.2.1:8080 failed (") || addressTaken(errs) {
		t.Errorf("got %v", errs)
	}
}

// sameButErrno compares two messages without their error numbers, which differ between systems.
func sameButErrno(a, b string) bool {
	cut := func(s string) string {
		head, rest, _ := strings.Cut(s, "(")
		_, text, _ := strings.Cut(rest, ":")
		return head + text
	}
	return cut(a) == cut(b)
}
