package conf

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const nginxBinary = "/usr/sbin/nginx"

var complaint = regexp.MustCompile(`\[(emerg|warn)\] (?:\d+#\d+: )?(.*)`)

// verdict is what a server says of a configuration: the error, "" if there is none, and the warnings.
type verdict struct {
	err      string
	warnings []string
}

// askNginx has nginx check a file in dir.
func askNginx(t *testing.T, dir, file string) verdict {
	t.Helper()
	out, _ := exec.Command(nginxBinary, "-t", "-p", dir, "-c", file, "-e", "stderr", "-g", "pid "+dir+"/pid;").CombinedOutput()
	var v verdict
	for _, m := range complaint.FindAllStringSubmatch(string(out), -1) {
		switch {
		case m[1] == "emerg" && v.err == "":
			v.err = m[2]
		case m[1] == "warn" && !strings.Contains(m[2], "super-user privileges") && !slices.Contains(v.warnings, m[2]):
			v.warnings = append(v.warnings, m[2])
		}
	}
	return v
}

// ask has Load check a file.
func ask(dir, file string) verdict {
	cfg, err := Load(file, Options{Prefix: dir})
	if err != nil {
		e := *err.(*Error)
		e.Near, e.Note = "", ""
		return verdict{err: e.Error()}
	}
	var v verdict
	for _, n := range cfg.Notices {
		if n.Level == NoticeWarning {
			v.warnings = append(v.warnings, (&Error{File: n.Pos.File, Line: n.Pos.Line, Text: n.Text}).Error())
		}
	}
	return v
}

// In a case's text, FILE is the configuration's path and TMP its directory; ours is a deliberate difference.
type parityCase struct {
	text string
	ours string
}

func runParity(t *testing.T, cases []parityCase, wrap func(text string, nginx bool) string) {
	t.Helper()
	if _, err := os.Stat(nginxBinary); err != nil {
		t.Fatalf("%v: this test compares with nginx; install it (apt-get install nginx-light)", err)
	}
	for _, c := range cases {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o755); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "nginx.conf")
			text := strings.NewReplacer("TMP", dir).Replace(c.text)
			write := func(nginx bool) {
				if err := os.WriteFile(file, []byte(wrap(text, nginx)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write(true)
			want := askNginx(t, dir, file)
			write(false)
			got := ask(dir, file)
			place := strings.NewReplacer("FILE", file, "TMP", dir)
			if c.ours != "" {
				if oursWant := place.Replace(c.ours); got.err != oursWant {
					t.Errorf("%s\nwe say   %s\nexpected %s\nnginx    %s", text, got.err, oursWant, want.err)
				}
				return
			}
			if got.err != want.err {
				t.Errorf("%s\nwe say    %s\nnginx     %s", text, got.err, want.err)
			}
			if want.err == "" && !slices.Equal(got.warnings, want.warnings) {
				t.Errorf("%s\nwe warn   %q\nnginx     %q", text, got.warnings, want.warnings)
			}
		})
	}
}

// TestParityWholeFiles compares lexing and the outer blocks.
func TestParityWholeFiles(t *testing.T) {
	runParity(t, wholeFileCases, func(text string, _ bool) string { return text })
}

// TestParityHTTP compares what stands in http. nginx gets a line of its own so that it needs no directory of the system's.
func TestParityHTTP(t *testing.T) {
	runParity(t, httpCases, func(text string, nginx bool) string {
		second := ""
		if nginx {
			second = "client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s; access_log logs/a;"
		}
		return "events {} http {\n" + second + "\n" + text + "\n}\n"
	})
}
