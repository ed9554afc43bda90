//go:build linux

package server

import (
	"strconv"
	"strings"
	"testing"
)

func TestTCPInfoVariables(t *testing.T) {
	w := newWorld(t, `server { listen {{listen}};
location / { return 200 "$tcpinfo_rtt $tcpinfo_rttvar $tcpinfo_snd_cwnd $tcpinfo_rcv_space"; } }`)
	fields := strings.Fields(w.get("/").body)
	if len(fields) != 4 {
		t.Fatalf("four numbers expected: %q", fields)
	}
	for i, f := range fields {
		if n, err := strconv.ParseUint(f, 10, 32); err != nil || n == 0 {
			t.Errorf("figure %d: %q", i, f)
		}
	}
}
