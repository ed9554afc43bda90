package itest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// onBoth runs a named test against nginx (which shows that the test itself is sound) and against the subject.
func onBoth(t *testing.T, cfg Config, test func(t *testing.T, w *World)) {
	t.Helper()
	t.Parallel()
	for _, which := range []struct {
		name string
		find func(testing.TB) Binary
	}{{"nginx", Oracle}, {"seawall", Subject}} {
		t.Run(which.name, func(t *testing.T) {
			t.Parallel()
			test(t, startWorld(t, which.find(t), cfg))
		})
	}
}

// onSeawall runs a named test against the subject only.
func onSeawall(t *testing.T, cfg Config, test func(t *testing.T, w *World)) {
	t.Helper()
	t.Parallel()
	if Subject(t).IsNginx {
		return // ITEST_SUBJECT=nginx: nginx does not promise this
	}
	test(t, startWorld(t, Subject(t), cfg))
}

// crowd runs n scripted clients at once and gives what each heard, normalised.
func crowd(w *World, n int, acts func(i int) []Act) []string {
	out := make([]string, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { out[i] = normalResponses(w.dial("port").run(w.t, acts(i)), w.Places, nil) })
	}
	wait.Wait()
	return out
}

func mustContain(t testing.TB, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("lacks %q:\n%.3000s", want, text)
	}
}

func mustNotContain(t testing.TB, text, bad string) {
	t.Helper()
	if strings.Contains(text, bad) {
		t.Errorf("must not have %q:\n%.3000s", bad, text)
	}
}

const lockedCache = cacheServer + `
proxy_cache_valid 200 1s;
proxy_cache_lock on;
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /timeout { proxy_cache_lock_timeout 300ms; proxy_pass http://127.0.0.1:{{origin}}; }
location /age { proxy_cache_lock_age 300ms; proxy_pass http://127.0.0.1:{{origin}}; }
location /updating { proxy_cache_use_stale updating; proxy_pass http://127.0.0.1:{{origin}}; }
`

func TestCacheLockSendsOneRequest(t *testing.T) {
	onBoth(t, Config{HTTP: cacheHTTP, Server: lockedCache}, func(t *testing.T, w *World) {
		release := make(chan struct{})
		w.Origin[0].Script(Does(Hold(release), Send(reply("200 OK", "one for all"))))
		go func() {
			w.Origin[0].WaitRequests(1)
			time.Sleep(200 * time.Millisecond) // the others must have had the time to arrive
			close(release)
		}()
		for _, answer := range crowd(w, 20, func(int) []Act { return []Act{Send(get("/x"))} }) {
			mustContain(t, answer, "one for all")
		}
		if n := len(w.Origin[0].Received()); n != 1 {
			t.Errorf("the backend got %d requests", n)
		}
	})
}

// With nginx a follower polls; with Seawall it streams. Either way the answer is whole.
func TestCacheLockFollowersGetTheWholeSlowAnswer(t *testing.T) {
	onBoth(t, Config{HTTP: cacheHTTP, Server: lockedCache}, func(t *testing.T, w *World) {
		part := strings.Repeat("0123456789abcdef", 4096)
		w.Origin[0].Script(Does(
			Send("HTTP/1.1 200 OK\r\nContent-Length: "+itoa(3*len(part))+"\r\n\r\n"+part), Pause(100*time.Millisecond),
			Send(part), Pause(100*time.Millisecond), Send(part)))
		answers := crowd(w, 10, func(int) []Act { return []Act{Send(get("/slow"))} })
		for _, a := range answers {
			mustContain(t, a, fmt.Sprintf("%d bytes, hash %x", 3*len(part), hashText(part+part+part)))
		}
		if n := len(w.Origin[0].Received()); n != 1 {
			t.Errorf("the backend got %d requests", n)
		}
	})
}

