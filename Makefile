# msad: see README.md. `make help` lists the targets.
#
# Each folder becomes one static archive, linked in the order of the layers (house rule: lower
# never calls higher), so a dependency in the wrong direction fails at link time.

MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
BUILD   ?= build
VERSION := $(shell cat conf/VERSION)

# ---- flags ------------------------------------------------------------------------------------

PACKAGES := openssl libsasl2 libmaxminddb lmdb libcares libcurl jansson libmicrohttpd \
            libseccomp libargon2 libcrypt libidn2 libidn libpsl libqrencode zlib

WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wformat=2 -Wpointer-arith -Wvla -Wundef -Wno-format-nonliteral
# clang before 16 wants more than the flag itself for zeroed locals, and goes without.
AUTO_ZERO := $(shell echo 'int x;' | $(CC) -ftrivial-auto-var-init=zero -x c -c -o /dev/null - \
               2>/dev/null && echo -ftrivial-auto-var-init=zero)
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection=full $(AUTO_ZERO)
LINK_HARDEN := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code

ifeq ($(SANITIZE),thread)
OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
else ifdef SANITIZE
OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else
OPT := -O2 -g -D_FORTIFY_SOURCE=3 $(HARDEN)
endif

HAVE_PACKAGES := $(shell pkg-config --exists $(PACKAGES) 2>/dev/null && echo yes)
CPPFLAGS_MSA := -I. -D_GNU_SOURCE -DMSA_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
CPPFLAGS_MSA += $(if $(SANITIZE),-DMSA_SANITIZED)
CFLAGS_MSA   := -std=c11 -fPIE -pthread $(OPT) $(WARN) $(if $(WERROR),-Werror)
LDFLAGS_MSA  := -pthread $(OPT) $(LINK_HARDEN)
LIBS         := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lev -lm -ldl
TEST_LIBS    := $(shell pkg-config --libs criterion 2>/dev/null)

# ---- what is built ----------------------------------------------------------------------------

# Highest layer first: the order of the link line.
FOLDERS := msa/ctl msa/proc msa/console smtp auth relay relay/dkim policy/score policy/score/classify policy/score/content \
           policy/score/services policy policy/notice policy/engine msa/ipc msa/db msa/io msa/config msa/mail msa/base

