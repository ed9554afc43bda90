//go:build linux

package engine

import (
	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"golang.org/x/sys/unix"
)

// readinessOf translates an epoll event. An error or hang-up makes both directions worth a system call, which then tells
// what happened; EPOLLRDHUP says that a read will come to the end of the stream (or to an error) after what is buffered.
func readinessOf(ev netpoll.IOEvent, _ netpoll.IOFlags) readiness {
	var r readiness
	if ev&(unix.EPOLLIN|unix.EPOLLPRI) != 0 {
		r = canRead
	}
	if ev&unix.EPOLLOUT != 0 {
		r |= canWrite
	}
	if ev&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		r |= canRead | peerGone
		if ev&(unix.EPOLLHUP|unix.EPOLLERR) != 0 {
			r |= canWrite
		}
	}
	return r
}
