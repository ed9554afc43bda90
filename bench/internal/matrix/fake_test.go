//go:build linux

package matrix

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"seawall/bench/internal/lab"
	"seawall/bench/internal/load"
	"seawall/bench/internal/peer"
	"seawall/bench/internal/result"
	"seawall/bench/internal/scenario"
)

// The test's own program plays the servers: what FAKE_SERVER says is how it behaves.
func TestMain(m *testing.M) {
	if behaviour := os.Getenv("FAKE_SERVER"); behaviour != "" {
		fmt.Fprintln(os.Stderr, serve(behaviour, os.Getenv("FAKE_LISTEN")))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const (
	right = "right"
	wrong = "wrong" // another body than the scenario wants
	dying = "dying" // ends at once
)

func serve(behaviour, listen string) error {
	if behaviour == dying {
		return fmt.Errorf("no heart for it")
	}
	body := strings.Repeat("abcdefghijklmnopqrstuvwxyz", 40)[:1024]
	if behaviour == wrong {
		body = strings.ToUpper(body)
	}
	http.HandleFunc("/return", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	http.HandleFunc("/1k", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
	return http.ListenAndServe(listen, nil)
}

func fake(t *testing.T, name, behaviour string) peer.Kind {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return peer.Kind{Name: name, Program: program, Can: peer.Cache | peer.Return, Command: func(s peer.Site) (peer.Command, error) {
		return peer.Command{Argv: []string{program}, Env: []string{"FAKE_SERVER=" + behaviour, "FAKE_LISTEN=" + s.Listen.String()}}, nil
	}}
}

// phases is a method that is made up in a test.
type phases []scenario.Phase

func (p phases) Phases() []scenario.Phase { return p }

func shortly(scenario.Options) time.Duration { return 10 * time.Millisecond }

func made(name string, method scenario.Method) scenario.Scenario {
	return scenario.Scenario{
		Name: name, Group: "made", About: "what a test does", Why: "it is one", Needs: peer.Cache, Cached: true,
		Pages: []load.Page{{Path: "/1k", Size: 1024}}, Metrics: []string{result.CPU}, Method: method,
	}
}

// turns records who had a turn, and gives each a value.
type turns struct{ list []string }

func (ts *turns) take(t *scenario.Turn) error {
	ts.list = append(ts.list, t.Subject)
	t.Round.Values[result.CPU] = float64(len(ts.list))
	return nil
}

func (ts *turns) String() string { return strings.Join(ts.list, " ") }

func openLab(t *testing.T, ctx context.Context) *lab.Lab {
	t.Helper()
	l, err := lab.Open(ctx, lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func run(t *testing.T, ctx context.Context, p Plan) *result.Run {
	t.Helper()
	got, err := Run(ctx, openLab(t, ctx), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
