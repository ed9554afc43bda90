// Package archtest holds the module to what its documents say: which package may import which, and that links lead
// somewhere.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "seawall"
)

// rule is one row of the table "Packages" in ARCHITECTURE.md.
type rule struct {
	ours    []string // packages, without the module's name
	outside []string // modules
}

// builds are the systems and tags whose files are looked at; a file for one of them is not seen by the others.
var builds = []struct{ system, tags string }{
	{"linux", ""}, {"linux", "poll_opt"}, {"linux", "race"}, {"darwin", ""}, {"freebsd", ""},
}

func TestImportsFollowTheTable(t *testing.T) {
	rules := readRules(t)
	seen := map[string]bool{}
	for _, b := range builds {
		for _, p := range listPackages(t, b.system, b.tags) {
			name := strings.TrimPrefix(p.ImportPath, module+"/")
			r, known := rules[name]
			if !known {
				t.Errorf("package %s has no row in the table of ARCHITECTURE.md", name)
				rules[name] = r // said once
				continue
			}
			seen[name] = true
			for _, path := range p.Imports {
				if why := r.forbids(path); why != "" {
					t.Errorf("%s (%s %s) imports %s: %s", name, b.system, b.tags, path, why)
				}
			}
		}
	}
	for name := range rules {
		if !seen[name] {
			t.Errorf("ARCHITECTURE.md has a row for %s, which is no package", name)
		}
	}
}

// forbids gives the reason why a package under the rule may not import path, "" if it may.
func (r rule) forbids(path string) string {
	first, _, _ := strings.Cut(path, "/")
	switch {
	case first == module:
		if !slices.Contains(r.ours, strings.TrimPrefix(path, module+"/")) {
			return "not among its imports of ours in ARCHITECTURE.md"
		}
	case strings.Contains(first, "."):
		in := func(mod string) bool { return path == mod || strings.HasPrefix(path, mod+"/") }
		if !slices.ContainsFunc(r.outside, in) {
			return "not among its imports from outside in ARCHITECTURE.md"
		}
	}
	return "" // allowed, or the standard library
}

func TestForbids(t *testing.T) {
	r := rule{ours: []string{"engine"}, outside: []string{"golang.org/x/sys"}}
	for path, allowed := range map[string]bool{
		"seawall/engine": true, "seawall/engine/internal/benchecho": false, "seawall/server": false,
		"golang.org/x/sys/unix": true, "golang.org/x/system": false, "github.com/panjf2000/gnet/v2": false,
		"net/http": true, "C": true,
	} {
		if got := r.forbids(path) == ""; got != allowed {
			t.Errorf("%s: allowed %v, want %v", path, got, allowed)
		}
	}
}

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath string
	Imports    []string // of the files that are no tests
}

// listPackages asks the go command for the module's packages as they are built for a system.
func listPackages(t *testing.T, system, tags string) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-pgo=off", "-json=ImportPath,Imports", "-tags", tags, "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

var inBackticks = regexp.MustCompile("`([^`]+)`")

// readRules reads the table under the heading "Packages": package, what it owns, imports of ours, imports from outside.
func readRules(t *testing.T) map[string]rule {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## Packages\n")
	if !found {
		t.Fatal("ARCHITECTURE.md has no section Packages")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	rules := map[string]rule{}
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		if len(cells) != 6 {
			t.Fatalf("not a row of four cells: %s", line)
		}
		rules[names(cells[1])[0]] = rule{ours: names(cells[3]), outside: names(cells[4])}
	}
	return rules
}

// names gives what stands in backticks.
func names(cell string) []string {
	var list []string
	for _, m := range inBackticks.FindAllStringSubmatch(cell, -1) {
		list = append(list, m[1])
	}
	return list
}
