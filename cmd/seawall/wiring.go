package main

import (
	"fmt"

	"seawall/cmd/seawall/internal/demo"
	"seawall/conf"
	"seawall/logs"
	"seawall/server"
)

// newServer builds the server for cfg and opens its logs; it listens from Start on.
func newServer(cfg *conf.Config, log *logs.ErrorLog) (proxy, error) {
	srv, err := server.New(cfg, server.Options{Log: log})
	if err != nil {
		return nil, err // not srv: a nil *server.Server in an interface is not nil
	}
	return srv, nil
}

// demoServer is the Seawall of the demo, with its own log registry.
type demoServer struct {
	srv *server.Server
	log *logs.ErrorLog
}

// startDemoServer serves the configuration at path for the demo.
func startDemoServer(path string) (demo.Server, error) {
	cfg, err := conf.Load(path, conf.Options{})
	if err != nil {
		return nil, err
	}
	tuneCollector(cfg, gogcGiven())
	f := flags{errorLog: defaultErrorLog}
	log, err := f.openErrorLog(cfg)
	if err != nil {
		return nil, err
	}
	log.EchoStderr(false) // a page that failed is part of the show
	srv, err := server.New(cfg, server.Options{Log: log})
	if err != nil {
		log.Registry().Close()
		return nil, err
	}
	tuneScheduler(srv.Loops())
	d := demoServer{srv, log}
	if err := srv.Start(); err != nil {
		d.Stop()
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	return d, nil
}

func (d demoServer) Stop() {
	d.srv.Stop()
	d.log.Registry().Close()
}

// Counters translates the server's statistics.
func (d demoServer) Counters() demo.Counters {
	st := d.srv.Stats()
	c := demo.Counters{
		Requests:    st.Requests,
		Connections: int(st.Engine.Active),
		Latency:     demo.Histogram{Counts: st.Latency.Counts, Upper: st.Latency.Upper},
	}
	for status, n := range st.ByCache {
		switch status {
		case "HIT", "STALE", "UPDATING", "REVALIDATED":
			c.Hits += n
			c.Cacheable += n
		case "MISS", "EXPIRED":
			c.Cacheable += n
		}
	}
	return c
}
