#!/usr/bin/python3
"""Runs the named make targets one after the other, each to its end, and adds up what they say: the last line
"N passed, N failed[, N skipped]" of each. A target that fails without such a line counts as one failure.

usage: all.py MAKE TARGET…"""

import os
import re
import shlex
import subprocess
import sys

COUNTS = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?")


def run(make, target):
    """Streams the target's output; (passed, failed, skipped)."""
    counts = None
    command = [*shlex.split(make), "--no-print-directory", target]
    if "-j" not in os.environ.get("MAKEFLAGS", ""):
        command.insert(1, f"-j{os.cpu_count()}")
    with subprocess.Popen(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="backslashreplace") as child:
        for line in child.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            match = COUNTS.search(line)
            if match:
                counts = [int(n or 0) for n in match.groups()]
    if counts is None:
        counts = [0, 0, 0]
    if child.returncode != 0 and counts[1] == 0:
        counts[1] = 1
    return counts


def main(make, targets):
    os.chdir(os.path.dirname(os.path.abspath(__file__)) + "/..")
    rows = []
    for target in targets:
        print(f"==== {target}", flush=True)
        rows.append((target, *run(make, target)))
        if target == targets[0] and rows[0][2]:
            break  # what does not build cannot be tested
    print("====")
    for target, passed, failed, skipped in rows:
        print(f"{target:14} {passed:6} passed {failed:4} failed {skipped:4} skipped")
    passed, failed, skipped = (sum(row[n] for row in rows) for n in (1, 2, 3))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
