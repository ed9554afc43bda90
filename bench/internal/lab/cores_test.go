//go:build linux

package lab

import (
	"slices"
	"testing"
)

func TestParseCoreList(t *testing.T) {
	for text, want := range map[string][]int{"0": {0}, "0-2,5\n": {0, 1, 2, 5}, "3,1-3": {3, 1, 2}} {
		if cores, err := parseCoreList(text); err != nil || !slices.Equal(cores, want) {
			t.Errorf("%q is %v, %v", text, cores, err)
		}
	}
	for _, bad := range []string{"", "a", "1-", "-1", "1,,2", "2-1", "99999999"} {
		if cores, err := parseCoreList(bad); err == nil {
			t.Errorf("%q is %v", bad, cores)
		}
	}
}

func TestSplitCores(t *testing.T) {
	alone := func(core int) []int { return []int{core} }
	pairs := func(core int) []int { return []int{core &^ 1, core | 1} } // 0 and 1 are threads of one core
	halves := func(core int) []int { return []int{core % 4, core%4 + 4} }
	for _, c := range []struct {
		name         string
		allowed      []int
		servers      int
		siblings     func(int) []int
		server, load []int
	}{
		{"two", []int{0, 1}, 1, alone, []int{0}, []int{1}},
		{"others than the first", []int{3, 5, 6}, 1, alone, []int{3}, []int{5, 6}},
		{"two for the servers", []int{0, 1, 2, 3}, 2, alone, []int{0, 1}, []int{2, 3}},
		{"two threads only", []int{0, 1}, 1, pairs, []int{0}, []int{1}},
		{"the other thread stays idle", []int{0, 1, 2, 3}, 1, pairs, []int{0}, []int{2, 3}},
		{"threads have to do for the load", []int{0, 1, 2, 3}, 2, pairs, []int{0, 2}, []int{1, 3}},
		{"threads have to do for the servers", []int{0, 1, 2, 3}, 3, pairs, []int{0, 2, 1}, []int{3}},
		{"threads numbered in halves", []int{0, 1, 2, 3, 4, 5, 6, 7}, 2, halves, []int{0, 1}, []int{2, 3, 6, 7}},
	} {
		server, load, err := splitCores(c.allowed, c.servers, c.siblings)
		if err != nil || !slices.Equal(server, c.server) || !slices.Equal(load, c.load) {
			t.Errorf("%s: %v and %v, %v", c.name, server, load, err)
		}
	}
	if _, _, err := splitCores([]int{0, 1}, 2, alone); err == nil {
		t.Error("nothing is left for the load")
	}
}

func TestGivenCores(t *testing.T) {
	allowed := []int{0, 1, 2, 3}
	server, load, err := givenCores("1:2-3", allowed)
	if err != nil || !slices.Equal(server, []int{1}) || !slices.Equal(load, []int{2, 3}) {
		t.Errorf("got %v and %v, %v", server, load, err)
	}
	for _, bad := range []string{"0", "0:", ":1", "0:4", "0-1:1-2", "x:1"} {
		if _, _, err := givenCores(bad, allowed); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
