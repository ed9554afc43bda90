//go:build linux

package scenario

import (
	"slices"
	"strings"
	"testing"
	"time"

	"seawall/bench/internal/peer"
	"seawall/bench/internal/result"
)

func TestEveryEntryOfTheTableIsWhole(t *testing.T) {
	options := Options{Window: time.Second, Rounds: 6, Connections: 9000}
	seen := map[string]bool{}
	for _, s := range All() {
		if s.Name == "" || strings.ContainsAny(s.Name, ", ") || seen[s.Name] {
			t.Errorf("%q is no name, or there twice", s.Name)
		}
		seen[s.Name] = true
		if s.Group == "" || s.About == "" || s.Why == "" || s.Method == nil {
			t.Errorf("%s: group, what is done, why, or the method is missing", s.Name)
			continue
		}
		if len(s.Metrics) == 0 {
			t.Errorf("%s shows nothing", s.Name)
		}
		for i, key := range s.Metrics {
			if _, known := result.MetricOf(key); !known || slices.Contains(s.Metrics[:i], key) {
				t.Errorf("%s: the figure %q is not known, or there twice", s.Name, key)
			}
		}
		parts, ownParts := s.Method.(Subjects)
		if !ownParts && len(s.Pages) == 0 {
			t.Errorf("%s has no page to check", s.Name)
		}
		if k, known := peer.ByName(s.Floor); s.Floor != "" && (!known || !k.Floor) {
			t.Errorf("%s: %q is no floor", s.Name, s.Floor)
		}
		for _, target := range s.Targets {
			if !slices.Contains(s.Metrics, target.Metric) {
				t.Errorf("%s: a target is about %q, which is not shown", s.Name, target.Metric)
			}
			_, server := peer.ByName(target.Against)
			if target.Against != "" && !server && !(ownParts && slices.Contains(parts.Subjects(), target.Against)) {
				t.Errorf("%s: a target is against %q, which is not measured", s.Name, target.Against)
			}
			if k, _ := peer.ByName(target.Against); k.Floor && k.Name != s.Floor {
				t.Errorf("%s: a target is against the floor of other scenarios", s.Name)
			}
		}
		phases := s.Method.Phases()
		if len(phases) == 0 {
			t.Errorf("%s has no phase", s.Name)
		}
		for _, ph := range phases {
			if ph.Name == "" || ph.Measure == nil || ph.Takes == nil || ph.Takes(options) <= 0 {
				t.Errorf("%s: phase %q is not whole", s.Name, ph.Name)
			}
		}
	}
}

func TestSelectTakesExactNamesBeforeBeginningsAndGroups(t *testing.T) {
	names := func(list string) string {
		chosen, err := Select(list)
		if err != nil {
			return err.Error()
		}
		var all []string
		for _, s := range chosen {
			all = append(all, s.Name)
		}
		return strings.Join(all, " ")
	}
	if got := names("return, cached-1k"); got != "cached-1k return" {
		t.Errorf("two names gave %q", got)
	}
	if got := names("proxied-1"); got != "proxied-1k proxied-100k" {
		t.Errorf("a beginning gave %q", got)
	}
	if got := names("static"); got != "static-1k static-100k static-1m" {
		t.Errorf("a group gave %q", got)
	}
	if got := names("nothing"); !strings.Contains(got, `"nothing"`) {
		t.Errorf("an unknown name gave %q", got)
	}
	if got := names("return,"); !strings.Contains(got, `""`) {
		t.Errorf("an empty name gave %q", got)
	}
}

func TestTheConstantRateIsHalfOfTheSlowestThatIsNoFloor(t *testing.T) {
	rates := func(values ...float64) (rounds []result.Round) {
		for _, v := range values {
			rounds = append(rounds, result.Round{Values: map[string]float64{result.Rate: v}})
		}
		return rounds
	}
	s := &result.Scenario{Measured: []result.Measured{
		{Server: floor, Rounds: rates(100)}, {Server: nginx, Rounds: rates(3000, 1000, 2000)},
		{Server: Ours, Rounds: rates(5000)}, {Server: haproxy, Error: "ended", Rounds: rates(10)},
	}}
	if rate, err := halfOfTheSlowest(s); err != nil || rate != 1000 || s.Facts[ConstantRate] != 1000 {
		t.Errorf("got %v, %v, facts %v", rate, err, s.Facts)
	}
	s.Measured[1].Rounds = rates(1)
	if rate, _ := halfOfTheSlowest(s); rate != 1000 {
		t.Errorf("the rate changed to %v between two turns", rate)
	}
	if _, err := halfOfTheSlowest(&result.Scenario{}); err == nil {
		t.Error("a rate was found where nothing was measured")
	}
	alone := &result.Scenario{Measured: []result.Measured{{Server: floor, Rounds: rates(100)}}}
	if rate, err := halfOfTheSlowest(alone); err != nil || rate != 50 {
		t.Errorf("a floor alone: %v, %v", rate, err)
	}
}

func TestParseGoBench(t *testing.T) {
	got, err := parseGoBench("goos: linux\nBenchmarkRequestSeawall-2    1000   500.5 ns/op   0 B/op\nPASS\n")
	if err != nil || got != 500.5 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := parseGoBench("PASS\n"); err == nil {
		t.Error("an output without a benchmark was taken")
	}
}

func TestATargetIsASentence(t *testing.T) {
	for want, target := range map[string]Target{
		"CPU at most 0.45 x nginx":       {result.CPU, nginx, 0.45},
		"backend at most 1":              {result.BackendAsked, "", 1},
		"per connection at most 400 B":   {result.PerConnection, "", 400},
		"parse at most 0.667 x fasthttp": {result.ParseTime, "fasthttp", 2.0 / 3},
	} {
		if got := target.Text(); got != want {
			t.Errorf("got %q where %q was expected", got, want)
		}
	}
}
