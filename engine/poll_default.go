//go:build !poll_opt

package engine

import "github.com/panjf2000/gnet/v2/pkg/netpoll"

// attachments holds what the poller wants to register a descriptor with: here nothing but the number, so that one
// scratch value does. Owner: the loop.
type attachments struct {
	scratch netpoll.PollAttachment
}

func (l *Loop) attachment(fd int) *netpoll.PollAttachment {
	l.attachments.scratch.FD = fd
	return &l.attachments.scratch
}

// poll serves events until the loop stops.
func (l *Loop) poll() error { return l.poller.Polling(l.onEvent) }
