package server

import (
	"time"

	"seawall/httpparse"
)

// clockText keeps the texts of the current time that every response and log
// line carries; each is made once a second. Owner: one loop.
type clockText struct {
	unix     int64
	httpDate []byte // "Sun, 06 Nov 1994 08:49:37 GMT"
	local    []byte // $time_local: "06/Nov/1994:08:49:37 +0000"
	iso8601  []byte // $time_iso8601: "1994-11-06T08:49:37+00:00"
}

// at brings the texts up to wall, in Unix milliseconds.
func (t *clockText) at(wall int64) *clockText {
	sec := wall / 1000
	if sec == t.unix {
		return t
	}
	t.unix = sec
	t.httpDate = httpparse.AppendDate(t.httpDate[:0], sec)
	now := time.Unix(sec, 0)
	t.local = now.AppendFormat(t.local[:0], "02/Jan/2006:15:04:05 -0700")
	t.iso8601 = now.AppendFormat(t.iso8601[:0], "2006-01-02T15:04:05-07:00")
	return t
}
