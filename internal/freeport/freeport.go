// Package freeport finds ports for servers under test.
//
// The usual way, listening on port 0 and closing again, hands out a port of the range that the kernel gives to outgoing
// connections and to everybody else who listens on port 0: on a busy machine another test has it before the server does.
// Ports given here lie below that range, and no two test processes on the machine are given the same one.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"sync"
	"testing"
)

// Below the ranges of outgoing connections: Linux begins at 32768, the BSDs at 49152.
const first, last = 20_000, 32_000

// kept holds, for each port that this process was given, what keeps other processes from it; all of it ends with the process.
var kept = struct {
	sync.Mutex
	ports map[int]net.Listener // nil where the system has no names for that
}{ports: map[int]net.Listener{}}

// TCP returns a port of 127.0.0.1 that nobody listens on. It is the caller's until the process ends.
func TCP(t testing.TB) int {
	t.Helper()
	kept.Lock()
	defer kept.Unlock()
	for range last - first {
		port := first + rand.IntN(last-first)
		if _, taken := kept.ports[port]; taken {
			continue
		}
		claim, ok := claimPort(port)
		if !ok {
			continue
		}
		ln, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			if claim != nil {
				_ = claim.Close()
			}
			continue
		}
		_ = ln.Close()
		kept.ports[port] = claim
		return port
	}
	t.Fatal("no free loopback port")
	return 0
}

// Address is TCP with the address before the port.
func Address(t testing.TB) string {
	t.Helper()
	return "127.0.0.1:" + strconv.Itoa(TCP(t))
}

// claimPort takes a name of Linux's abstract namespace, which is free again when the process ends, however it ends.
func claimPort(port int) (claim net.Listener, ok bool) {
	if runtime.GOOS != "linux" {
		return nil, true
	}
	claim, err := net.Listen("unix", fmt.Sprintf("@seawall-test-port-%d", port))
	return claim, err == nil
}
