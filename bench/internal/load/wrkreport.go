//go:build linux

package load

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// wrkReport is the line that wrk.lua prints.
type wrkReport struct {
	ownReport
	Connect *int `json:"connect"`
	Read    *int `json:"read"`
	Write   *int `json:"write"`
	Timeout *int `json:"timeout"`
	Status  *int `json:"status"` // answers with a status of 400 and more; they are among Requests
}

// parseWrk finds the line of wrk.lua in wrk's output.
func parseWrk(out string) (wrkReport, error) {
	var r wrkReport
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return r, fmt.Errorf("unexpected report of wrk %q: %w", line, err)
		}
		if r.Requests == nil || r.Connect == nil || r.Read == nil || r.Write == nil || r.Timeout == nil || r.Status == nil {
			return r, fmt.Errorf("the report of wrk lacks counts: %q", line)
		}
		if r.Seconds <= 0 {
			return r, fmt.Errorf("the report of wrk lacks its time: %q", line)
		}
		return r, nil
	}
	return r, fmt.Errorf("unexpected output of wrk:\n%s", out)
}

// judge says which of the answers were right, by what is to be expected of so many.
func (r wrkReport) judge(j Job, threads, answerBytes int) (Totals, error) {
	pages := sequence(j.Pages)
	refused := 0
	for _, p := range pages {
		if p.status() >= 400 {
			refused++
		}
	}
	// Each thread goes through the sequence by itself, and what is under way at the end is not counted.
	want := float64(*r.Requests) * float64(refused) / float64(len(pages))
	slack := float64(0)
	if refused > 0 && refused < len(pages) {
		slack = float64(j.Connections + threads*len(pages))
	}
	wrongStatus := 0
	if off := math.Abs(float64(*r.Status) - want); off > slack {
		wrongStatus = int(math.Ceil(off))
	}
	*r.Requests -= wrongStatus
	failed := *r.Connect + *r.Read + *r.Write + *r.Timeout + wrongStatus
	r.ownReport.Errors = &failed
	if failed > 0 {
		r.FirstError = fmt.Sprintf("connect %d, read %d, write %d, timeout %d, wrong status %d",
			*r.Connect, *r.Read, *r.Write, *r.Timeout, wrongStatus)
	}
	t := r.totals()
	if err := t.check(); err != nil {
		return t, err
	}
	return t, checkBytes(t, answerBytes, j.Connections, len(pages) > 1)
}

// checkBytes compares the bytes received with those of so many answers. wrk counts what it received of the answers that
// were under way at the end, too.
func checkBytes(t Totals, answerBytes, connections int, mixed bool) error {
	const slack = 16 // bytes by which a head may differ from the probe's: X-Cache, Age
	if answerBytes == 0 {
		return nil
	}
	low, high := t.Requests*(answerBytes-slack), (t.Requests+connections)*(answerBytes+slack)
	if mixed { // the last round through the pages may have been the short ones only
		low = (t.Requests - connections) * (answerBytes - slack) * 9 / 10
		high = high * 11 / 10
	}
	if t.Bytes < low || t.Bytes > high {
		return fmt.Errorf("%d answers of %d bytes each were expected, wrk received %d bytes", t.Requests, answerBytes, t.Bytes)
	}
	return nil
}