func TestCacheLockFailureWakesTheWaiting(t *testing.T) {
	onBoth(t, Config{HTTP: cacheHTTP, Server: lockedCache}, func(t *testing.T, w *World) {
		release := make(chan struct{})
		w.Origin[0].Script(Does(Hold(release), Close()), Answer(reply("200 OK", "later")))
		go func() {
			w.Origin[0].WaitRequests(1)
			time.Sleep(100 * time.Millisecond)
			close(release)
		}()
		served := 0
		for _, a := range crowd(w, 5, func(int) []Act { return []Act{Send(get("/fails"))} }) {
			if strings.Contains(a, "later") {
				served++
			} else {
				mustContain(t, a, "502 Bad Gateway")
			}
		}
		if served < 4 {
			t.Errorf("only %d of the other four clients were served after the first one's failure", served)
		}
	})
}

func TestCacheLockUncacheableAnswerReachesEverybodyOnHisOwn(t *testing.T) {
	onBoth(t, Config{HTTP: cacheHTTP, Server: lockedCache}, func(t *testing.T, w *World) {
		w.Origin[0].Script(Does(Pause(100*time.Millisecond), Send(reply("200 OK", "mine", "Set-Cookie: u=1"))))
		for _, a := range crowd(w, 5, func(int) []Act { return []Act{Send(get("/personal"))} }) {
			mustContain(t, a, "mine")
		}
		if n := len(w.Origin[0].Received()); n != 5 {
			t.Errorf("the backend got %d requests for 5 clients; a personal answer must not be shared", n)
		}
	})
}

func TestCacheLockTimeoutGoesToTheBackend(t *testing.T) {
	onBoth(t, Config{HTTP: cacheHTTP, Server: lockedCache}, func(t *testing.T, w *World) {
		release := make(chan struct{})
		w.Origin[0].Script(Does(Hold(release), Send(reply("200 OK", "first"))), Answer(reply("200 OK", "second")))
		var first string
		var wait sync.WaitGroup
		wait.Go(func() { first = w.AskText(get("/timeout")) })
		w.Origin[0].WaitRequests(1)
		second := w.AskText(get("/timeout"))
		close(release)
		wait.Wait()
		mustContain(t, first, "first")
		mustContain(t, second, "second")
	})
}

func TestCacheLockAgeLetsAnotherRequestTry(t *testing.T) {
	onBoth(t, Config{HTTP: cacheHTTP, Server: lockedCache}, func(t *testing.T, w *World) {
		release := make(chan struct{})
		w.Origin[0].Script(Does(Hold(release), Send(reply("200 OK", "first"))), Answer(reply("200 OK", "second")))
		var wait sync.WaitGroup
		wait.Go(func() { w.AskText(get("/age")) })
		w.Origin[0].WaitRequests(1)
		second := w.AskText(get("/age"))
		close(release)
		wait.Wait()
		mustContain(t, second, "second")
	})
}

func TestCacheServesStaleWhileUpdating(t *testing.T) {
	onBoth(t, Config{HTTP: cacheHTTP, Server: lockedCache}, func(t *testing.T, w *World) {
		release := make(chan struct{})
		w.Origin[0].Script(Answer(reply("200 OK", "old")), Does(Hold(release), Send(reply("200 OK", "new"))))
		mustContain(t, w.AskText(get("/updating")), "X-Cache: MISS")
		time.Sleep(2100 * time.Millisecond)
		var updater string
		var wait sync.WaitGroup
		wait.Go(func() { updater = w.AskText(get("/updating")) })
		w.Origin[0].WaitRequests(2)
		others := w.AskText(get("/updating"))
		close(release)
		wait.Wait()
		mustContain(t, others, "X-Cache: UPDATING")
		mustContain(t, others, "old")
		mustContain(t, updater, "new")
		mustContain(t, updater, "X-Cache: EXPIRED")
		mustContain(t, w.AskText(get("/updating")), "X-Cache: HIT")
	})
}

