//go:build linux

package load

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// h2loadReport is what h2load says at its end.
type h2loadReport struct {
	finished                                time.Duration
	total, done, succeeded, failed, errored int
	timeout                                 int
	status                                  [4]int // 2xx to 5xx
	wireBytes, bodyBytes                    int
	fastest, slowest, mean                  time.Duration // of the requests
}

// parseH2load reads the lines of h2load 1.4x to 1.6x.
func parseH2load(out string) (h2loadReport, error) {
	var r h2loadReport
	seen := 0
	for line := range strings.Lines(out) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		var err error
		switch {
		case strings.HasPrefix(line, "finished in "):
			first, _, _ := strings.Cut(strings.TrimPrefix(line, "finished in "), ",")
			r.finished, err = parseH2loadTime(first)
		case key == "requests":
			err = scanCounts(rest, "%d total, %d started, %d done, %d succeeded, %d failed, %d errored, %d timeout",
				&r.total, new(int), &r.done, &r.succeeded, &r.failed, &r.errored, &r.timeout)
		case key == "status codes":
			err = scanCounts(rest, "%d 2xx, %d 3xx, %d 4xx, %d 5xx", &r.status[0], &r.status[1], &r.status[2], &r.status[3])
		case key == "traffic":
			err = r.parseTraffic(rest)
		case key == "time for request":
			err = r.parseTimes(rest)
		default:
			continue
		}
		if err != nil {
			return r, fmt.Errorf("unexpected line of h2load %q: %w", strings.TrimSpace(line), err)
		}
		seen++
	}
	if seen != 5 {
		return r, fmt.Errorf("unexpected output of h2load: %d of 5 lines found in\n%s", seen, out)
	}
	return r, nil
}

func scanCounts(text, format string, into ...any) error {
	_, err := fmt.Sscanf(strings.TrimSpace(text), format, into...)
	return err
}

// parseTraffic reads "34.96MB (36660582) total, 2.69MB (2822512) headers (space savings 0.00%), 31.32MB (32843776) data".
func (r *h2loadReport) parseTraffic(text string) error {
	for part := range strings.SplitSeq(text, ", ") {
		var into *int
		switch {
		case strings.HasSuffix(part, ") total"):
			into = &r.wireBytes
		case strings.HasSuffix(part, ") data"):
			into = &r.bodyBytes
		default:
			continue
		}
		_, number, _ := strings.Cut(part, "(")
		number, _, _ = strings.Cut(number, ")")
		n, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		*into = n
	}
	if !strings.Contains(text, ") total") || !strings.HasSuffix(text, ") data") {
		return fmt.Errorf("total and data were expected")
	}
	return nil
}

func (r *h2loadReport) parseTimes(text string) error {
	fields := strings.Fields(text) // min, max, mean, sd, +/- sd
	if len(fields) != 5 {
		return fmt.Errorf("5 columns were expected")
	}
	for i, into := range []*time.Duration{&r.fastest, &r.slowest, &r.mean} {
		var err error
		if *into, err = parseH2loadTime(fields[i]); err != nil {
			return err
		}
	}
	return nil
}

// parseH2loadTime reads "822us", "1.40ms", "3.00s".
func parseH2loadTime(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		err = fmt.Errorf("negative time %s", text)
	}
	return d, err
}

// judge says whether the answers were right, as far as h2load tells.
func (r h2loadReport) judge(j Job) (Totals, error) {
	t := Totals{
		Requests: r.status[0], Bytes: r.wireBytes, Window: r.finished,
		Latency: Latency{Max: float64(r.slowest.Microseconds()) / 1000},
	}
	t.Errors = r.failed + r.status[1] // failed: lost ones (errored) and those with a status of 400 and more
	if t.Errors > 0 {
		t.FirstError = fmt.Sprintf("h2load: %d failed (%d without an answer, %d of them late), status %d 3xx, %d 4xx, %d 5xx",
			r.failed, r.errored, r.timeout, r.status[1], r.status[2], r.status[3])
	}
	if err := t.check(); err != nil {
		return t, err
	}
	// What had come of the answers under way at the end is among the bytes.
	size := j.Pages[0].size()
	if low, high := t.Requests*size, (t.Requests+j.Connections*max(1, j.Pipeline))*size; r.bodyBytes < low || r.bodyBytes > high {
		return t, fmt.Errorf("h2load: %d bodies of %d bytes each were expected, %d bytes came", t.Requests, size, r.bodyBytes)
	}
	return t, nil
}
