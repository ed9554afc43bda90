package freeport

import (
	"net"
	"strconv"
	"testing"
)

func TestPortsAreFreeAndGivenOnce(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		port := TCP(t)
		if seen[port] {
			t.Fatalf("%d was given twice", port)
		}
		seen[port] = true
		ln, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			t.Fatal(err)
		}
		_ = ln.Close()
		if claim, ok := claimPort(port); ok && claim != nil {
			t.Errorf("another process could be given %d too", port)
		}
	}
}
