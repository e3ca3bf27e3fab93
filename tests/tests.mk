# Test targets; included by the Makefile.

TESTDIR := $(abspath $(BUILD))/tests

.PHONY: test-unit
test-unit: $(BUILD)/tests/unit
	tests/run-unit.sh $(TESTDIR)/unit $(FILTER)
