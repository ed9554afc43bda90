package main

import (
	"errors"

	"seawall/cmd/seawall/internal/demo"
	"seawall/conf"
	"seawall/logs"
	"seawall/server"
)

// newServer builds the server for cfg and opens its logs; it listens from Start on.
func newServer(cfg *conf.Config, log *logs.ErrorLog) (proxy, error) {
	return server.New(cfg, server.Options{Log: log})
}

// startDemoServer serves the configuration at path for the demo.
func startDemoServer(path string) (demo.Server, error) {
	return nil, errors.New("this build has no server")
}
