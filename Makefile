# The commands of this project. CMake and the presets do the work; see CMakePresets.json.
.DEFAULT_GOAL := release
.PHONY: release up test test-long chaos bench format check-format clang-tidy clean help

sources = $(shell git ls-files --cached --others --exclude-standard '*.cc' '*.h')
# Four at a time on two cores: the tests of the whole system wait more than they work.
ctest = ctest --output-on-failure --no-tests=error -j4

release:            ## build build/release/trilith
	@scripts/build release

up:                 ## install what is needed, build, and run www.foobar.com on http://127.0.0.1:8080/
	@scripts/install-dependencies build
	@scripts/build release
	@build/release/trilith up examples/foobar/trilith.toml

test:               ## install what is needed and run every test but the long ones; the summary comes last
	@scripts/install-dependencies build test
	@scripts/build release asan
	@$(ctest) $(CTEST_FLAGS) --test-dir build/asan --label-exclude long

test-long:          ## unit and simulation at -O0, -O2, under TSan; 10000 seeds; a minute a fuzzer; all under ASan; soak
	@scripts/install-dependencies build test
	@scripts/build release asan dev tsan checked fuzz
	@$(ctest) --test-dir build/dev --label-regex 'unit|sim'
	@$(ctest) --test-dir build/checked --label-regex 'unit|sim|long_seeds'
	@$(ctest) --test-dir build/tsan --label-regex 'unit|sim'
	@$(ctest) --test-dir build/fuzz
	@TRILITH=$(CURDIR)/build/asan/trilith $(ctest) --test-dir build/asan --label-exclude long
	@$(ctest) --test-dir build/asan --label-regex '^long$$'

chaos:              ## 100 rounds of killing and stopping a site's databases under writers; then with acknowledgements off
	@scripts/install-dependencies build test
	@scripts/build release
	@test/chaos/chaos.py --rounds 100
	@test/chaos/chaos.py --rounds 10 --sabotage

bench:              ## measure beside haproxy, nginx, PHP-FPM and MariaDB; results in bench/results
	@scripts/install-dependencies build bench
	@scripts/build release
	@cmake -DTRILITH_BENCH=ON build/release >/dev/null && scripts/build release
	@bench/run
	@bench/pages
	@bench/site
	@bench/sql

format:             ## format every C++ file
	@clang-format-19 -i $(sources)

check-format:       ## say which C++ files are not formatted
	@clang-format-19 --dry-run --Werror $(sources)

clang-tidy:         ## the checks of .clang-tidy on every C++ source (minutes)
	@scripts/build dev
	@clang-tidy-19 -p build/dev --quiet $(filter %.cc,$(filter-out %_fuzz.cc,$(sources)))

clean:              ## remove everything that was built
	@rm -rf build

help:               ## this list
	@sed -n 's/^\([a-z-]*\): *## /\1 \t/p' Makefile | expand -t 14
