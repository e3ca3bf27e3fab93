#!/bin/sh
# Runs every executable tests/dialog/run* and adds up what they say. Each ends with a line
# "N passed, N failed[, N skipped]" and a status that is not 0 if any failed; $MSAD_BUILD names the build
# directory and $FILTER, where set, a part of the names wanted.
set -u
cd "$(dirname "$0")/dialog" || exit 1
out=$(mktemp)
trap 'rm -f "$out"' EXIT
passed=0 failed=0 skipped=0

last() { # the last number before the word $1
    grep -o "[0-9][0-9]* $1" "$out" | tail -n 1 | sed 's/ .*//' | grep . || echo 0
}

for runner in ./run*; do
    [ -x "$runner" ] && [ -f "$runner" ] || continue
    echo "== dialog/${runner#./}"
    { "$runner" 2>&1; echo "status $?" >&3; } 3>"$out.rc" | tee "$out"
    rc=$(sed -n 's/^status //p' "$out.rc")
    rm -f "$out.rc"
    f=$(last failed)
    if [ "$rc" != 0 ] && [ "$f" -eq 0 ]; then
        echo "run-dialogs: ${runner#./} ended with $rc" >&2
        f=1
    fi
    passed=$((passed + $(last passed)))
    failed=$((failed + f))
    skipped=$((skipped + $(last skipped)))
done
if [ $((passed + failed)) -eq 0 ]; then
    echo "run-dialogs: no dialog ran" >&2
    failed=1
fi
echo "dialog: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
