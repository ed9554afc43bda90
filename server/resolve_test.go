package server

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"seawall/engine"
)

// nameServer answers questions for A records as a test says.
type nameServer struct {
	pc      net.PacketConn
	queries atomic.Int32
	answer  func(name string) ([]netip.Addr, bool) // false: silence
}

func newNameServer(t *testing.T, answer func(name string) ([]netip.Addr, bool)) *nameServer {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &nameServer{pc: pc, answer: answer}
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		d.serve()
	}()
	t.Cleanup(func() {
		pc.Close()
		wg.Wait()
	})
	return d
}

func (d *nameServer) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := d.pc.ReadFrom(buf)
		if err != nil {
			return
		}
		name, end := questionOf(buf[:n])
		d.queries.Add(1)
		if addrs, ok := d.answer(name); ok {
			d.pc.WriteTo(dnsReply(buf[:end], addrs), from)
		}
	}
}

// questionOf reads the name of a query's only question and where that ends
// (RFC 1035 section 4.1.2).
func questionOf(q []byte) (name string, end int) {
	at := 12
	for q[at] != 0 {
		n := int(q[at])
		name += string(q[at+1:at+1+n]) + "."
		at += 1 + n
	}
	return strings.TrimSuffix(name, "."), at + 5
}

// dnsReply answers a query, cut after its question: with A records, or, without addresses, that
// there is no such name.
func dnsReply(query []byte, addrs []netip.Addr) []byte {
	m := append([]byte(nil), query...)
	m[2], m[3] = 0x85, 0x80 // response, authoritative, recursion
	if len(addrs) == 0 {
		m[3] |= 3
	}
	binary.BigEndian.PutUint16(m[6:], uint16(len(addrs)))
	clear(m[8:12])
	for _, a := range addrs {
		m = append(m, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4) // the question's name, A, IN, 60 s
		m = append(m, a.AsSlice()...)
	}
	return m
}

// known answers every name ending in ".known.test" with 127.0.0.1; others do not exist.
func known(name string) ([]netip.Addr, bool) {
	if strings.HasSuffix(name, ".known.test") {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, true
	}
	return nil, true
}

// newResolvingWorld proxies to the host that the argument "to" names.
func newResolvingWorld(t *testing.T, d *nameServer, more string) *world {
	return newWorld(t, `
	log_format f '$status $proxy_host $proxy_port $upstream_addr';
	server { listen {{listen}}; access_log access.log f;
		resolver {{dns}} ipv6=off; {{more}}
		location / { proxy_pass http://$arg_to; }
	}`, "dns", d.pc.LocalAddr().String(), "more", more)
}

func TestAddressesNeedNoResolver(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", x.req.Host+x.req.RequestURI) })
	w := newWorld(t, `server { listen {{listen}}; access_log off;
		location / { proxy_pass http://$arg_to; }
		location /to { proxy_pass http://$arg_to/y; }
		location /bad { proxy_pass $arg_to; } }`)
	for range 2 {
		if a := w.get("/to?to=" + o.addr()); a.status != 200 || a.body != o.addr()+"/y" {
			t.Fatalf("%+v", a)
		}
	}
	if n := o.conns.Load(); n != 1 {
		t.Errorf("%d connections: the group was not kept", n)
	}
	if a := w.get("/?to=b.known.test:81"); a.status != 502 {
		t.Errorf("%+v", a)
	}
	if a := w.get("/bad?to=ftp"); a.status != 500 {
		t.Errorf("%+v", a)
	}
	text := w.file("error.log")
	for _, want := range []string{"no resolver defined to resolve b.known.test, client", `invalid URL prefix in "ftp"`} {
		if !strings.Contains(text, want) {
			t.Errorf("not logged: %s", want)
		}
	}
}

