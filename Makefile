# Every target works from a fresh clone, alone. `make` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := node_modules/.bin
INSTALLED := node_modules/.package-lock.json
# A forgotten .only or a skipped test must not pass for a green run, nor a handle left open hang it for ever.
PATIENCE ?= 20m
MOCHA = $(if $(shell command -v timeout),timeout --foreground --kill-after=10s $(PATIENCE)) $(BIN)/mocha --forbid-only --forbid-pending
PRETTIER := $(BIN)/prettier --cache --cache-location node_modules/.cache/prettier/.cache --log-level warn
HOUSES := schemas domain commands projections gateways infra ui test
SERVER_SOURCES := $(shell find schemas domain commands projections gateways infra -type f -not -name '*.md' 2>/dev/null)
UI_SOURCES := $(shell find ui schemas -type f -not -name '*.md' -not -path '*/node_modules/*' 2>/dev/null)

.PHONY: help
help: ## list the targets
	@echo 'make <target>'
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | awk -F '\t' '{printf "  %-13s %s\n", $$1, $$2}'

$(INSTALLED): package-lock.json
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); if (a < 20 || (a === 20 && b < 19)) { console.error("Node 20.19 or newer is needed; this is " + process.version); process.exit(1); }'
	@if node infra/build/dependencies-current.mjs; then echo 'dependencies: up to date'; else \
	  echo 'dependencies: installing with npm ci'; npm ci --no-audit --no-fund --loglevel=error; fi
	@touch $(INSTALLED)

.PHONY: install
install: $(INSTALLED) ## install the npm packages that the lock file names

dist/.server: $(SERVER_SOURCES) tsconfig.json tsconfig.build.json $(INSTALLED)
	@echo 'build: compiling the server into dist/'
	@npm run --silent build:server
	@touch $@

dist/ui/.vite/manifest.json: $(UI_SOURCES) $(INSTALLED)
	@echo 'build: bundling the console into dist/ui/'
	@npm run --silent build:ui -- --logLevel warn
	@touch $@

.PHONY: build
build: dist/.server dist/ui/.vite/manifest.json ## compile the server and bundle the console into dist/
	@echo 'build: dist/ is up to date'

.PHONY: start
start: build ## build and run the gateway; prints its URL, the first credentials and an API key
	@exec node dist/infra/main.js start

.PHONY: dev
dev: $(INSTALLED) ## run from the sources, restarting on change, with the console hot-reloaded
	@exec node infra/build/develop.mjs

.PHONY: test
test: $(INSTALLED) ## everything: lint, build, unit, integration and end-to-end tests, one summary
	@exec infra/build/run-tests.sh

.PHONY: test-unit
test-unit: $(INSTALLED) ## tests without I/O
	@echo 'unit tests: test/**/*.unit.test.ts'
	@$(MOCHA) 'test/**/*.unit.test.ts'

.PHONY: test-packages
test-packages: # Chromium and PostgreSQL with pgvector, installed where this is possible
	@infra/build/system-packages.sh

# In the lane that has brokers already.
ON_KAFKA := test/projections/engine/records-projector.int.test.ts

.PHONY: test-int
test-int: $(INSTALLED) test-packages ## tests against real servers and files
	@echo 'integration tests: test/**/*.int.test.ts'
	@infra/build/in-lanes.sh "$(MOCHA) --ignore 'test/infra/**' --ignore '$(ON_KAFKA)' 'test/**/*.int.test.ts'" "$(MOCHA) 'test/infra/**/*.int.test.ts' '$(ON_KAFKA)'"

.PHONY: test-e2e
test-e2e: build test-packages ## tests of the whole server, with real clients and a real browser
	@echo 'end-to-end tests: test/**/*.e2e.test.ts'
	@infra/build/in-lanes.sh "$(MOCHA) --ignore 'test/e2e/**' 'test/**/*.e2e.test.ts'" "$(MOCHA) 'test/e2e/**/*.e2e.test.ts'"

LINTS := lint-format lint-code lint-imports lint-dead lint-types lint-ui
.PHONY: lint $(LINTS)
lint: $(INSTALLED) ## format, code rules, import rule, dead code and types
	@echo 'lint: $(LINTS:lint-%=%)'
	@$(MAKE) -j2 --keep-going $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) $(LINTS)
	@echo 'lint: clean'

lint-format:
	@$(PRETTIER) --check .
lint-code:
	@$(BIN)/eslint --max-warnings 0 --concurrency 2 .
lint-imports:
	@$(BIN)/depcruise --output-type err-long $(HOUSES)
lint-dead:
	@$(BIN)/knip --no-progress
lint-types:
	@$(BIN)/tsc -p tsconfig.json
lint-ui:
	@$(BIN)/vue-tsc -p ui/tsconfig.json

.PHONY: format
format: $(INSTALLED) ## rewrite all files in the project's format
	@$(PRETTIER) --write .

.PHONY: services-up
services-up: $(INSTALLED) ## start PostgreSQL, Redis, Kafka and an event store on this machine
	@infra/build/system-packages.sh servers
	@$(BIN)/tsx test/support/services/main.ts up

.PHONY: services-down
services-down: $(INSTALLED) ## stop them; their data stay in .services/
	@$(BIN)/tsx test/support/services/main.ts down

.PHONY: test-cluster
test-cluster: build ## the suites that know real services, against such services of their own
	@infra/build/system-packages.sh servers
	@exec infra/build/test-cluster.sh

.PHONY: bench
bench: build ## measure speed against a bare proxy and another gateway; BENCH_JSON=file keeps the figures
	@$(BIN)/tsx test/bench/main.ts

.PHONY: bench-scale
bench-scale: build ## measure how costs grow with processes, events, accounts and channels; fails beyond n log n
	@$(BIN)/tsx test/bench/scale/main.ts

.PHONY: bench-streams
bench-streams: build ## measure what a process takes that holds thousands of silent streams
	@$(BIN)/tsx test/bench/streams/main.ts

.PHONY: chaos
chaos: PATIENCE := 12h
chaos: build test-packages ## faults of every kind with a report, and the crash harness for a long time (short in `make test`)
	@echo 'chaos: killing processes at random until CHAOS=long is through'
	@CRASH_KILLS=100 $(MOCHA) test/infra/event-log/kill-nine.int.test.ts
	@CHAOS=long $(MOCHA) --timeout 0 'test/chaos/**/*.test.ts'

.PHONY: clean
clean: ## remove what was built, cached and installed; keeps .oblivious/, where the data is
	rm -rf dist coverage test-results node_modules
