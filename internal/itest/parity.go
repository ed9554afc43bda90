package itest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Suite is one configuration and the cases that are run on it, in order, against the oracle and the subject.
type Suite struct {
	Config Config
	Cases  []Case
}

// Case is one exchange. Req is the short form: one connection, one write, read until the server closes.
type Case struct {
	Name  string
	Req   string
	Steps []Step // instead of Req

	Origin  []Reply // replies of {{origin}}
	Origin2 []Reply // replies of {{origin2}}
	Origin3 []Reply

	Want string // must be in the oracle's transcript: shows what the case is about and keeps it from being vacuous

	AccessLines int      // lines of logs/access.log to wait for and compare; 0: one where the suite logs at all; -1: none
	ErrorLog    bool     // compare the lines of logs/error.log that name a client
	Ignore      []string // headers (both sides) that this case leaves out, with the reason beside it
	Unordered   bool     // requests may reach the origins in any order
	Differs     string   // name of an entry of docs/differences.md: the transcripts must differ
	Seawall     string   // with Differs: must be in Seawall's transcript
}

// Step is one client connection of a case.
type Step struct {
	To   string // placeholder of the port; empty: port
	Acts []Act
}

// Ask is a step that sends one text and reads until the server closes.
func Ask(text string) Step { return Step{Acts: []Act{Send(text)}} }

// On is a step on a connection that does the acts.
func On(acts ...Act) Step { return Step{Acts: acts} }

// To is a step like Ask on another port.
func To(port, text string) Step { return Step{To: port, Acts: []Act{Send(text)}} }

// After is a step that lets time pass first.
func After(d time.Duration, text string) Step { return Step{Acts: []Act{Pause(d), Send(text)}} }

// Run starts both worlds and runs the cases as subtests.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	t.Parallel()
	var worlds [2]*World
	for i, bin := range []Binary{Oracle(t), Subject(t)} {
		worlds[i] = startWorld(t, bin, s.Config)
	}
	seen := map[string]bool{}
	for _, c := range s.Cases {
		if seen[c.Name] {
			t.Fatalf("two cases are called %q", c.Name)
		}
		seen[c.Name] = true
		if c.AccessLines == 0 && strings.Contains(s.Config.HTTP, "logs/access.log") {
			c.AccessLines = 1
		}
		t.Run(c.Name, func(t *testing.T) { c.run(t, worlds[0], worlds[1]) })
	}
}

func (c Case) run(t *testing.T, oracle, subject *World) {
	var transcripts [2]string
	var wait sync.WaitGroup
	for i, w := range []*World{oracle, subject} {
		wait.Go(func() { transcripts[i] = c.play(t, w) })
	}
	wait.Wait()
	if lines := accessLineCount(transcripts[0]); c.AccessLines > 0 && lines != c.AccessLines {
		t.Errorf("the oracle wrote %d access log lines, the case says %d", lines, c.AccessLines)
	}
	if !strings.Contains(transcripts[0], c.Want) {
		t.Errorf("the oracle's transcript lacks %q:\n%s", c.Want, transcripts[0])
	}
	c.judge(t, transcripts[0], transcripts[1], subject.Bin.IsNginx)
}

// judge compares two transcripts as the case asks for.
func (c Case) judge(t testing.TB, want, got string, selfCheck bool) {
	t.Helper()
	switch {
	case selfCheck || c.Differs == "":
		if want != got {
			t.Errorf("differs from nginx (- nginx, + seawall):\n%s", lineDiff(want, got))
		}
	case want == got:
		t.Errorf("case names the difference %q, but there is none (any more)", c.Differs)
	case !strings.Contains(got, c.Seawall):
		t.Errorf("documented difference %q: transcript lacks %q:\n%s", c.Differs, c.Seawall, got)
	}
	if c.Differs != "" && !slices.Contains(documentedDifferences(t), c.Differs) {
		t.Errorf("docs/differences.md has no entry %q", c.Differs)
	}
}