func TestNameIsResolvedOnceAndKept(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", x.req.Host) })
	d := newNameServer(t, known)
	w := newResolvingWorld(t, d, "")
	_, port, _ := net.SplitHostPort(o.addr())
	for i := range 20 {
		name := []string{"a.known.test:", "A.Known.test:"}[i%2] + port
		if a := w.get("/?to=" + name); a.status != 200 || a.body != name {
			t.Fatalf("%+v", a)
		}
	}
	if n, conns := d.queries.Load(), o.conns.Load(); n != 1 || conns != 1 {
		t.Errorf("%d queries, %d connections", n, conns)
	}
	want := fmt.Sprintf("200 a.known.test:%s %s %s\n", port, port, o.addr())
	eventually(t, "in the access log: "+want, func() bool { return strings.HasPrefix(w.file("access.log"), want) })
}

func TestNameIsAskedAgainWhenItsTimeIsOver(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", "") })
	var loopback atomic.Bool // 127.0.0.2, where nobody listens, once it is set
	d := newNameServer(t, func(name string) ([]netip.Addr, bool) {
		if loopback.Load() {
			return []netip.Addr{netip.MustParseAddr("127.0.0.2")}, true
		}
		return known(name)
	})
	w := newWorld(t, `server { listen {{listen}}; resolver {{dns}} valid=20ms ipv6=off; location / { proxy_pass http://$arg_to; } }`,
		"dns", d.pc.LocalAddr().String())
	_, port, _ := net.SplitHostPort(o.addr())
	ask := func() int { return w.get("/?to=a.known.test:" + port).status }
	if s := ask(); s != 200 {
		t.Fatal(s)
	}
	eventually(t, "asked again", func() bool { return ask() == 200 && d.queries.Load() > 1 })
	if n := o.conns.Load(); n != 1 {
		t.Errorf("%d connections: the group was not kept though its address was", n)
	}
	loopback.Store(true)
	eventually(t, "the new address", func() bool { return ask() == 502 })
	eventually(t, "the old group's connection is closed", func() bool { return o.openConns() == 0 })
}

func TestUnknownNameIs502(t *testing.T) {
	d := newNameServer(t, known)
	w := newResolvingWorld(t, d, "")
	for range 2 {
		if a := w.get("/?to=nowhere.test"); a.status != 502 {
			t.Fatalf("%+v", a)
		}
	}
	if !strings.Contains(w.file("error.log"), "nowhere.test could not be resolved (3: Host not found), client: ") {
		t.Error("not logged")
	}
	const line = "502 nowhere.test 80 -\n"
	eventually(t, "lines of the access log", func() bool { return w.file("access.log") == line+line })
}

func TestSilentNameServerIs502(t *testing.T) {
	d := newNameServer(t, func(string) ([]netip.Addr, bool) { return nil, false })
	w := newResolvingWorld(t, d, "resolver_timeout 100ms;")
	began := time.Now()
	if a := w.get("/?to=a.known.test"); a.status != 502 {
		t.Fatalf("%+v", a)
	}
	if took := time.Since(began); took < 100*time.Millisecond || took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	if !strings.Contains(w.file("error.log"), "a.known.test could not be resolved (110: Operation timed out)") {
		t.Error("not logged")
	}
}

// heldNameServer answers once open is closed.
func heldNameServer(t *testing.T) (d *nameServer, open func()) {
	gate := make(chan struct{})
	open = sync.OnceFunc(func() { close(gate) })
	d = newNameServer(t, func(name string) ([]netip.Addr, bool) {
		<-gate
		return known(name)
	})
	t.Cleanup(open)
	return d, open
}

func TestLookupsOfOneNameAreCoalesced(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", x.body) })
	d, open := heldNameServer(t)
	w := newResolvingWorld(t, d, "")
	_, port, _ := net.SplitHostPort(o.addr())
	var peers []*peer
	for i := range 50 {
		p := w.dial()
		body := fmt.Sprint("body ", i)
		p.send(fmt.Sprintf("POST /?to=a.known.test:%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", port, len(body), body))
		peers = append(peers, p)
	}
	eventually(t, "all wait", func() bool { return w.waiting() == 50 })
	open()
	for i, p := range peers {
		if a := p.read("POST"); a.status != 200 || a.body != fmt.Sprint("body ", i) {
			t.Fatalf("%d: %+v", i, a)
		}
	}
	if n := d.queries.Load(); n != 1 {
		t.Errorf("%d queries", n)
	}
}

