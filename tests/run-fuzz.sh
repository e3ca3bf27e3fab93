#!/bin/sh
# Runs each fuzz driver for FUZZ_SECONDS from its seeds in tests/fuzz/corpus/NAME. A crash, a leak, an input over
# ten seconds or over 1 GiB fails; libFuzzer prints it and keeps it. Ends with "N passed, N failed".
# usage: run-fuzz.sh BUILD [FILTER]
set -u
build=$1
filter=${2:-}
passed=0
failed=0
for driver in tests/fuzz/fuzz_*"$filter"*.c; do
    [ -e "$driver" ] || continue
    name=$(basename "$driver" .c)
    found=$build/corpus/${name#fuzz_}
    seeds=tests/fuzz/corpus/${name#fuzz_}
    mkdir -p "$found"
    [ -d "$seeds" ] || seeds=
    LSAN_OPTIONS="suppressions=tests/lsan.supp:print_suppressions=0" \
        "$build/$name" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=1024 \
        -artifact_prefix="$build/crash-$name-" -print_final_stats=1 \
        "$found" $seeds >"$build/$name.log" 2>&1
    if [ $? -eq 0 ]; then
        passed=$((passed + 1))
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log")
        coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$build/$name.log" | tail -1)
        echo "$name: $runs runs, $coverage edges"
    else
        failed=$((failed + 1))
        tail -40 "$build/$name.log"
        echo "$name: FAILED" >&2
    fi
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
