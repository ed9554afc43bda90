//go:build linux

package peer

import (
	"fmt"
	"net/http"
	"net/netip"

	"seawall/bench/internal/lab"
)

// Origin is the backend that servers under measurement ask: the floor's ready answers, on the load cores.
type Origin struct {
	Process *lab.Process
	Address netip.AddrPort

	client http.Client // keeps one connection, so that counting adds none
}

// StartOrigin starts the backend and returns when it answers.
func StartOrigin(l *lab.Lab) (*Origin, error) {
	at, err := l.FreePort()
	if err != nil {
		return nil, err
	}
	program, err := find(l, "answer.c")
	if err != nil {
		return nil, err
	}
	p, err := l.Start(lab.Spawn{Cores: l.LoadCores, Argv: []string{program, fmt.Sprint(at.Port())}})
	if err != nil {
		return nil, err
	}
	o := &Origin{Process: p, Address: at, client: http.Client{Timeout: answerLimit, Transport: &http.Transport{MaxConnsPerHost: 1}}}
	probe := Running{Process: p, Address: at}
	if err := probe.waitFor(startLimit, func(status int, _ string) bool { return status == http.StatusOK }, "/return"); err != nil {
		p.Stop()
		return nil, fmt.Errorf("the origin does not answer: %w\n%s", err, p.LogTail())
	}
	if _, _, err := o.Counts(); err != nil { // opens its connection
		p.Stop()
		return nil, err
	}
	return o, nil
}

// Counts are the requests and connections that reached the origin since its start, those for the counts left out but for
// the connection that the first one opened.
func (o *Origin) Counts() (requests, accepts int, err error) {
	status, body, err := get(&o.client, "http://"+o.Address.String()+"/count")
	if err != nil {
		return 0, 0, fmt.Errorf("the origin's counts: %w\n%s", err, o.Process.LogTail())
	}
	if _, err := fmt.Sscan(body, &requests, &accepts); err != nil || status != http.StatusOK {
		return 0, 0, fmt.Errorf("the origin's counts: status %d, %q", status, body)
	}
	return requests, accepts, nil
}

// Stop ends the origin.
func (o *Origin) Stop() {
	o.client.CloseIdleConnections()
	o.Process.Stop()
}
