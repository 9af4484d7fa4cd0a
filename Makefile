# SPDX-License-Identifier: Apache-2.0
# A thin door to CMake. `make run` and `make test` install what is missing on a fresh Debian 12, then do what they say.
SHELL := /bin/sh
RELEASE := build/release
BINARY := $(RELEASE)/kubecent-backend
DEPENDENCIES := scripts/install-dependencies.sh
JOBS := $(shell nproc 2>/dev/null || echo 2)
# Without an OpenCost to ask, in the environment or in .env, the embedded sample is shown.
DEMO = $(if $(OPENCOST_URL)$(shell grep -sE '^[[:space:]]*(export[[:space:]]+)?OPENCOST_URL[[:space:]]*=' .env),,--demo)
# Such as --only hits, or --write docs/performance.md.
BENCH_OPTIONS ?=
# How long each fuzz target runs, and the soak.
FUZZ_SECONDS ?= 600
SOAK_SECONDS ?= 180

.DEFAULT_GOAL := help
.PHONY: help build run test bench asan tsan valgrind valgrind-blackbox fuzz coverage soak lint format install clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

build: ## Build the release binary, build/release/kubecent-backend
	@$(DEPENDENCIES) build
	@cmake --preset release -DKUBECENT_TESTS=OFF >/dev/null
	@cmake --build --preset release

run: build ## Build and serve on port 8000; demo data unless OPENCOST_URL is set
	@exec $(BINARY) $(DEMO)

test: ## Build and run every test
	@$(DEPENDENCIES) build test
	@cmake --preset release -DKUBECENT_TESTS=ON >/dev/null
	@cmake --build --preset release
	@ctest --preset release -j $(JOBS)

asan: ## Build and run every test under AddressSanitizer and UBSan
	@$(DEPENDENCIES) build test
	@cmake --preset asan >/dev/null
	@cmake --build --preset asan
	@ctest --preset asan -j $(JOBS)

tsan: ## Build and run every test under ThreadSanitizer
	@$(DEPENDENCIES) build test
	@cmake --preset tsan >/dev/null
	@cmake --build --preset tsan
	@ctest --preset tsan -j $(JOBS)

valgrind: ## Run the unit tests under valgrind
	@$(DEPENDENCIES) build test lint
	@cmake --preset debug >/dev/null
	@cmake --build --preset debug
	@scripts/valgrind.sh build/debug

valgrind-blackbox: ## Run the black-box tests with the service under valgrind; about 20 minutes
	@$(DEPENDENCIES) build test lint
	@cmake --preset debug >/dev/null
	@cmake --build --preset debug
	@KUBECENT_TEST_PATIENCE=20 KUBECENT_WRAPPER='valgrind -q --error-exitcode=99 --leak-check=full' \
		ctest --preset debug -L 'blackbox|redis' -j $(JOBS)

fuzz: ## Fuzz each parser for FUZZ_SECONDS (600), as many at once as there are CPUs
	@$(DEPENDENCIES) build test lint
	@cmake --preset fuzz >/dev/null
	@cmake --build --preset fuzz
	@tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS)

bench: ## Measure hits, fetches and start beside libmicrohttpd, nginx and jansson; about 9 minutes
	@$(DEPENDENCIES) build test bench
	@cmake --preset release -DKUBECENT_TESTS=ON >/dev/null
	@cmake --build --preset release --target bench_programs
	@/usr/bin/python3 tests/bench/bench.py $(RELEASE) $(BENCH_OPTIONS)

coverage: ## Line coverage of src/ by unit, black-box, Redis and fuzz tests; fails below 90 %
	@$(DEPENDENCIES) build test coverage
	@cmake --preset coverage >/dev/null
	@cmake --build --preset coverage
	@find build/coverage -name '*.gcda' -delete
	@ctest --preset coverage -L 'unit|blackbox|redis|fuzz' -j $(JOBS)
	@scripts/coverage.sh build/coverage

soak: ## Load, faults and restarts for SOAK_SECONDS (180), then an OpenCost that flips for twice 60, and what is left behind
	@$(DEPENDENCIES) build test bench
	@cmake --preset release -DKUBECENT_TESTS=ON >/dev/null
	@cmake --build --preset release --target bench_programs
	@KUBECENT_BINARY=$(CURDIR)/$(BINARY) /usr/bin/python3 tests/soak/soak.py $(SOAK_SECONDS)
	@/usr/bin/python3 tests/soak/flip.py $(RELEASE) 60 paced
	@/usr/bin/python3 tests/soak/flip.py $(RELEASE) 60 full-speed

lint: ## Check formatting, clang-tidy's findings and the shell scripts
	@$(DEPENDENCIES) build test lint
	@cmake --preset debug >/dev/null
	@scripts/lint.sh build/debug

format: ## Format all C sources
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: build ## Install under DESTDIR and the prefix
	@cmake --install $(RELEASE)

clean: ## Remove all builds
	rm -rf build
