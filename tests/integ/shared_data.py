"""Mail and traces that are not part of the repository, where they are at hand (as tests/unit/shared_data.c finds them)."""

import os
import subprocess
import sys
import unittest

import harness


def path(name):
    """Where `name` is, or SkipTest."""
    if "MSA_SHARED" in os.environ:
        roots = [os.environ["MSA_SHARED"]]
    else:
        git = subprocess.run(["git", "rev-parse", "--path-format=absolute", "--git-common-dir"], cwd=harness.ROOT,
                             capture_output=True, text=True, check=False).stdout.strip()
        roots = [os.path.join(harness.ROOT, "../shared"), os.path.join(git, "../../shared")]
    for root in roots:
        found = os.path.join(root, "data", name)
        if os.path.exists(found):
            return os.path.abspath(found)
    print(f"NOT TESTED: no shared data {name} (set MSA_SHARED)", file=sys.stderr)
    raise unittest.SkipTest(f"no shared data {name}")


def read(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read()