src_of  = $(sort $(wildcard $(1)/*.c))
obj_of  = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
ARCHIVES := $(foreach f,$(FOLDERS),$(if $(call src_of,$(f)),$(BUILD)/lib/$(subst /,-,$(f)).a))

PROGRAMS := $(patsubst msa/%.c,$(BUILD)/%,$(wildcard msa/msad.c msa/msactl.c))
TOOL_SRC := $(filter-out %_shim.c,$(wildcard tests/tools/*.c tests/bench/*.c))
SHIMS    := $(patsubst tests/tools/%.c,$(BUILD)/tests/%.so,$(wildcard tests/tools/*_shim.c))
TOOLS    := $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(TOOL_SRC))) $(SHIMS)
UNIT_OBJ := $(call obj_of,$(sort $(wildcard tests/unit/*.c)))

.PHONY: all tools
all: $(ARCHIVES) $(PROGRAMS)
tools: $(TOOLS)

# The pages of console are part of the program: their bytes, packed ones, and the hash of each.
PAGES := $(sort $(shell find msa/console/pages -type f))
MORE_msa/console := $(BUILD)/obj/gen/pages.o

$(BUILD)/gen/pages.c: msa/console/embed.sh $(PAGES)
	@mkdir -p $(@D)
	@echo "  PAGES   $@"
	@sh msa/console/embed.sh msa/console/pages $(BUILD)/gen/pages > $@

$(BUILD)/obj/gen/pages.o: $(BUILD)/gen/pages.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS_MSA) $(CPPFLAGS) $(CFLAGS_MSA) $(CFLAGS) -MMD -MP -c -o $@ $<

define archive_rule
$(BUILD)/lib/$(subst /,-,$(1)).a: $(call obj_of,$(call src_of,$(1))) $(MORE_$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call archive_rule,$(f))))

$(BUILD)/obj/%.o: %.c Makefile conf/VERSION
	$(if $(HAVE_PACKAGES),,$(error packages are missing: run `make deps` first))
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CPPFLAGS_MSA) $(CPPFLAGS) $(CFLAGS_MSA) $(CFLAGS) -MMD -MP -c -o $@ $<

# A linker takes the first of two functions that have one name, and says nothing when they stand
# in different archives.
$(BUILD)/symbols.ok: $(ARCHIVES)
	@twice=$$(nm --defined-only -g $^ 2>/dev/null | awk 'NF == 3 && $$2 ~ /[TDBR]/ { print $$3 }' | \
	    sort | uniq -d); [ -z "$$twice" ] || { echo "defined in two places: $$twice"; exit 1; }
	@touch $@

$(BUILD)/msad $(BUILD)/msactl: $(BUILD)/%: $(BUILD)/obj/msa/%.o $(ARCHIVES) | $(BUILD)/symbols.ok
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS_MSA) $(LDFLAGS) -o $@ $^ $(LIBS)

# A tool is tests/tools/NAME.c or tests/bench/NAME.c, with the files of a folder NAME beside it, and what all
# test programs share.
TEST_COMMON := $(call obj_of,$(call src_of,tests/common))

# msad itself, but for the score process.
MORE_tests/tools/bad_score := $(BUILD)/obj/msa/msad.o

define tool_rule
$(BUILD)/tests/$(notdir $(1)): $(call obj_of,$(1).c $(call src_of,$(1))) $(MORE_$(1)) $(TEST_COMMON) $(ARCHIVES)
	@mkdir -p $$(@D)
	@echo "  LINK    $$@"
	@$$(CC) $$(LDFLAGS_MSA) $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(foreach t,$(basename $(TOOL_SRC)),$(eval $(call tool_rule,$(t))))

# What is put before libc in a program under test. Never sanitized: it may be loaded before the sanitizer is.
$(SHIMS): $(BUILD)/tests/%.so: tests/tools/%.c Makefile
	@mkdir -p $(@D)
	@echo "  SHIM    $@"
	@$(CC) -std=c11 -D_GNU_SOURCE -O2 -g -fPIC -shared $(WARN) $(if $(WERROR),-Werror) -o $@ $<

$(BUILD)/tests/unit: $(UNIT_OBJ) $(TEST_COMMON) $(ARCHIVES)
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS_MSA) $(LDFLAGS) -o $@ $^ $(LIBS) $(TEST_LIBS)

# Criterion's assertion macros convert between widths.
$(UNIT_OBJ): CFLAGS_MSA += -Wno-conversion

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# The flags of the libraries are known only once their packages are there, so a second make does the work.
.PHONY: run run-built
run: deps
	@+$(MAKE) --no-print-directory run-built
run-built: all $(BUILD)/tests/sink
	@MSAD_BUILD=$(BUILD) exec conf/demo/run.sh

.PHONY: help
help:
	@echo 'make          build/msad and build/msactl'
	@echo 'make run      a demo: installs what it needs, sends a first message, serves until Ctrl-C'
	@echo 'make test     installs what the tests need, runs all of them; test-unit, test-dialog, test-integ: a part,'
	@echo '              with FILTER=… a part of that; test-asan, test-race, test-torture, test-corpus, test-kill,'
	@echo '              test-mixes, test-trace: more'
	@echo 'make lint     the rules of the house; lint-deep: cppcheck and clang-tidy, too'
	@echo 'make fuzz-smoke    FUZZ_SECONDS (60) for each parser'
	@echo 'make bench    beside a Postfix; BENCH="--workloads w2 --runs 1" for a part'
	@echo 'make clean'

.PHONY: clean
clean:
	rm -rf build demo

include tests/tests.mk
