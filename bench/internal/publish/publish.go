// Package publish makes what people read of a run of the benchmarks: BENCHMARKS.md with its plots, and the tables on the
// terminal. Everything comes from the result's file, so that a document can always be made again; the same run gives the
// same bytes.
package publish

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"seawall/bench/internal/result"
)

//go:embed page.md.tmpl
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// quickMode is the mode of a run that is for a first look only.
const quickMode = "quick"

// Write makes the document in the file `benchmarks` and the plots in the directory `plots`, both whole. Beside that directory it
// expects analysis.md, written by hand, which becomes a section of the document, and the results in results/. Plots of
// earlier runs that this one does not have are removed.
func Write(run *result.Run, benchmarks, plots string) error {
	root := filepath.Dir(benchmarks)
	toPlots, err := filepath.Rel(root, plots)
	if err != nil {
		return err
	}
	bench := filepath.Dir(plots)
	toBench := filepath.ToSlash(filepath.Dir(toPlots))
	analysis, err := readAnalysis(filepath.Join(bench, "analysis.md"), toBench)
	if err != nil {
		return err
	}
	source := filepath.ToSlash(filepath.Join(toBench, "results", result.FileName(run)))
	g := drawAll(run)
	d := document(run, g, filepath.ToSlash(toPlots))
	d.Analysis, d.Source, d.SourceLink = analysis, source, code(source)
	d.Floor = filepath.ToSlash(filepath.Join(toBench, "floor"))
	if _, err := os.Stat(filepath.Join(root, source)); err == nil {
		d.SourceLink = "[" + source + "](" + source + ")"
	}
	var text strings.Builder
	if err := page.Execute(&text, d); err != nil {
		return err
	}
	if err := g.write(plots); err != nil {
		return err
	}
	return os.WriteFile(benchmarks, []byte(tidy(text.String())), 0o644)
}

var (
	headingLine  = regexp.MustCompile(`(?m)^(#+ )`)
	relativeLink = regexp.MustCompile(`\]\(([^)\s#:]+)((?:#[^)\s]*)?)\)`)
	emptyLines   = regexp.MustCompile(`\n{3,}`)
)

// tidy leaves one empty line between paragraphs and a newline at the end.
func tidy(text string) string {
	return strings.TrimSpace(emptyLines.ReplaceAllString(text, "\n\n")) + "\n"
}

// readAnalysis returns the text for a document that is elsewhere: headings one level deeper, relative links with the way to
// its directory. Without such a file there is no such section.
func readAnalysis(path, toBench string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	body := headingLine.ReplaceAllString(string(text), "#$1")
	body = relativeLink.ReplaceAllStringFunc(body, func(link string) string {
		m := relativeLink.FindStringSubmatch(link)
		if strings.HasPrefix(m[1], "/") {
			return link
		}
		return "](" + filepath.ToSlash(filepath.Join(toBench, m[1])) + m[2] + ")"
	})
	return strings.TrimSpace(body), nil
}

// pageData is what the template puts in its places.
type pageData struct {
	MadeBy, Source, SourceLink, Floor           string
	Date, Commit, ShortMachine                  string
	Changed, Quick, FewRounds                   bool
	RoundCount                                  string
	Window, Disturbance                         string
	Overview, CostSummary, OtherSummary         string
	Targets, Analysis                           string
	Met, AllTargets                             int
	Legend                                      []legendRow
	Groups                                      []groupText
	Cores, Servers, Commands, Machine, Warnings string
}

type legendRow struct{ Head, About string }

type groupText struct {
	Name, Picture string
	Scenarios     []scenarioPart
}

type scenarioPart struct{ Name, Text string }

func document(run *result.Run, g gallery, plots string) pageData {
	commit, _, changed := strings.Cut(run.Commit, "+")
	revision := "an unknown commit"
	if commit != "" {
		revision = "commit " + code(commit[:min(len(commit), 12)])
	}
	d := pageData{
		MadeBy: madeBy, Date: run.Started.UTC().Format("2 January 2006"), Commit: revision, Changed: changed,
		ShortMachine: fmt.Sprintf("%s of %s, %s", count(run.Machine.Cores, "core"), run.Machine.CPU, kernel(run.Machine)),
		Quick:        run.Mode == quickMode, FewRounds: run.Rounds < 6, RoundCount: count(run.Rounds, "round"),
		Window: (time.Duration(run.WindowMS) * time.Millisecond).String(), Disturbance: fmt.Sprintf("%.0f %%", 100*disturbance),
		CostSummary: costSummary(run), OtherSummary: otherSummary(run), Legend: legend(run), Cores: coresText(run.Machine),
		Servers: serverTable(run), Commands: commands(run), Machine: machineTable(run), Warnings: warnings(run),
	}
	d.Targets, d.Met, d.AllTargets = targets(run)
	if g.overview != nil {
		d.Overview = g.overview.link(plots)
	}
	for _, group := range groupsOf(run) {
		part := groupText{Name: group}
		if p := g.cost[group]; p != nil {
			part.Picture = p.link(plots)
		}
		for i := range run.Scenarios {
			sc := &run.Scenarios[i]
			if sc.Group != group {
				continue
			}
			var pictures []string
			for _, p := range g.curves[sc.Name] {
				pictures = append(pictures, p.link(plots))
			}
			part.Scenarios = append(part.Scenarios, scenarioPart{sc.Name, scenarioText(run, sc, strings.Join(pictures, "\n\n"))})
		}
		d.Groups = append(d.Groups, part)
	}
	return d
}

func (p *picture) link(plots string) string {
	return fmt.Sprintf("![%s](%s/%s)", p.title, plots, p.file)
}

// legend explains the metrics that the run has, in the order of the table of metrics.
func legend(run *result.Run) []legendRow {
	var rows []legendRow
	var seen []string
	add := func(key string) {
		if slices.Contains(seen, key) {
			return
		}
		seen = append(seen, key)
		if m, ok := result.MetricOf(key); ok {
			rows = append(rows, legendRow{cell(headOf(key)), cell(m.About)})
		}
	}
	for _, sc := range run.Scenarios {
		for _, key := range sc.Metrics {
			add(key)
		}
	}
	return rows
}
