//go:build darwin || freebsd

package engine

import (
	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"golang.org/x/sys/unix"
)

// readinessOf translates a kqueue event: read and write come separately, EV_EOF on the read filter means that a read will
// come to the end of the stream after what is buffered, on the write filter that the peer is gone altogether.
func readinessOf(filter netpoll.IOEvent, flags netpoll.IOFlags) readiness {
	gone := flags&(unix.EV_EOF|unix.EV_ERROR) != 0
	switch filter {
	case unix.EVFILT_READ:
		if gone {
			return canRead | peerGone
		}
		return canRead
	case unix.EVFILT_WRITE:
		if gone {
			return canRead | canWrite | peerGone
		}
		return canWrite
	}
	return 0
}
