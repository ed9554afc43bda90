//go:build linux

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestInstallAsksTheScriptForWhatIsMissing(t *testing.T) {
	root, bin := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(root, "go.mod"), "module seawall\n\ngo 1.26\n")
	// It "installs" every program but unobtainium.
	write(filepath.Join(root, "tools", "setup.sh"), `#!/bin/sh
echo "asked for $*"
for pair; do
	[ "${pair%%:*}" = unobtainium ] && exit 1
	printf '#!/bin/sh\n' >"$BIN/${pair%%:*}"; chmod 755 "$BIN/${pair%%:*}"
done
`)
	below := filepath.Join(root, "bench", "internal")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(below)
	t.Setenv("BIN", bin)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))

	install := func(packages ...Package) (string, error) {
		var out strings.Builder
		err := Install(t.Context(), packages, &out)
		return out.String(), err
	}
	if out, err := install(Package{Program: "sh", Debian: "dash"}); err != nil || out != "" {
		t.Errorf("what is there: %q, %v", out, err)
	}
	out, err := install(Package{"seawall-a", "a", false}, Package{"unobtainium", "u", true}, Package{"seawall-b", "b c", false},
		Package{"seawall-d", "d", true}, Package{"nobody-packs-it", "", true})
	if err != nil || !strings.Contains(out, "asked for seawall-a:a seawall-b:b,c\n") || !strings.Contains(out, "asked for seawall-d:d\n") ||
		!strings.Contains(out, "unobtainium is not here") || strings.Contains(out, "asked for nobody") || !strings.Contains(out, "nobody-packs-it is not") {
		t.Errorf("got %q, %v", out, err)
	}
	if _, ok := Find("seawall-d"); !ok {
		t.Error("what comes after a failure was not installed")
	}
	if _, err := install(Package{"unobtainium", "u", false}); err == nil || !strings.Contains(err.Error(), "apt-get install --no-install-recommends u") {
		t.Errorf("got %v", err)
	}
	if out, err := install(Package{"/opt/seawall-e", "e", false}); err == nil || strings.Contains(out, "asked") {
		t.Errorf("a path: %q, %v", out, err)
	}
	t.Chdir(t.TempDir())
	if _, err := install(Package{"unobtainium", "u", false}); err == nil || !strings.Contains(err.Error(), "source tree") {
		t.Errorf("got %v", err)
	}
}

func TestSetupScriptTakesPairsOnly(t *testing.T) {
	script, err := setupScript()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(script, "sh:dash", "cat:coreutils,dash").CombinedOutput(); err != nil || len(text) > 0 {
		t.Errorf("what is there: %q, %v", text, err)
	}
	for _, bad := range []string{"sh", "sh:", ":dash", "sh:dash;id", "--yes:no"} {
		if text, err := exec.Command(script, bad).CombinedOutput(); err == nil || !strings.Contains(string(text), "is expected") {
			t.Errorf("%q: %q, %v", bad, text, err)
		}
	}
}

func TestFind(t *testing.T) {
	if path, ok := Find("sh"); !ok || !strings.HasPrefix(path, "/") {
		t.Errorf("sh: %q, %t", path, ok)
	}
	for _, name := range []string{"no-such-program", "/no/such/program", "./sh"} {
		if path, ok := Find(name); ok {
			t.Errorf("%s: %q", name, path)
		}
	}
}
