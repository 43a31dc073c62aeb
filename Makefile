# ocwatch. `make demo` and `make test` need Go, npm, gcc and a network once;
# everything they fetch lands in .cache/, which git ignores. `make help` lists
# the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
MAKEFLAGS += --no-print-directory

CACHE := $(CURDIR)/.cache
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
RETRY := scripts/retry

GOLANGCI_VERSION := v2.15.0
GOLANGCI := $(CACHE)/bin/golangci-lint-$(GOLANGCI_VERSION)

NFPM_VERSION := v2.45.2
NFPM := $(CACHE)/bin/nfpm-$(NFPM_VERSION)
export NFPM

# The OpenClaw releases that the end-to-end tests run against, one for each
# store layout, and the one with the native Codex runtime.
OPENCLAW := 2026.9.6 2026.6.11 2026.5.28
OPENCLAW_CODEX := 2026.9.5

# The build tags of the test suites, so that lint and vet read them too.
TAGS := e2e,codex,systemd,transport,prometheus,browser,packages

# How long `make fuzz` spends on each target.
FUZZTIME := 10s

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: modules
modules: $(CACHE)/modules
$(CACHE)/modules: go.mod go.sum
	@mkdir -p $(CACHE)
	$(RETRY) go mod download
	@touch $@

.PHONY: build
build: modules ## build bin/ocwatch
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ocwatch ./cmd/ocwatch

.PHONY: demo
demo: build ## run the watchdog against the built-in stand-in, about 30 s
	bin/ocwatch demo

.PHONY: deb
deb: modules $(NFPM) ## the Debian package and the tarball for this machine, into dist/
	rm -rf dist
	scripts/package dist $$(go env GOARCH)

.PHONY: release
release: modules $(NFPM) ## packages and tarballs for amd64 and arm64, checksums, SBOMs, into dist/
	rm -rf dist
	scripts/package dist amd64 arm64

# What waits for the network goes beside what computes; and most of e2e is waiting,
# so what is short goes beside it, one after the other. A service manager goes by
# the clock: it has the machine for itself.
.PHONY: test
test: ## every test, the real OpenClaw, a real systemd and a real browser included
	$(MAKE) -j2 test-unit fetch
	$(MAKE) -j2 e2e e2e-codex test-promtool test-packages test-browser
	$(MAKE) test-systemd

.PHONY: fetch
fetch: $(NFPM) ## what the tests run that is not in the repository, into .cache/
	scripts/fetch-openclaw $(OPENCLAW) $(OPENCLAW_CODEX)
	scripts/fetch-prometheus
	scripts/fetch-browser-driver

.PHONY: test-unit
test-unit: modules ## unit tests with the race detector
	scripts/test-unit

.PHONY: test-promtool
test-promtool: build ## the alert rules and /metrics, by promtool and a real Prometheus
	scripts/test-promtool

.PHONY: test-browser
test-browser: build ## the dashboard in a real Chromium, axe included
	scripts/test-browser

.PHONY: test-packages
test-packages: modules $(NFPM) ## packages: reproducible, whole, man pages and completions in order
	scripts/test-packages

.PHONY: e2e
e2e: build ## end-to-end tests against the real OpenClaw releases
	scripts/test-e2e e2e $(OPENCLAW)

# What is too long for every day: every case on every release, the transport
# alone (reconnecting, refusals, reading a killed install), and more providers.
.PHONY: e2e-night
e2e-night: build ## what make test leaves out on the real OpenClaw, nightly
	scripts/test-e2e transport $(OPENCLAW)
	OCWATCH_NIGHT=1 scripts/test-e2e -run 'TestReleases|TestTerminalLogin|TestReplaceAccount|TestRotation|TestProviders|TestDoctor' e2e $(OPENCLAW)

# ocwatch as a service of the system, beside gateways of both kinds: minutes.
.PHONY: systemd-night
systemd-night: build $(NFPM) ## what make test leaves out on a real systemd, nightly (root)
	OCWATCH_NIGHT=1 scripts/test-systemd $(firstword $(OPENCLAW))

.PHONY: nightly
nightly: e2e-night systemd-night ## the long job: e2e-night, systemd-night, the packages of every architecture, every fuzz target for a minute
	OCWATCH_NIGHT=1 scripts/test-packages
	$(MAKE) fuzz FUZZTIME=60s

.PHONY: e2e-codex
e2e-codex: build ## the end-to-end case on the native Codex runtime
	scripts/test-e2e codex $(OPENCLAW_CODEX)

.PHONY: test-systemd
test-systemd: build $(NFPM) ## tests against a real systemd, in namespaces of their own (root)
	scripts/test-systemd $(firstword $(OPENCLAW))

.PHONY: lint
lint: modules $(GOLANGCI) ## gofmt, go vet, golangci-lint, shell syntax
	@bad=$$(find . -name '*.go' -not -path './.*' -print0 | xargs -0 gofmt -l); \
	  if [ -n "$$bad" ]; then printf 'gofmt: run `make fmt` on\n%s\n' "$$bad"; exit 1; fi
	@for f in scripts/* .ci/run test/with-systemd; do if [ -f $$f ] && head -c2 $$f | grep -q '#!'; then bash -n $$f; fi; done
	go vet -tags $(TAGS) ./...
	go vet -tags manual ./cmd/ocwatch
	$(GOLANGCI) config verify
	$(GOLANGCI) run --build-tags $(TAGS) ./...

.PHONY: fmt
fmt: $(GOLANGCI) ## format every Go file
	$(GOLANGCI) fmt ./...

# Built from source through the module proxy, since nothing else can be
# fetched everywhere: minutes the first time, then cached.
$(GOLANGCI):
	scripts/install-tool $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

$(NFPM):
	scripts/install-tool $@ github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)

.PHONY: bench
bench: build ## the figures that are promised, measured, as a table
	go run ./test/bench
	go test -run '^$$' -bench . ./test/bench ./internal/metrics ./internal/web/...

.PHONY: fuzz
fuzz: modules ## every fuzz target for FUZZTIME each
	scripts/fuzz $(FUZZTIME)

.PHONY: clean
clean: ## remove what was built; `make clean-cache` removes what was fetched
	rm -rf bin dist out

.PHONY: clean-cache
clean-cache: clean ## also remove what was fetched
	rm -rf $(CACHE)
