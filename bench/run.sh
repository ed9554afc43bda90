#!/bin/sh
# Prints what a request costs nginx, Seawall and a bare C loop, side by side. See `bench/run.sh -h`.
set -eu
cd "$(dirname "$0")/.."
command -v go >/dev/null || { echo "bench: go is missing: https://go.dev/dl/" >&2; exit 2; }
ulimit -n 20000 2>/dev/null || true # the rows with 9,000 connections; the bench says when it is not enough
if [ -d cmd/seawall ]; then go build -o bin/seawall ./cmd/seawall; fi
go build -o bin/bench ./bench
exec bin/bench "$@"
