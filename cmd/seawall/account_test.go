package main

import (
	"os"
	"testing"
)

func TestAccountCountsOnlyForRoot(t *testing.T) {
	a, err := lookUpAccount("no-such-user-here", "")
	if os.Geteuid() != 0 {
		if err != nil || a.given() {
			t.Errorf("started by an ordinary user: %+v, %v", a, err)
		}
		return
	}
	if err == nil || err.Error() != `getpwnam("no-such-user-here") failed` {
		t.Errorf("unknown user: %v", err)
	}
	if _, err := lookUpAccount("root", "no-such-group-here"); err == nil || err.Error() != `getgrnam("no-such-group-here") failed` {
		t.Errorf("unknown group: %v", err)
	}
	if a, err := lookUpAccount("root", "root"); err != nil || !a.given() || a.uid != 0 {
		t.Errorf("root: %+v, %v", a, err)
	}
}
