package engine

import "golang.org/x/sys/unix"

// pollPeerGone asks whether the peer has sent FIN or RST, whatever there is to read before it.
func pollPeerGone(fd int) bool {
	p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(p[:], 0)
	return err == nil && n > 0 && p[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
}
