//go:build darwin || freebsd

package engine

// TCPInfo tells nothing on these systems; see tcpinfo_linux.go.
func (c *Conn) TCPInfo() (rtt, variation, window, space uint32, ok bool) { return 0, 0, 0, 0, false }
