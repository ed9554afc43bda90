package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// badCommandLines are those that nginx refuses, with what it says.
var badCommandLines = []struct {
	args []string
	want string
}{
	{[]string{"-x"}, `invalid option: "x"`},
	{[]string{"-qx"}, `invalid option: "x"`},
	{[]string{"--help"}, `invalid option: "-"`},
	{[]string{"foo"}, `invalid option: "foo"`},
	{[]string{""}, `invalid option: ""`},
	{[]string{"-t", "foo"}, `invalid option: "foo"`},
	{[]string{"-c"}, `option "-c" requires file name`},
	{[]string{"-tc"}, `option "-c" requires file name`},
	{[]string{"-e"}, `option "-e" requires file name`},
	{[]string{"-p"}, `option "-p" requires directory name`},
	{[]string{"-g"}, `option "-g" requires parameter`},
	{[]string{"-s"}, `option "-s" requires parameter`},
	{[]string{"-s", "foo"}, `invalid option: "-s foo"`},
	{[]string{"-sfoo"}, `invalid option: "-s foo"`},
	{[]string{"-s", ""}, `invalid option: "-s "`},
}

func TestBadCommandLinesAreRefusedInNginxWords(t *testing.T) {
	for _, c := range badCommandLines {
		var stdout, stderr bytes.Buffer
		code := (&command{stdout: &stdout, stderr: &stderr}).run(c.args)
		if want := "seawall: " + c.want + "\n"; code != 1 || stderr.String() != want || stdout.Len() > 0 {
			t.Errorf("%q: exit %d, %q, want 1, %q", c.args, code, stderr.String(), want)
		}
	}
}

// TestNginxSaysTheSame runs the table against the real thing: the words above are its own.
func TestNginxSaysTheSame(t *testing.T) {
	nginx := requireNginx(t)
	for _, c := range badCommandLines {
		out, err := exec.Command(nginx, c.args...).CombinedOutput()
		if want := "nginx: " + c.want + "\n"; err == nil || string(out) != want {
			t.Errorf("nginx %q: %v, %q, want %q", c.args, err, out, want)
		}
	}
}

func TestParseFlags(t *testing.T) {
	cases := []struct {
		args string
		want func(*flags)
	}{
		{"", func(f *flags) {}},
		{"-", func(f *flags) {}}, // nginx: nothing after the dash is no error
		{"-t", func(f *flags) { f.test = true }},
		{"-tq", func(f *flags) { f.test, f.quiet = true, true }},
		{"-T", func(f *flags) { f.test, f.dump = true, true }},
		{"-v", func(f *flags) { f.version = true }},
		{"-V", func(f *flags) { f.version, f.buildInfo = true, true }},
		{"-h", func(f *flags) { f.version, f.help = true, true }},
		{"-?", func(f *flags) { f.version, f.help = true, true }},
		{"-c x.conf", func(f *flags) { f.confFile, f.confGiven = "x.conf", true }},
		{"-tcx.conf", func(f *flags) { f.test, f.confFile, f.confGiven = true, "x.conf", true }},
		{"-tc x.conf -q", func(f *flags) { f.test, f.quiet, f.confFile, f.confGiven = true, true, "x.conf", true }},
		{"-c -t", func(f *flags) { f.confFile, f.confGiven = "-t", true }},
		{"-p /srv -e stderr", func(f *flags) {
			f.prefix, f.prefixGiven, f.errorLog, f.errorLogGiven = "/srv", true, "stderr", true
		}},
		{"-s quit", func(f *flags) { f.signal = "quit" }},
		{"-sreload", func(f *flags) { f.signal = "reload" }},
		{"-g daemon_off;", func(f *flags) { f.globals = "daemon_off;" }},
	}
	for _, c := range cases {
		want, _ := parseFlags(nil)
		c.want(&want)
		if got, err := parseFlags(strings.Fields(c.args)); err != nil || got != want {
			t.Errorf("%s:\ngot  %+v, %v\nwant %+v", c.args, got, err, want)
		}
	}
}

func TestPathsAreTakenAgainstThePrefix(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, c := range []struct{ args, prefix, conf string }{
		{"", dir, dir + "/conf/nginx.conf"},
		{"-c x.conf", dir, dir + "/x.conf"},
		{"-c /etc/x.conf", dir, "/etc/x.conf"},
		{"-p /srv -c x.conf", "/srv", "/srv/x.conf"},
		{"-p sub/", dir + "/sub", dir + "/sub/conf/nginx.conf"},
	} {
		f, err := parseFlags(strings.Fields(c.args))
		if err != nil {
			t.Fatal(err)
		}
		if prefix, conf, err := f.paths(); err != nil || prefix != c.prefix || conf != c.conf {
			t.Errorf("%s: %s, %s, %v; want %s, %s", c.args, prefix, conf, err, c.prefix, c.conf)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	for args, wants := range map[string][]string{
		"-v": {"seawall version: " + serverVersion + "\n"},
		"-h": {"seawall version: ", "-s signal", "USR1", "USR2, WINCH", "seawall demo"},
		"-V": {"seawall version: ", "built with go", "http_proxy"},
	} {
		var stdout, stderr bytes.Buffer
		if code := (&command{stdout: &stdout, stderr: &stderr}).run([]string{args}); code != 0 {
			t.Errorf("%s: exit %d", args, code)
		}
		for _, want := range wants {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("%s lacks %q:\n%s", args, want, stderr.String())
			}
		}
	}
}

func requireNginx(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("nginx is missing; install it with: apt-get install -y nginx-light (make test does)")
	return ""
}
