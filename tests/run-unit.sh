#!/bin/sh
# Runs the Criterion binary so that everything bad is a failure: a leak or a UBSan report alone does
# not fail a Criterion test, and a filter that matches nothing exits 0. Ends with "N passed, N failed".
# usage: run-unit.sh BINARY [FILTER]
set -u
binary=$1
filter=${2:-}
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT

ASAN_OPTIONS="log_path=$reports/asan:detect_leaks=1:abort_on_error=1" \
UBSAN_OPTIONS="log_path=$reports/ubsan:print_stacktrace=1" \
LSAN_OPTIONS="suppressions=$(dirname "$0")/lsan.supp:print_suppressions=0" \
    "$binary" --timeout 60 ${filter:+--filter "$filter"} >"$reports/out" 2>&1
rc=$?
sed 's/\x1b\[[0-9;]*m//g' "$reports/out" >"$reports/plain"
grep -v '^\[RUN\|^\[PASS\|^\[----\] *$\|^\[====\]' "$reports/plain"

count() {
    sed -n "s/^\[====\] Synthesis:.*$1: *\([0-9]*\).*/\1/p" "$reports/plain" | grep . || echo 0
}
passed=$(count Passing)
failed=$(count Failing)
if ls "$reports"/asan* "$reports"/ubsan* >/dev/null 2>&1; then
    cat "$reports"/asan* "$reports"/ubsan* 2>/dev/null
    echo "run-unit: sanitizer reports above" >&2
    failed=$((failed + 1))
fi
if [ $((passed + failed)) -eq 0 ]; then
    echo "run-unit: no test ran" >&2
    failed=1
fi
if [ "$rc" -ne 0 ] && [ "$failed" -eq 0 ]; then
    echo "run-unit: Criterion ended with $rc" >&2
    failed=1
fi
echo "unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
