# SPDX-License-Identifier: Apache-2.0
# The entry for people: `make help`. CMakePresets.json has what each build is; scripts/ has what is longer than a line.

JOBS    ?= $(shell nproc)
SECONDS ?= 30
export JOBS

.DEFAULT_GOAL := build
.PHONY: build test test-sanitize test-long demo range fuzz bench tidy deps install clean help

help:            ## this list
	@sed -n 's/^\([a-z-]*\): *[a-z -]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

deps:            ## install what the build needs (root or sudo; does nothing if all is there)
	@scripts/deps

build: deps      ## build/weir, and the tests
	@cmake --preset release >build.log.tmp 2>&1 || { cat build.log.tmp; rm -f build.log.tmp; exit 2; }; rm -f build.log.tmp
	@ninja -C build -j $(JOBS)

test: build      ## build, then run every test
	@scripts/run_tests build

test-sanitize:   ## the tests and the fuzz corpus again with clang 16, ASan and UBSan
	@scripts/deps --clang
	@cmake --preset sanitize >build.log.tmp 2>&1 || { cat build.log.tmp; rm -f build.log.tmp; exit 2; }; rm -f build.log.tmp
	@ninja -C build-sanitize -j $(JOBS)
	@scripts/run_tests build-sanitize --label-exclude once

test-long: build ## and what takes long: agreement with tshark over shared captures
	@scripts/deps --long
	@scripts/test_long

demo: build      ## the main job on recorded traffic: what passes, what is stopped, and why
	@demo/run.sh build/weir

range: build     ## attacks by real programs against the bridge, with their benign twins (root; programs in a root of their own)
	@range/run

fuzz:            ## every fuzz target for SECONDS=30 each; CAPTURES=DIR adds seeds from capture files
	@scripts/deps --clang
	@cmake --preset fuzz >build.log.tmp 2>&1 || { cat build.log.tmp; rm -f build.log.tmp; exit 2; }; rm -f build.log.tmp
	@scripts/fuzz $(if $(CAPTURES),--captures $(CAPTURES)) $(SECONDS)

bench: build     ## what each step costs, in time and in instructions; writes docs/performance.md
	@scripts/deps --bench
	@ninja -C build -j $(JOBS) steps_bench >/dev/null
	@scripts/bench build $(CAPTURE)

bench-live: build ## the bridge on wires, beside a bare XDP redirect, in a namespace of its own
	@ninja -C build bench-live

tidy:            ## form: includes, names, banned calls
	@python3 tools/tidy.py
	@python3 tools/tidy_test.py

install: build   ## under PREFIX=/usr/local
	@cmake --install build --prefix $(or $(PREFIX),/usr/local)

clean:           ## remove every build folder
	@rm -rf build build-*
