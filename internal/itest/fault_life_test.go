package itest

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Faults and events of the server's own life: reloads, signals, shutting down.

const lifeServer = `
location / { return 200 "first\n"; }
location /slow { proxy_buffering off; proxy_pass http://127.0.0.1:{{origin}}; }
`

// rewrite replaces a text of the world's configuration file.
func (w *World) rewrite(from, to string) {
	w.t.Helper()
	old := w.ReadFile("nginx.conf")
	if !strings.Contains(old, from) {
		w.t.Fatalf("nginx.conf has no %q", from)
	}
	if err := os.WriteFile(w.Prefix+"/nginx.conf", []byte(strings.Replace(old, from, to, 1)), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// A hundred reloads under load: no request fails and no connection is reset.
func TestFaultHundredReloadsUnderLoad(t *testing.T) {
	onSeawall(t, Config{Server: lifeServer, Master: true}, func(t *testing.T, w *World) {
		wrk := requireTool(t, "wrk")
		var output []byte
		var failed error
		var load sync.WaitGroup
		load.Go(func() {
			output, failed = exec.Command(wrk, "-t1", "-c32", "-d8s", "http://"+w.addr("port")+"/").CombinedOutput()
		})
		names := []string{"first", "second"}
		for i := range 100 {
			w.rewrite(names[i%2], names[(i+1)%2])
			w.Signal(syscall.SIGHUP)
			time.Sleep(50 * time.Millisecond)
		}
		load.Wait()
		if failed != nil {
			t.Fatalf("wrk: %v\n%s", failed, output)
		}
		mustContain(t, string(output), "Requests/sec")
		mustNotContain(t, string(output), "Socket errors")
		mustNotContain(t, string(output), "Non-2xx")
		mustContain(t, w.AskText(get("/")), "first")
	})
}

// New connections at every moment of a reload: none is refused or reset.
func TestFaultReloadsLoseNoNewConnection(t *testing.T) {
	onSeawall(t, Config{Server: lifeServer, Master: true}, func(t *testing.T, w *World) {
		stop := make(chan struct{})
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if answer := w.AskText(get("/")); !strings.Contains(answer, "200 OK") {
						t.Errorf("got %s", answer)
						return
					}
				}
			})
		}
		for range 40 {
			w.Signal(syscall.SIGHUP)
			time.Sleep(20 * time.Millisecond)
		}
		close(stop)
		clients.Wait()
	})
}

