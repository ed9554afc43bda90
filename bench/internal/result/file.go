package result

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// commitDigits is how much of a commit's name a file's name has.
const commitDigits = 12

// Read returns the run in a file. A file of another format, or with a field that this program does not know, is refused:
// a figure that is silently left out would make two runs look alike.
func Read(path string) (*Run, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	run, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return run, nil
}

func parse(text []byte) (*Run, error) {
	var head struct {
		Format *int `json:"format"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("not the result of a run: %w", err)
	}
	switch {
	case head.Format == nil:
		return nil, fmt.Errorf(`not the result of a run: no "format"`)
	case *head.Format > Format:
		return nil, fmt.Errorf("format %d is newer than this program, which reads %d", *head.Format, Format)
	case *head.Format < Format:
		return nil, fmt.Errorf("format %d is no longer read; measure that commit again", *head.Format)
	}
	run := new(Run)
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(run); err != nil {
		return nil, fmt.Errorf("not the result of a run: %w", err)
	}
	return run, run.check()
}

// check finds what would make a scenario or a server ambiguous.
func (r *Run) check() error {
	scenarios := map[string]bool{}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if s.Name == "" || scenarios[s.Name] {
			return fmt.Errorf("scenario %q has no name or is there twice", s.Name)
		}
		scenarios[s.Name] = true
		servers := map[string]bool{}
		for _, m := range s.Measured {
			if m.Server == "" || servers[m.Server] {
				return fmt.Errorf("scenario %s: server %q has no name or is there twice", s.Name, m.Server)
			}
			servers[m.Server] = true
		}
	}
	return nil
}

var (
	indentedPoint = regexp.MustCompile(`\[\s+([-+.eE0-9]+),\s+([-+.eE0-9]+)\s+\]`)
	betweenPoints = regexp.MustCompile(`([0-9])\],\s+\[([-0-9])`)
)

// Write puts the run into a file, whole or not at all. The same run gives the same bytes.
func (r *Run) Write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// A curve on a line, not each of its numbers.
	text = indentedPoint.ReplaceAll(text, []byte("[$1,$2]"))
	text = betweenPoints.ReplaceAll(text, []byte("$1],[$2"))
	temp, err := os.CreateTemp(filepath.Dir(path), ".run-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // is gone already when all went well
	if _, err := temp.Write(append(text, '\n')); err != nil {
		temp.Close()
		return err
	}
	if err := temp.Chmod(0o644); err != nil {
		temp.Close()
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// FileName is what a run's file is called: the day in UTC and the commit, as in 2026-11-22-0123456789ab.json; a tree with
// changes has "-changes" behind the commit, so that it does not take the place of the commit's own result.
func FileName(r *Run) string {
	commit, changes, changed := strings.Cut(r.Commit, "+")
	if commit == "" {
		commit = "unknown"
	}
	name := r.Started.UTC().Format("2006-01-02") + "-" + commit[:min(len(commit), commitDigits)]
	if changed {
		name += "-" + changes
	}
	return name + ".json"
}
