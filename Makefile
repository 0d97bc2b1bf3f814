# What one types most often. The build itself is Meson's (meson.build); this file only calls it.

SHELL = /bin/bash
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
# Leave room for others on a machine with few processors: make JOBS=2 test
JOBS ?= $(shell nproc)

.PHONY: help run build build-test test check bench asan tsan fuzz soak install clean

help:
	@echo 'make run      build the program and start it with demo data: http://127.0.0.1:8080'
	@echo 'make test     build with all warnings as errors, and run all tests'
	@echo 'make check    layers, format, banned functions, symbols, words'
	@echo 'make bench    measure'
	@echo 'make asan     the tests under AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'make tsan     the tests under ThreadSanitizer'
	@echo 'make fuzz     each parser against its fuzzer for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make soak     long runs: crashes under load, many listeners'
	@echo 'make install  into DESTDIR$(PREFIX)'
	@echo 'make clean    remove the build folders'

# $(call configure,FOLDER,OPTIONS): once; Meson itself notices later changes.
configure = @[ -f $(1)/build.ninja ] || meson setup $(1) $(2)
compile = @ninja -j $(JOBS) -C $(1)

build:
	@tools/install
	$(call configure,build,-Dtests=false)
	$(call compile,build fettle)

run: build
	@mkdir -p -m 0700 data
	build/fettle serve --data ./data --demo

build-test:
	@tools/install test
	$(call configure,build-test,-Dwerror=true)
	$(call compile,build-test)

test: build-test
	@tests/run --build build-test

check: build-test
	@tests/run --build build-test check

bench: build
	$(call compile,build)
	@bench/run

# What proves much and takes long is shorter under sanitizers: they make it several times slower.
sanitized = TEST_KILL_ROUNDS=20 TEST_SCALE=10 TEST_SLOWNESS=5

# No werror under sanitizers: what they add to the code misleads gcc's flow analysis.
asan_setup = -Db_sanitize=address,undefined
asan_options = strict_string_checks=1:detect_stack_use_after_return=1:check_initialization_order=1
asan:
	@tools/install test
	$(call configure,build-asan,$(asan_setup))
	$(call compile,build-asan)
	@ASAN_OPTIONS=$(asan_options) UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
	    $(sanitized) tests/run --build build-asan --without check,python,clang

tsan:
	@tools/install test
	$(call configure,build-tsan,-Db_sanitize=thread)
	$(call compile,build-tsan)
	@TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 \
	    $(sanitized) tests/run --build build-tsan --without check,python,clang

fuzz:
	@tools/install test
	@tools/fuzz $(FUZZ_SECONDS)

soak: build-test
	@tests/soak

install: build
	@meson configure build --prefix $(PREFIX)
	@DESTDIR=$(DESTDIR) meson install -C build

clean:
	rm -rf build build-test build-asan build-tsan build-clang build-fuzz
