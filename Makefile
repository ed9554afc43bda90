# The targets a contributor needs; `make` alone lists them.

GO         ?= go
TAGS       ?=
FUZZTIME   ?= 1m
ARGS       ?=
STATICCHECK_VERSION := v0.8.2

# A static binary: nothing to install beside it, and setuid reaches all threads (see cmd/seawall/privileges_linux.go).
BUILD      := CGO_ENABLED=0 $(GO) build -trimpath -tags "$(TAGS)"
STATICCHECK := .tools/staticcheck-$(STATICCHECK_VERSION)/staticcheck
UNIT        = $$($(GO) list ./... | grep -v /internal/itest)
# Packages in which goroutines meet.
RACE       := $(patsubst %,./%/...,$(wildcard logs cache engine upstream server cmd))
CROSS      := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 freebsd/amd64 freebsd/arm64

.PHONY: help run build test setup format vet lint unit race itest cross fuzz bench pgo clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build, then show the demo on 127.0.0.1:8080 (ARGS="-load" brings its own clients, -listen another port)
	@bin/seawall demo $(ARGS)

build: ## bin/seawall (TAGS=poll_opt: gnet's other poller)
	$(BUILD) -o bin/seawall ./cmd/seawall

test: ## all that must pass before a commit; installs what it needs by apt where it can
	@tools/timed.sh setup format vet lint unit race itest cross

setup: ## the programs that tests run: nginx, wrk, curl, strace, a C compiler
	@tools/setup.sh

format: ## gofmt, as a check
	@files=$$(gofmt -l $$(git ls-files -c -o --exclude-standard '*.go')); \
	if [ -n "$$files" ]; then echo "gofmt -w these:"; echo "$$files"; exit 1; fi

vet:
	$(GO) vet ./...

lint: $(STATICCHECK) ## staticcheck, pinned, configured by staticcheck.conf
	$(STATICCHECK) ./...

$(STATICCHECK):
	GOBIN=$(abspath $(@D)) $(GO) install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)

unit: ## unit tests
	$(GO) test -pgo=off $(UNIT)

race: ## the same with the race detector, where goroutines meet
	$(GO) test -race -pgo=off $(RACE)

itest: ## the real binary, byte by byte, beside nginx
	$(GO) test -count=1 -timeout 12m ./internal/itest/...

cross: ## builds for the other systems and for the other poller
	@for target in $(CROSS); do \
		echo "build $$target"; \
		CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -pgo=off -o /dev/null ./cmd/seawall || exit 1; \
	done
	@echo "build linux/amd64 -tags poll_opt"
	@CGO_ENABLED=0 GOOS=linux GOARCH=amd64 $(GO) build -pgo=off -tags poll_opt -o /dev/null ./cmd/seawall

fuzz: ## every fuzz target for FUZZTIME (default 1m)
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" tools/fuzz.sh

bench: ## Seawall beside nginx, HAProxy, Varnish, H2O, Caddy and a bare loop: an hour (ARGS="-quick": five minutes; -h)
	@$(GO) run ./bench run $(ARGS)

pgo: ## the profile that builds are laid out by (cmd/seawall/default.pgo), made anew under load
	@tools/pgo.sh

clean:
	rm -rf bin .tools
