//go:build darwin || freebsd

package engine

import "golang.org/x/sys/unix"

// pollPeerGone asks whether the peer has sent FIN or RST. poll(2) has no POLLRDHUP here: a FIN behind unread input shows
// only when the input is read.
func pollPeerGone(fd int) bool {
	p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(p[:], 0)
	if err != nil || n == 0 {
		return false
	}
	if p[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0 {
		return true
	}
	var one [1]byte
	got, _, err := unix.Recvfrom(fd, one[:], unix.MSG_PEEK)
	return got == 0 && err == nil || err != nil && err != unix.EAGAIN && err != unix.EINTR
}
