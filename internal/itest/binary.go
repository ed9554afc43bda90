package itest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Binary is a server that understands nginx's configuration and flags.
type Binary struct {
	Path    string
	IsNginx bool // gets the lines that only nginx needs (temporary paths, master_process off)
}

// installHint is what a test says when one of Debian's packages is missing; make test installs them.
const installHint = "install it with: apt-get install -y nginx-light wrk (make test does)"

// Oracle is Debian's nginx. A machine without it fails the test: parity that is not checked is not parity.
func Oracle(t testing.TB) Binary {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		if _, statErr := os.Stat("/usr/sbin/nginx"); statErr != nil {
			t.Fatalf("nginx is missing: %s", installHint)
		}
		path = "/usr/sbin/nginx"
	}
	return Binary{Path: path, IsNginx: true}
}

// requireTool gives the path of a program or fails with a hint.
func requireTool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: %s", name, installHint)
	}
	return path
}

var built struct {
	sync.Once
	dir, path string
	err       error
	output    string
}

// Subject is the server under test: cmd/seawall, built once per run, or what ITEST_SUBJECT names.
func Subject(t testing.TB) Binary {
	t.Helper()
	switch named := os.Getenv("ITEST_SUBJECT"); named {
	case "":
	case "nginx":
		return Oracle(t)
	default:
		return Binary{Path: named}
	}
	built.Do(buildSubject)
	if built.err != nil {
		t.Fatalf("building cmd/seawall: %v\n%s", built.err, built.output)
	}
	return Binary{Path: built.path}
}

func buildSubject() {
	built.dir, built.err = os.MkdirTemp("", "seawall-itest-")
	if built.err != nil {
		return
	}
	built.path = filepath.Join(built.dir, "seawall")
	args := []string{"build", "-o", built.path}
	if os.Getenv("ITEST_RACE") != "" {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "seawall/cmd/seawall")...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	built.err = cmd.Run()
	built.output = out.String()
}

// removeBuilt deletes the built binary at the end of the run.
func removeBuilt() {
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
}
