package main

import (
	"testing"

	"seawall/conf"
)

func TestCollectorPercentShrinksAsCachesGrow(t *testing.T) {
	for _, c := range []struct {
		caches []int64
		want   int
	}{
		{nil, 100},
		{[]int64{64 << 20}, 50},
		{[]int64{96 << 20, 96 << 20}, 25},
		{[]int64{1 << 30}, 5},
		{[]int64{1 << 40}, 1},
	} {
		cfg := &conf.Config{HTTP: &conf.HTTP{}}
		for _, size := range c.caches {
			cfg.HTTP.CachePaths = append(cfg.HTTP.CachePaths, &conf.CachePath{Memory: size})
		}
		if got := collectorPercent(cfg); got != c.want {
			t.Errorf("%v: %d, want %d", c.caches, got, c.want)
		}
	}
	if got := collectorPercent(&conf.Config{}); got != 100 {
		t.Errorf("without http: %d", got)
	}
}