// waiting is the number of requests that wait for names.
func (w *world) waiting() int {
	rs := w.srv.current.Load().resolved
	rs.mu.Lock()
	defer rs.mu.Unlock()
	n := 0
	for _, e := range rs.entries {
		if e.asked != nil {
			n += len(e.asked.waiters)
		}
	}
	return n
}

func TestClientLeavesDuringTheLookup(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", "page") })
	d, open := heldNameServer(t)
	w := newResolvingWorld(t, d, "")
	_, port, _ := net.SplitHostPort(o.addr())
	request := getRequest("/?to=a.known.test:" + port)
	reset, closed := w.dial(), w.dial()
	reset.send(request)
	closed.send(request)
	eventually(t, "both wait", func() bool { return w.waiting() == 2 })
	reset.closeHard()
	closed.Close()
	eventually(t, "both are gone", func() bool { return strings.Count(w.file("access.log"), "499 ") == 2 })
	stays := w.dial()
	stays.send(request) // the struct of one that left
	eventually(t, "the third waits", func() bool { return w.waiting() == 3 })
	open()
	if a := stays.read("GET"); a.body != "page" {
		t.Fatalf("%+v", a)
	}
	w.checkPools()
	if n := o.count.Load(); n != 1 {
		t.Errorf("%d requests reached the backend", n)
	}
}

func TestResolvedTableIsBounded(t *testing.T) {
	d := newNameServer(t, known)
	w := newResolvingWorld(t, d, "")
	rs := w.srv.current.Load().resolved
	w.onLoop(func(s *loopState) {
		for i := range maxResolved + 10 {
			ap := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(i+1))
			rs.address(target{host: ap.String()}, engine.TCPAddr(ap), int64(i))
		}
	})
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if n := len(rs.entries); n != maxResolved {
		t.Errorf("%d entries", n)
	}
	if rs.entries[target{host: "127.0.0.1:1"}] != nil || rs.entries[target{host: "127.0.0.1:11"}] == nil {
		t.Error("not the oldest went")
	}
}

func TestBackgroundUpdateWaitsForNoName(t *testing.T) {
	o := newOrigin(t, func(x *exchangeScript) { x.reply("200 OK", fmt.Sprint(x.n)) })
	d := newNameServer(t, known)
	w := newWorld(t, `proxy_cache_path {{dir}} keys_zone=z:1m;
	server { listen {{listen}}; resolver {{dns}} valid=10ms ipv6=off;
		location / { proxy_pass http://$arg_to; proxy_cache z; proxy_cache_valid 20ms;
			proxy_cache_use_stale updating; proxy_cache_background_update on; } }`,
		"dns", d.pc.LocalAddr().String(), "dir", "cache")
	_, port, _ := net.SplitHostPort(o.addr())
	ask := func() string { return w.get("/?to=a.known.test:" + port).body }
	if ask() != "1" {
		t.Fatal("not the first")
	}
	time.Sleep(50 * time.Millisecond)
	eventually(t, "an update", func() bool { return ask() != "1" })
	w.checkPools()
}

// Names that a silent name server is asked for do not pile up.
func TestQueuedLookupsTimeOut(t *testing.T) {
	d := newNameServer(t, func(string) ([]netip.Addr, bool) { return nil, false })
	w := newResolvingWorld(t, d, "resolver_timeout 200ms;")
	var peers []*peer
	for i := range 3 * maxLookups {
		p := w.dial()
		p.send(getRequest(fmt.Sprintf("/?to=n%d.known.test", i)))
		peers = append(peers, p)
	}
	for _, p := range peers {
		if a := p.read("GET"); a.status != 502 {
			t.Fatalf("%+v", a)
		}
	}
	rs := w.srv.current.Load().resolved
	eventually(t, "nothing is left", func() bool {
		rs.mu.Lock()
		defer rs.mu.Unlock()
		return len(rs.entries) == 0 && rs.running == 0 && len(rs.queue) == 0
	})
}
