package upstream

import "strconv"

// Try is one attempt at one peer, for the $upstream_* variables.
type Try struct {
	Peer     string // $upstream_addr; the group's name when no peer was live
	Status   int    // of the response, or what stands for the failure; 0: none yet
	NewGroup bool   // the first try of a further group: joined with " : " instead of ", "
	Stale    bool   // made over a kept connection that had died
	Reused   bool   // made over a kept connection
	Disabled bool   // its failure took the peer out: nginx warns "upstream server temporarily disabled"

	// Nanoseconds since the try began; -1: not reached.
	ConnectTime  int64
	HeaderTime   int64
	ResponseTime int64

	BytesReceived int64 // off the wire, heads and framing included
	BytesSent     int64 // taken by the kernel
	BodyBytes     int64 // decoded body ($upstream_response_length)

	began int64 // loop time, ns
}

// TryField names what AppendTries lists.
type TryField uint8

const (
	TryAddr           TryField = iota // $upstream_addr
	TryStatus                         // $upstream_status
	TryConnectTime                    // $upstream_connect_time, seconds with three decimals
	TryHeaderTime                     // $upstream_header_time
	TryResponseTime                   // $upstream_response_time
	TryBytesReceived                  // $upstream_bytes_received
	TryBytesSent                      // $upstream_bytes_sent
	TryResponseLength                 // $upstream_response_length
)

// AppendTries appends one field of all tries, as nginx writes it: ", " between
// the tries of a group, " : " between groups, "-" for what is not known. Nothing
// is appended for no tries.
// (https://nginx.org/en/docs/http/ngx_http_upstream_module.html#var_upstream_addr)
func AppendTries(dst []byte, tries []Try, field TryField) []byte {
	for i := range tries {
		t := &tries[i]
		if i > 0 {
			if t.NewGroup {
				dst = append(dst, " : "...)
			} else {
				dst = append(dst, ", "...)
			}
		}
		switch field {
		case TryAddr:
			dst = append(dst, t.Peer...)
		case TryStatus:
			if t.Status == 0 {
				dst = append(dst, '-')
			} else {
				dst = strconv.AppendInt(dst, int64(t.Status), 10)
			}
		case TryConnectTime:
			dst = appendSeconds(dst, t.ConnectTime)
		case TryHeaderTime:
			dst = appendSeconds(dst, t.HeaderTime)
		case TryResponseTime:
			dst = appendSeconds(dst, t.ResponseTime)
		case TryBytesReceived:
			dst = strconv.AppendInt(dst, t.BytesReceived, 10)
		case TryBytesSent:
			dst = strconv.AppendInt(dst, t.BytesSent, 10)
		case TryResponseLength:
			dst = strconv.AppendInt(dst, t.BodyBytes, 10)
		}
	}
	return dst
}

// appendSeconds appends ns as "1.234", "-" when negative.
func appendSeconds(dst []byte, ns int64) []byte {
	if ns < 0 {
		return append(dst, '-')
	}
	ms := ns / 1e6
	dst = strconv.AppendInt(dst, ms/1000, 10)
	ms %= 1000
	return append(dst, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}
