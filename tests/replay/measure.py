#!/usr/bin/env python3
"""What rules do to the made-up traces of mixes.py: a line for each mix, and a table of what was missed and who was hurt.

    measure.py [--rules FILE] [--mix NAME]... [--seeds 1,2] [--lawful N] [--abused N] [--keep DIR]"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import mixes  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
MSACTL = os.path.join(os.environ.get("MSAD_BUILD", os.path.join(ROOT, "build")), "msactl")
RULES = os.path.join(ROOT, "conf/rules.conf")


def trace(where, mix, seed, lawful, abused, days=7):
    """The path of the trace without its ending; made unless it is there."""
    out = os.path.join(where, f"{mix}-{seed}-{lawful}-{abused}-{days}")
    if not os.path.exists(out + "-labels.tsv"):
        mixes.write(out, mix, seed, lawful, abused, days)
    return out


def replay(out, rules=RULES):
    run = subprocess.run([MSACTL, "replay", "--rules", rules, "--json", "--quiet", "--accounts", out + "-accounts.tsv",
                          "--labels", out + "-labels.tsv", out + ".jsonl.gz"], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"msactl replay ended with {run.returncode}: {run.stderr}")
    return json.loads(run.stdout)


def read_labels(out):
    """Label and scenario of each account."""
    with open(out + "-labels.tsv", encoding="ascii") as f:
        rows = [line.split("\t") for line in f if not line.startswith("#")]
    return [("abused" if row[1] == "abused" else "lawful", row[2]) for row in rows]


class Sum:
    """Several results as one."""

    def __init__(self):
        self.events = self.abused = self.stopped = self.lawful = self.suspended = self.refused = 0
        self.through = []
        self.kinds = collections.defaultdict(lambda: [0, 0, 0, [], collections.Counter()])
        self.rules = collections.Counter()

    def add(self, result, labels):
        self.events += result["events"]
        self.abused += result["abused"]["accounts"]
        self.stopped += result["abused"]["suspended"]
        self.lawful += result["lawful"]["accounts"]
        self.suspended += result["lawful"]["suspended"]
        self.refused += result["lawful"]["refused"]
        for label, scenario in labels:
            self.kinds[label, scenario][0] += 1
        for account in result["accounts"]:
            kind = self.kinds[account["label"], account["scenario"]]
            kind[1] += "suspended_by" in account
            kind[2] += account["refused"] > 0
            if account["label"] == "abused":
                self.through.append(account["recipients_through"])
                kind[3].append(account["recipients_through"])
            kind[4][account.get("suspended_by", "-")] += 1

    def median(self):
        return sorted(self.through)[len(self.through) // 2] if self.through else 0

    def line(self, name):
        return (f"{name:24} {self.stopped:4}/{self.abused:<4} {100 * self.stopped / max(1, self.abused):5.1f} %  median "
                f"{self.median():4}   lawful {self.lawful:6}: suspended {self.suspended:3} "
                f"({100 * self.suspended / max(1, self.lawful):.3f} %), refused {self.refused:3} "
                f"({100 * self.refused / max(1, self.lawful):.2f} %)")

    def table(self):
        for (label, scenario), (count, suspended, refused, through, by) in sorted(self.kinds.items()):
            if label == "abused" or suspended or refused:
                middle = sorted(through)[len(through) // 2] if through else "-"
                rules = ", ".join(f"{rule} {n}" for rule, n in by.most_common(4))
                yield f"  {label:7} {scenario:26} {count:4} suspended {suspended:4} refused {refused:4} median {middle:>5}  {rules}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", default=RULES)
    parser.add_argument("--mix", action="append", choices=mixes.MIXES)
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--lawful", type=int, default=2000)
    parser.add_argument("--abused", type=int, default=54)
    parser.add_argument("--keep", help="a directory where traces stay for the next time")
    args = parser.parse_args()
    everything = Sum()
    with tempfile.TemporaryDirectory() as scratch:
        for mix in args.mix or mixes.MIXES:
            total = Sum()
            for seed in args.seeds.split(","):
                out = trace(args.keep or scratch, mix, int(seed), args.lawful, args.abused)
                result, labels = replay(out, args.rules), read_labels(out)
                total.add(result, labels)
                everything.add(result, labels)
            print(total.line(mix), flush=True)
    print(everything.line("all"))
    print("\n".join(everything.table()))


if __name__ == "__main__":
    main()
