package demo

import (
	_ "embed"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	workers  = 4                     // pages made at a time, as in a small Python deployment
	pageTime = 50 * time.Millisecond // to make one
	bigSize  = 2 << 20
)

//go:embed page.html
var frontPage string

// application is the slow origin. Its requests wait for one of few workers, as behind a pre-forking server.
type application struct {
	addr     string
	server   *http.Server
	slots    chan struct{}
	begun    atomic.Uint64 // requests that came: numbers the pages
	answered atomic.Uint64
	latency  recorder
}

func startApplication() (*application, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the application cannot listen: %w", err)
	}
	a := &application{addr: ln.Addr().String(), slots: make(chan struct{}, workers)}
	a.server = &http.Server{Handler: http.HandlerFunc(a.serve)}
	go a.server.Serve(ln) // ends with stop
	return a, nil
}

func (a *application) stop() { a.server.Close() }

// serve makes a page: waits for a worker, then works.
func (a *application) serve(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	n := a.begun.Add(1)
	select {
	case a.slots <- struct{}{}:
	case <-r.Context().Done(): // the visitor has gone
		return
	}
	time.Sleep(pageTime)
	<-a.slots
	a.answer(w, r, n)
	a.answered.Add(1)
	a.latency.add(time.Since(began))
}

func (a *application) answer(w http.ResponseWriter, r *http.Request, n uint64) {
	header := w.Header()
	header.Set("X-Page", fmt.Sprint(n))
	header.Set("Content-Type", "text/html; charset=utf-8")
	made := fmt.Sprintf("page %d made by the application at %s", n, time.Now().Format("15:04:05.000"))
	switch path := r.URL.Path; {
	case path == "/":
		fmt.Fprint(w, strings.ReplaceAll(frontPage, "{{made}}", made))
	case path == "/news" || strings.HasPrefix(path, "/product/"):
		simplePage(w, strings.Trim(path, "/"), made)
	case path == "/account":
		visits := 1
		if c, err := r.Cookie("visits"); err == nil {
			fmt.Sscan(c.Value, &visits)
			visits++
		}
		http.SetCookie(w, &http.Cookie{Name: "visits", Value: fmt.Sprint(visits), Path: "/account"})
		simplePage(w, "account", fmt.Sprintf("your visit number %d, %s", visits, made))
	case path == "/big":
		header.Set("Content-Type", "text/plain")
		line := strings.Repeat("seawall ", 8)[:63] + "\n"
		fmt.Fprint(w, strings.Repeat(line, bigSize/len(line)))
	case path == "/flaky" && n%3 == 0:
		w.WriteHeader([]int{http.StatusInternalServerError, http.StatusBadGateway}[n%2])
		simplePage(w, "flaky", "failed, "+made)
	case path == "/flaky":
		simplePage(w, "flaky", made)
	default:
		w.WriteHeader(http.StatusNotFound)
		simplePage(w, "not found", made)
	}
}

func simplePage(w http.ResponseWriter, title, made string) {
	fmt.Fprintf(w, "<!doctype html><title>%[1]s</title><h1>%[1]s</h1><p>%[2]s</p>\n", title, made)
}
