package itest

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// goodFile is a complete small configuration.
const goodFile = `{{nginx main}} pid {{prefix}}/logs/nginx.pid;
error_log {{prefix}}/logs/error.log notice;
worker_processes 1;
events { worker_connections 128; }
http { {{nginx http}}
    access_log {{prefix}}/logs/access.log;
    server { listen 127.0.0.1:{{port}}; location / { return 200 "first\n"; } }
}
`

// both gives two worlds that are not started.
func both(t *testing.T, cfg Config) [2]*World {
	t.Helper()
	return [2]*World{newWorld(t, Oracle(t), cfg), newWorld(t, Subject(t), cfg)}
}

// compareCommand runs both binaries with the arguments; judge says whether a difference is expected.
func compareCommand(t *testing.T, judge Case, cfg Config, want string, args ...string) {
	t.Helper()
	worlds := both(t, cfg)
	var texts [2]string
	for i, w := range worlds {
		texts[i] = w.runCommand(t, args...).normal(w.Places)
		if w.Bin.IsNginx {
			texts[i] = strings.ReplaceAll(texts[i], strings.ReplaceAll(nginxTempPaths, "\n", " "), "")
			texts[i] = strings.ReplaceAll(texts[i], "user root;", "")
		}
	}
	if !strings.Contains(texts[0], want) {
		t.Errorf("the oracle's output lacks %q:\n%s", want, texts[0])
	}
	judge.judge(t, texts[0], texts[1], worlds[1].Bin.IsNginx)
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	base := []string{"-p", "{{prefix}}", "-c", "{{prefix}}/nginx.conf", "-e", "{{prefix}}/logs/early.log"}
	with := func(args ...string) []string { return append(append([]string(nil), base...), args...) }
	bad := strings.Replace(goodFile, "worker_processes 1;", "workerprocesses 1;", 1)
	for _, c := range []struct {
		name, file string
		args       []string
		want       string
	}{
		{"-t", goodFile, with("-t"), "syntax is ok"},
		{"-t with an error", bad, with("-t"), "unknown directive \"workerprocesses\""},
		{"-q -t", goodFile, with("-q", "-t"), "exit code 0"},
		{"-q -t with an error", bad, with("-q", "-t"), "exit code 1"},
		{"-tq in one", goodFile, with("-tq"), "exit code 0"},
		{"-T", goodFile, with("-T"), "# configuration file"},
		{"-v", goodFile, []string{"-v"}, "PRODUCT/VERSION"},
		{"-g", goodFile, with("-t", "-g", "worker_rlimit_core 1m;"), "syntax is ok"},
		{"-g with an unknown directive", goodFile, with("-t", "-g", "zzqqxx on;"), "in command line"},
		{"-g that repeats what the file says", goodFile, with("-t", "-g", "worker_processes 2;"), "duplicate"},
		{"-g without semicolon", goodFile, with("-t", "-g", "daemon off"), "exit code"},
		{"unknown option", goodFile, with("-x"), "invalid option: \"x\""},
		{"long option", goodFile, []string{"--version"}, "invalid option"},
		{"argument without dash", goodFile, []string{"start"}, "invalid option: \"start\""},
		{"-c without a name", goodFile, []string{"-c"}, "requires file name"},
		{"-p without a name", goodFile, []string{"-p"}, "requires directory name"},
		{"-e without a name", goodFile, []string{"-e"}, "requires file name"},
		{"-g without a text", goodFile, []string{"-g"}, "requires parameter"},
		{"-s without a signal", goodFile, []string{"-s"}, "requires parameter"},
		{"-s with an unknown signal", goodFile, with("-s", "jump"), "invalid option: \"-s jump\""},
		{"-s without a pid file", goodFile, with("-s", "stop"), "nginx.pid\" failed (2: No such file or directory)"},
		{"-c of a file that is missing", goodFile, []string{"-t", "-p", "{{prefix}}", "-e", "{{prefix}}/e.log", "-c", "{{prefix}}/missing.conf"}, "open()"},
		{"-c relative to the prefix", goodFile, []string{"-t", "-p", "{{prefix}}", "-e", "{{prefix}}/e.log", "-c", "nginx.conf"}, "syntax is ok"},
		{"-p with a slash at the end", goodFile, []string{"-t", "-p", "{{prefix}}/", "-e", "{{prefix}}/e.log", "-c", "nginx.conf"}, "syntax is ok"},
		{"values glued to options", goodFile, []string{"-t", "-p{{prefix}}/", "-e{{prefix}}/e.log", "-cnginx.conf"}, "syntax is ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			compareCommand(t, Case{}, Config{Whole: c.file}, c.want, c.args...)
		})
	}
	t.Run("-s with a pid file that holds no number", func(t *testing.T) {
		t.Parallel()
		compareCommand(t, Case{}, Config{Whole: goodFile, Files: map[string]string{"logs/nginx.pid": "abc\n"}}, "invalid PID number", with("-s", "stop")...)
	})
	t.Run("-h names every option", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Subject(t), Config{Whole: goodFile})
		for _, flag := range []string{"-h", "-?"} {
			out := w.runCommand(t, flag)
			for _, option := range []string{"-h", "-v", "-V", "-t", "-T", "-q", "-s signal", "-p prefix", "-e filename", "-c filename", "-g directives"} {
				mustContain(t, out.Stdout+out.Stderr, option)
			}
			if out.Code != 0 {
				t.Errorf("exit code %d", out.Code)
			}
		}
	})
	t.Run("-V says what is built in", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Subject(t), Config{Whole: goodFile})
		out := w.runCommand(t, "-V")
		if lines := strings.Count(out.Stderr, "\n"); lines < 2 || out.Code != 0 {
			t.Errorf("%d lines, exit code %d:\n%s", lines, out.Code, out.Stderr)
		}
	})
}