func TestCacheStaleWhileRevalidateOfTheBackend(t *testing.T) {
	onBoth(t, Config{HTTP: cacheHTTP, Server: cacheServer + `location / { proxy_pass http://127.0.0.1:{{origin}}; }`}, func(t *testing.T, w *World) {
		release := make(chan struct{})
		w.Origin[0].Script(Answer(reply("200 OK", "old", "Cache-Control: max-age=1, stale-while-revalidate=60")), Does(Hold(release), Send(reply("200 OK", "new", "Cache-Control: max-age=1"))))
		w.AskText(get("/swr"))
		time.Sleep(2100 * time.Millisecond)
		var wait sync.WaitGroup
		wait.Go(func() { w.AskText(get("/swr")) })
		w.Origin[0].WaitRequests(2)
		mustContain(t, w.AskText(get("/swr")), "X-Cache: UPDATING")
		close(release)
		wait.Wait()
	})
}

func TestCacheFillGoesOnWhenItsClientLeaves(t *testing.T) {
	onBoth(t, Config{HTTP: cacheHTTP, Server: lockedCache}, func(t *testing.T, w *World) {
		release := make(chan struct{})
		w.Origin[0].Script(Does(Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234"), Hold(release), Send("56789")))
		w.Ask(Send(get("/left")), Call(func() { w.Origin[0].WaitRequests(1) }), Reset())
		var answer string
		var wait sync.WaitGroup
		wait.Go(func() { answer = w.AskText(get("/left")) })
		time.Sleep(100 * time.Millisecond)
		close(release)
		wait.Wait()
		mustContain(t, answer, "0123456789")
	})
}

// A thousand clients ask for the same uncached page at the same moment: one request reaches the backend.
func TestCacheThousandClientsOneBackendRequest(t *testing.T) {
	cfg := Config{HTTP: cacheHTTP, Server: lockedCache, Events: "worker_connections 4096;"}
	onSeawall(t, cfg, func(t *testing.T, w *World) {
		release := make(chan struct{})
		w.Origin[0].Script(Does(Hold(release), Send(reply("200 OK", strings.Repeat("page ", 2000)))))
		var connected sync.WaitGroup
		connected.Add(1000)
		go func() {
			connected.Wait()
			w.Origin[0].WaitRequests(1)
			close(release)
		}()
		answers := crowd(w, 1000, func(int) []Act { return []Act{Send(get("/stampede")), Call(connected.Done)} })
		for _, a := range answers {
			if !strings.Contains(a, "HTTP/1.1 200 OK") || !strings.Contains(a, "10000 bytes") {
				t.Fatalf("a client got %.2000s", a)
			}
		}
		if n := len(w.Origin[0].Received()); n != 1 {
			t.Errorf("the backend got %d requests", n)
		}
	})
}

func TestCacheFreshnessUnderASecond(t *testing.T) {
	cfg := Config{HTTP: cacheHTTP, Server: cacheServer + `proxy_cache_valid 200 200ms; location / { proxy_pass http://127.0.0.1:{{origin}}; }`}
	onSeawall(t, cfg, func(t *testing.T, w *World) {
		w.Origin[0].Script(numbered()...)
		w.AskText(get("/x"))
		mustContain(t, w.AskText(get("/x")), "X-Cache: HIT")
		time.Sleep(250 * time.Millisecond)
		mustContain(t, w.AskText(get("/x")), "X-Cache: EXPIRED")
	})
}

func TestCacheBodyAsLargeAsTheRAMLevelAllows(t *testing.T) {
	const size = 8 << 20
	cfg := Config{HTTP: "proxy_cache_path {{prefix}}/temp/cache keys_zone=cache:1m memory=64m;\n" + statusLog,
		Server: cacheServer + `proxy_cache_valid 200 100s; location / { proxy_pass http://127.0.0.1:{{origin}}; }`}
	onSeawall(t, cfg, func(t *testing.T, w *World) {
		body := strings.Repeat("0123456789abcdef", size/16)
		w.Origin[0].Script(Answer(reply("200 OK", body)), Answer(reply("200 OK", "not asked again")))
		want := fmt.Sprintf("%d bytes, hash %x", size, hashText(body))
		mustContain(t, w.AskText(get("/big")), want)
		for range 3 {
			again := w.AskText(get("/big"))
			mustContain(t, again, "X-Cache: HIT")
			mustContain(t, again, want)
		}
	})
}
