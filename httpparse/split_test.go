package httpparse

import (
	"bytes"
	"reflect"
	"testing"
)

// A run is the outcome of feeding a head: everything a caller can see.
type requestRun struct {
	done bool
	err  error
	r    Request
}

type responseRun struct {
	done bool
	err  error
	r    Response
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

func feedResponse(input []byte, lim *Limits, cuts ...int) responseRun {
	var run responseRun
	for _, n := range append(cuts, len(input)) {
		buf := bytes.Clone(input[:n])
		if run.done, run.err = run.r.Parse(buf, lim); run.done || run.err != nil {
			run.r.settle()
			break
		}
	}
	return run
}

func everyByte(n int) []int {
	cuts := make([]int, 0, n)
	for i := range n {
		cuts = append(cuts, i)
	}
	return cuts
}

// checkRequestSplits holds the whole against byte by byte and against single cuts.
func checkRequestSplits(t *testing.T, input []byte, lim *Limits) {
	t.Helper()
	checkSplits(t, input, func(cuts ...int) (any, bool) {
		run := feedRequest(input, lim, cuts...)
		return run, run.done || run.err != nil
	})
}

func checkResponseSplits(t *testing.T, input []byte, lim *Limits) {
	t.Helper()
	checkSplits(t, input, func(cuts ...int) (any, bool) {
		run := feedResponse(input, lim, cuts...)
		return run, run.done || run.err != nil
	})
}

func checkSplits(t *testing.T, input []byte, feed func(cuts ...int) (run any, ended bool)) {
	t.Helper()
	whole, ended := feed()
	compare := func(cuts ...int) {
		t.Helper()
		got, alsoEnded := feed(cuts...)
		if ended != alsoEnded {
			t.Fatalf("%q cut at %d: ended %v, whole %v", input, cuts, alsoEnded, ended)
		}
		// While more is wanted the working state says so, and may differ.
		if ended && !reflect.DeepEqual(got, whole) {
			t.Fatalf("%q cut at %d:\n%+v\nwhole:\n%+v", input, cuts, got, whole)
		}
	}
	compare(everyByte(len(input))...)
	step := 1 + len(input)/40
	for cut := 0; cut < len(input); cut += step {
		compare(cut)
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
