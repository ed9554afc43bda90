//go:build poll_opt

// Built with the tag poll_opt, netpoll keeps a pointer in the kernel's event, which stands unaligned in it on amd64: with
// -race add -gcflags=all=-d=checkptr=0. It was no faster than the default (medians of five runs with wrk: 8.9 against 8.4 us
// per request, noise 0.5), which is why it is not the default.

package engine

import "github.com/panjf2000/gnet/v2/pkg/netpoll"

const attachmentPage = 256

// attachments holds what the poller wants to register a descriptor with: here the kernel keeps a pointer to it and the
// poller calls through that pointer. It stays valid for the loop's life, one per descriptor number and never shared with
// another loop: an event may be delivered after its descriptor was closed, even after another loop got the same number.
// Owner: the loop.
type attachments struct {
	pages []*[attachmentPage]netpoll.PollAttachment
	serve netpoll.PollEventHandler
}

func (l *Loop) attachment(fd int) *netpoll.PollAttachment {
	a := &l.attachments
	if a.serve == nil {
		a.serve = l.onEvent
	}
	for fd/attachmentPage >= len(a.pages) {
		a.pages = append(a.pages, nil)
	}
	page := a.pages[fd/attachmentPage]
	if page == nil {
		page = new([attachmentPage]netpoll.PollAttachment)
		a.pages[fd/attachmentPage] = page
	}
	pa := &page[fd%attachmentPage]
	pa.FD, pa.Callback = fd, a.serve
	return pa
}

// poll serves events until the loop stops.
func (l *Loop) poll() error { return l.poller.Polling() }
