package server

// tcpVariables tell how the client's connection is doing
// (https://nginx.org/en/docs/http/ngx_http_core_module.html#var_tcpinfo_).
var tcpVariables = map[string]getter{
	"tcpinfo_rtt":       tcpInfo(func(rtt, _, _, _ uint32) uint32 { return rtt }),
	"tcpinfo_rttvar":    tcpInfo(func(_, variation, _, _ uint32) uint32 { return variation }),
	"tcpinfo_snd_cwnd":  tcpInfo(func(_, _, window, _ uint32) uint32 { return window }),
	"tcpinfo_rcv_space": tcpInfo(func(_, _, _, space uint32) uint32 { return space }),
}

// tcpInfo makes a getter of one of the kernel's figures; it costs a system call each time.
func tcpInfo(pick func(rtt, variation, window, space uint32) uint32) getter {
	return func(r *Request, dst []byte) ([]byte, bool) {
		rtt, variation, window, space, ok := r.conn().TCPInfo()
		if !ok {
			return dst, false
		}
		return appendInt(dst, int64(pick(rtt, variation, window, space))), true
	}
}
