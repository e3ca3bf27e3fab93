# Test targets; included by the Makefile.

PYTHON := /usr/bin/python3

TESTDIR := $(abspath $(BUILD))/tests

.PHONY: test-unit
test-unit: $(BUILD)/tests/unit
	tests/run-unit.sh $(TESTDIR)/unit $(FILTER)

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