// play runs the case in one world and writes down all that can be compared.
func (c Case) play(t *testing.T, w *World) string {
	for i, replies := range [][]Reply{c.Origin, c.Origin2, c.Origin3} {
		w.Origin[i].Script(replies...)
	}
	accessStart, errorStart := len(w.ReadFile("logs/access.log")), len(w.ReadFile("logs/error.log"))
	var b strings.Builder
	sizes := map[string]string{}
	steps := c.Steps
	if len(steps) == 0 {
		steps = []Step{Ask(c.Req)}
	}
	for i, s := range steps {
		to := s.To
		if to == "" {
			to = "port"
		}
		heard := w.dial(to).run(t, s.Acts)
		fmt.Fprintf(&b, "--- client %d\n%s", i+1, renderResponses(heard, w.Places, c.Ignore, sizes))
	}
	for i, o := range w.Origin {
		var requests []string
		for _, r := range o.Received() {
			requests = append(requests, normalRequest(r, w.Places, c.Ignore))
		}
		if c.Unordered {
			slices.Sort(requests)
		}
		for j, r := range requests {
			fmt.Fprintf(&b, "--- origin %d got request %d\n%s", i+1, j+1, r)
		}
		if more := o.More(); len(more) > 0 {
			fmt.Fprintf(&b, "--- origin %d got more\n%s\n", i+1, visible(string(more)))
		}
	}
	if c.AccessLines > 0 {
		b.WriteString(accessMark + normalAccessLog(w.accessLines(accessStart, c.AccessLines), w.Places, sizes, strings.Contains(w.ReadFile("nginx.conf"), "$bytes_sent")))
	}
	if c.ErrorLog {
		b.WriteString(errorMark + w.errorLines(errorStart))
	}
	return b.String()
}

// accessLineCount counts the lines of a transcript's access log part.
func accessLineCount(transcript string) int {
	_, rest, found := strings.Cut(transcript, accessMark)
	if !found {
		return 0
	}
	lines, _, _ := strings.Cut(rest, errorMark)
	return strings.Count(lines, "\n")
}

const (
	accessMark = "--- access log\n"
	errorMark  = "--- error log\n"
)

// logPatience bounds the wait for log lines: they are written after the answer.
const logPatience = 2 * time.Second

// accessLines waits until the access log has n lines after offset start.
func (w *World) accessLines(start, n int) string {
	deadline := time.Now().Add(logPatience)
	for {
		text := w.ReadFile("logs/access.log")[start:]
		if strings.Count(text, "\n") >= n || time.Now().After(deadline) {
			return text
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// temporaryFilePattern matches what follows the prefix in nginx's names of temporary files.
var temporaryFilePattern = regexp.MustCompile(`(temporary file) \S+,`)

// errorLines waits for at least one line about a client after offset start, and gives all of them, normalised. A second line
// that belongs to the same event was written before it or right after it: the log must have stood still for a moment.
func (w *World) errorLines(start int) string {
	deadline := time.Now().Add(logPatience)
	last, still := "", 0
	for {
		var b strings.Builder
		for line := range strings.Lines(w.ReadFile("logs/error.log")[start:]) {
			level, text, ok := normalLogLine(strings.TrimSuffix(line, "\n"), w.Places)
			// A poll of waitListening leaves "waiting for request" lines behind; no case is about those.
			if ok && strings.Contains(text, "client: ") && !strings.Contains(text, "while waiting for request") {
				fmt.Fprintf(&b, "[%s] %s\n", level, temporaryFilePattern.ReplaceAllString(text, "$1 FILE,"))
			}
		}
		if b.String() == last {
			still++
		} else {
			last, still = b.String(), 0
		}
		if last != "" && still > 20 || time.Now().After(deadline) {
			return last
		}
		time.Sleep(2 * time.Millisecond)
	}
}

var differences struct {
	sync.Once
	names []string
	err   error
}

// documentedDifferences are the entries (### name) of docs/differences.md.
func documentedDifferences(t testing.TB) []string {
	t.Helper()
	differences.Do(func() {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", "differences.md"))
		differences.err = err
		for line := range strings.Lines(string(text)) {
			if name, ok := strings.CutPrefix(line, "### "); ok {
				differences.names = append(differences.names, strings.TrimSpace(name))
			}
		}
	})
	if differences.err != nil {
		t.Fatal(differences.err)
	}
	return differences.names
}

// lineDiff shows two texts line by line with the longest common prefix and suffix folded together.
func lineDiff(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	// Longest common subsequence; transcripts are short.
	n, m := len(a), len(b)
	if n*m > 4_000_000 {
		return "- " + want + "\n+ " + got
	}
	length := make([][]int, n+1)
	for i := range length {
		length[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	var out strings.Builder
	i, j := 0, 0
	for i < n || j < m {
		switch {
		case i < n && j < m && a[i] == b[j]:
			out.WriteString("  " + a[i] + "\n")
			i++
			j++
		case i < n && (j == m || length[i+1][j] >= length[i][j+1]):
			out.WriteString("- " + a[i] + "\n")
			i++
		default:
			out.WriteString("+ " + b[j] + "\n")
			j++
		}
	}
	return out.String()
}
