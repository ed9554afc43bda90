package publish

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"seawall/bench/internal/result"
)

// overviewPanels is how many scenarios the picture at the head of the document shows at most.
const overviewPanels = 6

// gallery has the pictures of a run, by what they are shown with.
type gallery struct {
	overview *picture
	cost     map[string]*picture   // by group
	curves   map[string][]*picture // by scenario
}

// drawAll makes all pictures of a run.
func drawAll(run *result.Run) gallery {
	g := gallery{cost: map[string]*picture{}, curves: map[string][]*picture{}}
	g.overview = costPicture(run, "cost.svg", "What a request costs", overview(run))
	for _, group := range groupsOf(run) {
		var members []*result.Scenario
		for i := range run.Scenarios {
			if run.Scenarios[i].Group == group {
				members = append(members, &run.Scenarios[i])
			}
		}
		if p := costPicture(run, "cost-"+group+".svg", "What a request costs: "+group, members); p != nil {
			g.cost[group] = p
		}
	}
	for i := range run.Scenarios {
		sc := &run.Scenarios[i]
		for _, kind := range curveKinds() {
			if p := curvePicture(run, sc, kind); p != nil {
				g.curves[sc.Name] = append(g.curves[sc.Name], p)
			}
		}
	}
	return g
}

// overview chooses the scenarios at the head of the document: those whose cost has a target, else the first of each group.
func overview(run *result.Run) []*result.Scenario {
	var withTarget, first []*result.Scenario
	seen := map[string]bool{}
	for i := range run.Scenarios {
		sc := &run.Scenarios[i]
		if mainMetric(sc) != result.CPU || !hasFigures(sc, result.CPU) {
			continue
		}
		if slices.ContainsFunc(sc.Targets, func(v result.Verdict) bool { return v.Metric == result.CPU }) {
			withTarget = append(withTarget, sc)
		}
		if !seen[sc.Group] {
			seen[sc.Group] = true
			first = append(first, sc)
		}
	}
	if len(withTarget) == 0 {
		withTarget = first
	}
	return withTarget[:min(len(withTarget), overviewPanels)]
}

func (g gallery) all() []*picture {
	var list []*picture
	if g.overview != nil {
		list = append(list, g.overview)
	}
	for _, p := range g.cost {
		list = append(list, p)
	}
	for _, ps := range g.curves {
		list = append(list, ps...)
	}
	slices.SortFunc(list, func(a, b *picture) int { return strings.Compare(a.file, b.file) })
	return list
}

// write puts the pictures into the directory and removes those of earlier runs that this one does not have.
func (g gallery) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	current := map[string]bool{}
	for _, p := range g.all() {
		current[p.file] = true
		if err := os.WriteFile(filepath.Join(dir, p.file), p.body, 0o644); err != nil {
			return err
		}
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.svg"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if current[filepath.Base(path)] {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte(madeBy)) {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}
