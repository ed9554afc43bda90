//go:build linux

package scenario

import (
	"fmt"

	"seawall/bench/internal/load"
)

// checkTries is how often a cached page may turn out to have been asked for at the origin: what is fresh for a second may
// expire between two requests, and servers refresh in the background.
const checkTries = 4

// Check sees to it that the server does the scenario's work before any of it is measured: every page has the right status,
// length and body; the second request for a cached one does not reach the origin, and every request for another does.
// Pages that differ from request to request and those that are no 200 count as not cached whatever the scenario says. A
// floor is asked for its answers only: it has no cache to be judged.
func Check(t *Turn) error {
	for _, p := range t.Scenario.Pages {
		first, err := load.Probe(t.Server.Address, p)
		if err != nil {
			return err
		}
		if first.Closes {
			return fmt.Errorf("%s: the server closes the connection after its answer", p.Path)
		}
		if t.Server.Floor {
			continue
		}
		if cached := t.Scenario.Cached && !p.Unique && (p.Status == 0 || p.Status == 200); cached {
			err = checkCached(t, p)
		} else {
			err = checkPassed(t, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// asked makes one request and counts those that reach the origin meanwhile.
func asked(t *Turn, p load.Page) (int, error) {
	before, _, err := t.Origin.Counts()
	if err != nil {
		return 0, err
	}
	if _, err := load.Probe(t.Server.Address, p); err != nil {
		return 0, err
	}
	after, _, err := t.Origin.Counts()
	return after - before, err
}

func checkCached(t *Turn, p load.Page) error {
	for range checkTries {
		if n, err := asked(t, p); err != nil || n == 0 {
			return err
		}
	}
	return fmt.Errorf("%s: is not cached: %d requests in a row reached the origin", p.Path, checkTries)
}

func checkPassed(t *Turn, p load.Page) error {
	n, err := asked(t, p)
	if err == nil && n == 0 {
		return fmt.Errorf("%s: was answered without the origin, which is to be asked each time", p.Path)
	}
	return err
}
