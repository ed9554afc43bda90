package httpparse

import (
	"bytes"
	"fmt"
	"testing"
)

// A run is the outcome of feeding a head: everything a caller can see.
type requestRun struct {
	done bool
	err  error
	r    Request
}

// settle clears the parser's own working state, which may differ with the cuts.
func (h *Head) settle() {
	h.seen, h.pos, h.phase = 0, 0, phaseDone
}

// feedRequest parses input as it would arrive: first the bytes up to each cut,
// then all. The buffer moves and grows between calls; the Spans must survive that.
func feedRequest(input []byte, lim *Limits, cuts ...int) requestRun {
	var run requestRun
	for _, n := range append(cuts, len(input)) {
		buf := bytes.Clone(input[:n])
		if run.done, run.err = run.r.Parse(buf, lim); run.done || run.err != nil {
			break
		}
	}
	if run.done || run.err != nil {
		run.r.settle()
		run.r.Line = Span{} // after an error only as much as had come
	}
	return run
}

func feedResponse(input []byte, lim *Limits, cuts ...int) (done bool, err error, r Response) {
	for _, n := range append(cuts, len(input)) {
		buf := bytes.Clone(input[:n])
		if done, err = r.Parse(buf, lim); done || err != nil {
			break
		}
	}
	if done || err != nil {
		r.settle()
	}
	return done, err, r
}

func everyByte(n int) []int {
	cuts := make([]int, 0, n)
	for i := range n {
		cuts = append(cuts, i)
	}
	return cuts
}

func describe(v any) string { return fmt.Sprintf("%+v", v) }

// checkRequestSplits holds the whole against byte by byte and against every one cut.
func checkRequestSplits(t *testing.T, input []byte, lim *Limits) {
	t.Helper()
	whole := feedRequest(input, lim)
	want := describe(whole)
	if !whole.done && whole.err == nil {
		return // more is wanted; the working state says so and may differ
	}
	if got := describe(feedRequest(input, lim, everyByte(len(input))...)); got != want {
		t.Fatalf("%q byte by byte:\n%s\nwhole:\n%s", input, got, want)
	}
	step := 1 + len(input)/64
	for cut := 0; cut < len(input); cut += step {
		if got := describe(feedRequest(input, lim, cut)); got != want {
			t.Fatalf("%q cut at %d:\n%s\nwhole:\n%s", input, cut, got, want)
		}
	}
}

func checkResponseSplits(t *testing.T, input []byte, lim *Limits) {
	t.Helper()
	done, err, r := feedResponse(input, lim)
	if !done && err == nil {
		return
	}
	want := describe([]any{done, err, r})
	done, err, r = feedResponse(input, lim, everyByte(len(input))...)
	if got := describe([]any{done, err, r}); got != want {
		t.Fatalf("%q byte by byte:\n%s\nwhole:\n%s", input, got, want)
	}
	step := 1 + len(input)/64
	for cut := 0; cut < len(input); cut += step {
		done, err, r = feedResponse(input, lim, cut)
		if got := describe([]any{done, err, r}); got != want {
			t.Fatalf("%q cut at %d:\n%s\nwhole:\n%s", input, cut, got, want)
		}
	}
}

// checkSpans: every view lies within the head, and the fields in order.
func checkSpans(t *testing.T, input []byte, headLen int, fields []Field, others ...Span) {
	t.Helper()
	if headLen < 0 || headLen > len(input) {
		t.Fatalf("%q: HeadLen %d of %d", input, headLen, len(input))
	}
	var at uint32
	for _, f := range fields {
		if f.Name.Off < at || f.Name.Len == 0 || f.Value.Off < f.Name.End() || int(f.Value.End()) > headLen {
			t.Fatalf("%q: field %+v out of place", input, f)
		}
		if id := LookupHeader(f.Name.In(input)); id != f.ID {
			t.Fatalf("%q: field %q has ID %v, its name %v", input, f.Name.In(input), f.ID, id)
		}
		if v := f.Value.In(input); bytes.ContainsAny(v, "\r\n\x00") || len(TrimOWS(v)) != len(v) {
			t.Fatalf("%q: value %q", input, v)
		}
		at = f.Value.End()
	}
	for _, s := range others {
		if int(s.End()) > headLen {
			t.Fatalf("%q: span %+v beyond the head", input, s)
		}
	}
}

// TestNoRescan feeds a long head byte by byte; were each call to start over, the
// 64 KB line below would take minutes.
func TestNoRescan(t *testing.T) {
	input := []byte("GET /" + string(bytes.Repeat([]byte{'a'}, 1<<16)) + " HTTP/1.1\r\nHost: a\r\nX-Long: " + string(bytes.Repeat([]byte{'b'}, 1<<16)) + "\r\n\r\n")
	var r Request
	lim := Limits{}
	for n := range input {
		if done, err := r.Parse(input[:n], &lim); done || err != nil {
			t.Fatal(n, done, err)
		}
		if r.phase != phaseStart && r.seen < n-1 && r.pos < n-1 {
			t.Fatalf("after %d bytes only %d were accounted for", n, r.seen)
		}
	}
	if done, err := r.Parse(input, &lim); !done || err != nil {
		t.Fatal(done, err)
	}
}
