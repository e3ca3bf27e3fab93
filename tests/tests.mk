# Test targets; included by the Makefile.

PYTHON := /usr/bin/python3

TESTDIR := $(abspath $(BUILD))/tests

# ---- everything -------------------------------------------------------------------------------

# The flags of the libraries are known only once their packages are there, so a second make does the work.
.PHONY: test test-asan test-built test-build
test: deps-test
	@+$(PYTHON) tests/all.py $(MAKE) test-build lint test-unit test-dialog test-integ test-score

test-asan: deps-test
	@+$(PYTHON) tests/all.py '$(MAKE) BUILD=$(BUILD)/asan SANITIZE=1' test-build test-unit test-dialog test-integ test-race test-torture

test-build: all tools $(BUILD)/tests/unit

.PHONY: deps deps-test deps-develop
deps:
	@conf/packages/install.sh conf/packages/build.txt
deps-test:
	@conf/packages/install.sh conf/packages/build.txt conf/packages/test.txt
	@tests/pages/axe.sh $(BUILD)/axe
deps-develop:
	@conf/packages/install.sh conf/packages/build.txt conf/packages/test.txt conf/packages/develop.txt

# ---- one kind ---------------------------------------------------------------------------------

# FILTER: for units a Criterion pattern ('suite/test*'), else a part of the name.
.PHONY: test-unit test-dialog test-integ
test-unit: $(BUILD)/tests/unit
	@tests/run-unit.sh $(TESTDIR)/unit '$(FILTER)'

test-dialog: all tools
	@MSAD_BUILD=$(abspath $(BUILD)) FILTER='$(FILTER)' tests/run-dialogs.sh

test-integ: all tools
	@MSAD_BUILD=$(abspath $(BUILD)) $(PYTHON) tests/integ/run.py $(FILTER)

# What the built-in classifier finds and what it takes for spam by mistake, on sorted mail.
.PHONY: test-score
test-score: $(BUILD)/tests/score_eval
	@tests/run-score.sh $(BUILD)

# What has threads, under the thread sanitizer, which Criterion does not stand. It wants addresses that are not
# randomised.
RACES := race auth_race
.PHONY: test-race
test-race:
	@+$(MAKE) BUILD=build/tsan SANITIZE=thread $(RACES:%=build/tsan/tests/%)
	@for race in $(RACES); do \
	    TSAN_OPTIONS=exitcode=66 setarch -R build/tsan/tests/$$race || exit 1; \
	done

# Each allocation of our own fails once. Under ASan, which sees what is then used or left behind.
.PHONY: test-torture
$(BUILD)/tests/torture: LDFLAGS_MSA += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
test-torture:
	@+$(MAKE) BUILD=build/asan SANITIZE=1 build/asan/tests/torture
	@LSAN_OPTIONS=suppressions=tests/lsan.supp:print_suppressions=0 build/asan/tests/torture </dev/null

# libFuzzer wants clang and objects of its own. FUZZ_SECONDS for each driver; FILTER is a part of a driver's name.
# What a run finds new is kept in build/fuzz/corpus, a crash in build/fuzz/crash-*.
FUZZ_SECONDS ?= 60
FUZZ_MAKE := $(MAKE) CC=clang BUILD=build/fuzz SANITIZE=1 CFLAGS=-fsanitize=fuzzer-no-link
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: fuzz fuzz-programs fuzz-smoke
fuzz:
	@+$(FUZZ_MAKE) fuzz-programs
fuzz-programs: $(FUZZERS)
fuzz-smoke: fuzz
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run-fuzz.sh build/fuzz '$(FILTER)'

$(BUILD)/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(TEST_COMMON) $(ARCHIVES)
	@echo "  LINK    $@"
	@$(CC) -fsanitize=fuzzer $(LDFLAGS_MSA) $(LDFLAGS) -o $@ $^ $(LIBS)

# House rules. The deep ones are slow and know false alarms; the format is advice.
.PHONY: lint lint-deep format format-check
lint:
	@LINT_CC='$(CC) $(filter-out -flto%,$(CPPFLAGS_MSA) $(CFLAGS_MSA))' $(PYTHON) tests/lint/lint.py
	@$(PYTHON) tests/lint/lint.py --stats

SOURCES = $(shell git ls-files '*.c')

lint-deep:
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	    --suppress=missingIncludeSystem --error-exitcode=1 \
	    -I. -D_GNU_SOURCE -DMSA_VERSION='"lint"' -j2 $(filter-out tests/unit/%,$(SOURCES))
	printf '%s\n' $(filter-out tests/unit/%,$(SOURCES)) | xargs -P2 -I{} clang-tidy --quiet \
	    --warnings-as-errors='*' {} -- $(CPPFLAGS_MSA) -std=c11

format:
	clang-format -i $(shell git ls-files '*.[ch]')

format-check:
	-@clang-format --dry-run --ferror-limit=1 $(shell git ls-files '*.[ch]') 2>&1 | grep -c 'warning:'

# ---- bench ------------------------------------------------------------------------------------

# BENCH: options, such as BENCH='--workloads w1,w2 --runs 1'.
.PHONY: bench bench-built bench-rules bench-content bench-score bench-shape
bench: deps-test
	@+$(MAKE) --no-print-directory bench-built
bench-built: all tools bench-rules bench-score bench-shape
	@MSAD_BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/bench.py $(BENCH)

# A million accounts and a million sources, none of them in a warm cache: how many decisions a second on one core.
bench-rules: tools
	@$(BUILD)/tests/rules_bench --dir $(BUILD)

# CPU time of the whole score of a message of 4 KiB and of 10 MiB: rules, fingerprints, classifier.
MAIL ?= ../shared/data/mail
bench-score: tools
	@$(BUILD)/tests/score_bench --rules conf/score.conf $(if $(wildcard $(MAIL)/ham),--mail $(MAIL))

# What it costs to read messages of many kinds for their score.
bench-content: tools
	@$(BUILD)/tests/content_bench

# 100,000 messages to 50 destinations, 90 % of them one account's: the delays of the others, and whether a limit was exceeded.
bench-shape: tools
	@$(BUILD)/tests/shape_bench

# ---- long forms of integration tests ----------------------------------------------------------------

# Every message of the shared corpora, where a test run takes a sample of them.
.PHONY: test-corpus
test-corpus: all tools
	@MSAD_BUILD=$(abspath $(BUILD)) MSAD_CORPUS=all $(PYTHON) tests/integ/run.py test_corpus

# A whole shared trace lived through against a running msad, and compared with what replay says of it.
.PHONY: test-trace
test-trace: all tools
	@MSAD_BUILD=$(abspath $(BUILD)) MSAD_TRACE=all MSAD_TEST_TIMEOUT_S=1800 \
	    $(PYTHON) tests/integ/run.py test_lawful.WholeTrace

# KILLS for each way of handing over; SEED repeats a run.
KILLS ?= 120
.PHONY: test-kill
test-kill: all tools
	@MSAD_BUILD=$(abspath $(BUILD)) MSAD_KILLS=$(KILLS) $(if $(SEED),MSAD_SEED=$(SEED)) MSAD_TEST_TIMEOUT_S=1800 \
	    $(PYTHON) tests/integ/run.py test_kill

# The shipped rules on nine mixes of made-up people and thieves, three seeds each: ten minutes.
.PHONY: test-mixes
test-mixes: all
	@MSAD_BUILD=$(abspath $(BUILD)) MSAD_MIXES=long MSAD_TEST_TIMEOUT_S=3600 $(PYTHON) tests/integ/run.py test_mixes
