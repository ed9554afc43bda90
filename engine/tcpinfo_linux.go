package engine

import "golang.org/x/sys/unix"

// TCPInfo asks the kernel how the connection is doing: round-trip time and its variation in microseconds, congestion
// window in segments, receive space in bytes. ok is false for unix sockets and where there is no such call. One system call.
func (c *Conn) TCPInfo() (rtt, variation, window, space uint32, ok bool) {
	if c.IsUnix() || c.IsClosed() {
		return 0, 0, 0, 0, false
	}
	info, err := unix.GetsockoptTCPInfo(int(c.fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, 0, 0, 0, false
	}
	return info.Rtt, info.Rttvar, info.Snd_cwnd, info.Rcv_space, true
}
