"""The shipped rules on made-up traces (tests/replay): thieves and people unlike those that the rules were written by.
No daemon runs. Longer: make test-mixes."""

import os
import sys
import tempfile
import unittest

from harness import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/replay"))

import measure  # noqa: E402
import mixes  # noqa: E402

# Who does nothing that a thief does, too: not one of them is ever to be troubled.
PLAIN = ("ordinary", "family", "privacy-addresses", "student-abroad", "stale-password", "password-changed", "device",
         "guessed-in-vain", "traveller", "phone-reader")
SMALL = ((("published", 11), ("everything", 12)), 450, 50, 6)
LONG = (tuple((mix, seed) for mix in mixes.MIXES for seed in (1, 2, 3)), 2000, 54, 7)


class Mixes(unittest.TestCase):
    def setUp(self):
        self.where = tempfile.TemporaryDirectory()
        self.addCleanup(self.where.cleanup)

    def measure(self, runs, lawful, abused, days):
        total, by_mix = measure.Sum(), {}
        for mix, seed in runs:
            out = measure.trace(self.where.name, mix, seed, lawful, abused, days)
            result, labels = measure.replay(out), measure.read_labels(out)
            total.add(result, labels)
            by_mix.setdefault(mix, measure.Sum()).add(result, labels)
            os.unlink(out + ".jsonl.gz")
        for mix, figures in by_mix.items():
            print("     " + figures.line(mix), flush=True)
        return total

    def test_thieves_are_stopped_and_people_are_not(self):
        is_long = os.environ.get("MSAD_MIXES") == "long"
        total = self.measure(*(LONG if is_long else SMALL))
        print("     " + total.line("all"), flush=True)
        if is_long:
            print("\n".join(total.table()), flush=True)
        self.assertGreaterEqual(total.stopped, 0.96 * total.abused)
        self.assertLessEqual(total.median(), 40)
        self.assertLessEqual(total.suspended, 0.005 * total.lawful)
        self.assertLessEqual(total.refused, 0.005 * total.lawful)
        for kind in PLAIN:
            self.assertEqual(total.kinds["lawful", kind][1], 0, f"{kind}: suspended")

    def test_the_same_seed_makes_the_same_trace(self):
        files = []
        for n in range(2):
            out = os.path.join(self.where.name, f"again-{n}")
            mixes.write(out, "everything", 5, 20, 8, 2)
            files.append([open(out + end, "rb").read() for end in (".jsonl.gz", "-accounts.tsv", "-labels.tsv")])
        self.assertEqual(*files)


if __name__ == "__main__":
    unittest.main()