// lifeArgs start a server as a daemon.
var lifeArgs = []string{"-p", "{{prefix}}", "-c", "{{prefix}}/nginx.conf", "-e", "{{prefix}}/logs/error.log"}

// startDaemon runs the binary, which must return at once with a server listening; the cleanup makes sure that it is gone.
func startDaemon(t *testing.T, bin Binary) (w *World, pid int) {
	t.Helper()
	w = newWorld(t, bin, Config{Whole: goodFile})
	out := w.runCommand(t, lifeArgs...)
	if out.Code != 0 {
		t.Fatalf("exit code %d: %s%s", out.Code, out.Stderr, w.ReadFile("logs/error.log"))
	}
	w.exited = make(chan struct{})
	w.waitListening("port")
	pid, err := strconv.Atoi(strings.TrimSpace(w.ReadFile("logs/nginx.pid")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if alive(pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Errorf("the daemon %d was left behind", pid)
		}
	})
	return w, pid
}

// alive reports whether a process runs. One that has ended but that nobody reaps (an orphan in a container) does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// waitGone waits until a process that is not our child has ended.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for alive(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d does not end", pid)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestDaemonStopQuitReloadReopen(t *testing.T) {
	t.Parallel()
	for _, find := range []func(testing.TB) Binary{Oracle, Subject} {
		bin := find(t)
		t.Run(map[bool]string{true: "nginx", false: "seawall"}[bin.IsNginx], func(t *testing.T) {
			for _, signal := range []string{"stop", "quit"} {
				w, pid := startDaemon(t, bin)
				mustContain(t, w.AskText(get("/")), "first")
				send := func(name string) {
					t.Helper()
					out := w.runCommand(t, append(append([]string(nil), lifeArgs...), "-s", name)...)
					if out.Code != 0 {
						t.Errorf("-s %s: exit code %d: %s", name, out.Code, out.Stderr)
					}
				}
				if signal == "stop" {
					w.WriteFile("nginx.conf", strings.Replace(Config{Whole: goodFile}.text(bin), "first", "second", 1))
					send("reload")
					waitAnswer(t, w, "/", "second")
					if err := os.Rename(w.Prefix+"/logs/access.log", w.Prefix+"/logs/access.old"); err != nil {
						t.Error(err)
					}
					send("reopen")
					waitFile(t, w.Prefix+"/logs/access.log")
					mustContain(t, w.AskText(get("/after-reopen")), "second")
					w.waitLog("logs/access.log", "/after-reopen")
				}
				send(signal)
				waitGone(t, pid)
				if _, err := os.Stat(w.Prefix + "/logs/nginx.pid"); err == nil {
					t.Errorf("-s %s left the pid file", signal)
				}
			}
		})
	}
}

// waitAnswer asks until the answer holds text.
func waitAnswer(t *testing.T, w *World, target, text string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		answer := w.AskText(get(target))
		if strings.Contains(answer, text) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: no %q in the answer:\n%s", w.Bin.Path, text, answer)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func waitFile(t *testing.T, path string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not appear", path)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