func TestFaultReloadKeepsRequestsAndConnections(t *testing.T) {
	onSeawall(t, Config{Server: lifeServer, Master: true}, func(t *testing.T, w *World) {
		release := make(chan struct{})
		w.Origin[0].Script(Does(Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234"), Hold(release), Send("56789")))
		heard := w.Ask(
			Send(keep("GET", "/", "")), Await(1), Send(get("/slow")), AwaitText("01234"),
			Call(func() {
				w.rewrite("first", "second")
				w.Signal(syscall.SIGHUP)
				waitAnswer(t, w, "/", "second")
				close(release)
			}))
		mustContain(t, string(heard.Raw), "0123456789")
		idle := w.Ask(
			Send(keep("GET", "/", "")), Await(1),
			Call(func() {
				w.rewrite("second", "third")
				w.Signal(syscall.SIGHUP)
				waitAnswer(t, w, "/", "third")
			}),
			Send(get("/")))
		mustContain(t, string(idle.Raw), "second")
		mustContain(t, string(idle.Raw), "third")
	})
}

func TestFaultReloadOpensAndClosesListeners(t *testing.T) {
	cfg := Config{Server: lifeServer, Master: true}
	onBoth(t, cfg, func(t *testing.T, w *World) {
		w.rewrite("listen 127.0.0.1:"+w.Places["port"]+";", "listen 127.0.0.1:"+w.Places["port"]+"; listen 127.0.0.1:"+w.Places["port2"]+";")
		w.Signal(syscall.SIGHUP)
		w.waitListening("port2")
		w.rewrite("listen 127.0.0.1:"+w.Places["port2"]+";", "")
		w.Signal(syscall.SIGHUP)
		deadline := time.Now().Add(5 * time.Second)
		for {
			conn, err := net.Dial("tcp4", w.addr("port2"))
			if err != nil {
				break
			}
			_ = conn.Close()
			if time.Now().After(deadline) {
				t.Fatal("the second port still accepts")
			}
			time.Sleep(5 * time.Millisecond)
		}
		mustContain(t, w.AskText(get("/")), "first")
	})
}

func TestFaultBadConfigurationOnReloadChangesNothing(t *testing.T) {
	onBoth(t, Config{Server: lifeServer, Master: true}, func(t *testing.T, w *World) {
		w.rewrite("first", "second")
		for _, broken := range [][2]string{
			{"zzqqxx on;", "unknown directive \"zzqqxx\""},
			{"client_max_body_size 1x;", "\"client_max_body_size\" directive invalid value"},
		} {
			w.rewrite("location / ", broken[0]+"\nlocation / ")
			w.Signal(syscall.SIGHUP)
			w.waitLog("logs/error.log", "[emerg]")
			w.waitLog("logs/error.log", broken[1])
			mustContain(t, w.AskText(get("/")), "first")
			w.rewrite(broken[0]+"\nlocation / ", "location / ")
		}
		// A port that is taken is found only when it is opened.
		w.rewrite("listen 127.0.0.1:"+w.Places["port"]+";", "listen 127.0.0.1:"+w.Places["port"]+"; listen 127.0.0.1:"+w.Places["origin2"]+";")
		w.Signal(syscall.SIGHUP)
		w.waitLog("logs/error.log", "(98: Address already in use)")
		mustContain(t, w.AskText(get("/")), "first")
	})
}

func TestFaultQuitFinishesRequests(t *testing.T) {
	onBoth(t, Config{Server: lifeServer, Master: true}, func(t *testing.T, w *World) {
		release := make(chan struct{})
		w.Origin[0].Script(Does(Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234"), Hold(release), Send("56789")))
		var idle Heard
		var idler sync.WaitGroup
		ready := make(chan struct{})
		idler.Go(func() {
			idle = w.Ask(Send(keep("GET", "/", "")), Await(1), Call(func() { close(ready) }))
		})
		<-ready
		heard := w.Ask(Send(keep("GET", "/slow", "")), AwaitText("01234"), Call(func() {
			w.Signal(syscall.SIGQUIT)
			deadline := time.Now().Add(5 * time.Second)
			for {
				conn, err := net.Dial("tcp4", w.addr("port"))
				if err != nil {
					break
				}
				_ = conn.Close()
				if time.Now().After(deadline) {
					t.Error("new connections are still accepted after QUIT")
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			close(release)
		}))
		mustContain(t, string(heard.Raw), "0123456789")
		if heard.End != EndClosed {
			t.Errorf("the connection of the finished request: %s", heard.End)
		}
		idler.Wait()
		if idle.End != EndClosed {
			t.Errorf("the idle connection: %s", idle.End)
		}
		if code := w.waitExit(5 * time.Second); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if _, err := os.Stat(w.Prefix + "/logs/nginx.pid"); err == nil {
			t.Error("the pid file is left")
		}
	})
}

func TestFaultTermEndsAtOnce(t *testing.T) {
	t.Parallel()
	for name, sig := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, Config{Server: lifeServer, Master: true}, func(t *testing.T, w *World) {
				w.Origin[0].Script(Does(Stall()))
				w.Ask(Send(get("/slow")), Call(func() {
					w.Origin[0].WaitRequests(1)
					w.Signal(sig)
				}))
				if code := w.waitExit(3 * time.Second); code != 0 {
					t.Errorf("exit code %d", code)
				}
			})
		})
	}
}

func TestFaultReopenLogs(t *testing.T) {
	cfg := Config{HTTP: "log_format f '$uri'; access_log {{prefix}}/logs/access.log f;", Server: lifeServer, Master: true}
	onBoth(t, cfg, func(t *testing.T, w *World) {
		w.AskText(get("/before"))
		w.waitLog("logs/access.log", "/before")
		for _, name := range []string{"access.log", "error.log"} {
			if err := os.Rename(w.Prefix+"/logs/"+name, w.Prefix+"/logs/old-"+name); err != nil {
				t.Fatal(err)
			}
		}
		w.Signal(syscall.SIGUSR1)
		waitFile(t, w.Prefix+"/logs/access.log")
		waitFile(t, w.Prefix+"/logs/error.log")
		deadline := time.Now().Add(5 * time.Second)
		for !strings.Contains(w.ReadFile("logs/access.log"), "/after") {
			// nginx's worker reopens a moment after its master made the file.
			w.AskText(get("/after"))
			if time.Now().After(deadline) {
				t.Fatal("nothing is written to the new log")
			}
			time.Sleep(10 * time.Millisecond)
		}
		mustNotContain(t, w.ReadFile("logs/access.log"), "/before")
		w.AskText("get / HTTP/1.1\r\n\r\n")
		w.waitLog("logs/error.log", "client sent invalid method")
	})
}

// The pid file holds the started process's own id with daemon off.
func TestPidFile(t *testing.T) {
	onBoth(t, Config{Server: lifeServer, Master: true}, func(t *testing.T, w *World) {
		w.waitLog("logs/nginx.pid", itoa(w.Pid())+"\n")
	})
}

func TestPortThatIsTaken(t *testing.T) {
	t.Parallel()
	for _, find := range []func(testing.TB) Binary{Oracle, Subject} {
		bin := find(t)
		t.Run(map[bool]string{true: "nginx", false: "seawall"}[bin.IsNginx], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, bin, Config{Whole: strings.Replace(goodFile, "{{port}}", "{{origin}}", 1)})
			out := w.runCommand(t, append(append([]string(nil), lifeArgs...), "-g", "daemon off;")...)
			mustContain(t, out.Stderr, "bind() to 127.0.0.1:"+w.Places["origin"]+" failed (98: Address already in use)")
			if out.Code != 1 {
				t.Errorf("exit code %d", out.Code)
			}
		})
	}
}
