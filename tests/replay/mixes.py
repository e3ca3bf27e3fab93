#!/usr/bin/env python3
"""Labelled traces for `msactl replay`, unlike the shared ones: other people, other thieves, other proportions.

    mixes.py --mix everything --seed 7 --lawful 2000 --abused 54 OUT

writes OUT.jsonl.gz, OUT-accounts.tsv and OUT-labels.tsv in the formats of replay. The same arguments give the same
bytes. `--list` names the mixes."""

import argparse
import gzip
import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import attacks  # noqa: E402
import lawful  # noqa: E402
from world import HOME, Bot, FAR, Log, World  # noqa: E402

BEGIN = 1790953200.0  # a Friday's midnight in Japan
DAY = 86400.0

# What each mix has beside the rest: which thieves, since when, what the logs do not say or say wrongly.
MIXES = {
    "published": {"attacks": "published"},
    "quiet": {"attacks": "quiet"},
    "everything": {"attacks": "all"},
    "first-day": {"attacks": "all", "first": (0.1, 1.0)},
    "no-reports": {"attacks": "all", "hidden": 1.0},
    "some-reports": {"attacks": "all", "hidden": 0.3, "mailbox_skew_s": 90.0},
    "wrong-country": {"attacks": "all", "wrong_country": True, "mailbox_skew_s": -40.0},
    "company": {"attacks": "all", "more": {"company-invoices": 5, "devices-of-branches": 5, "cloud-relay": 5,
                                           "webmail-reader": 4, "announcer": 3}},
    "movers": {"attacks": "all", "more": {"vpn-reader": 5, "vpn-silent": 5, "commuter": 5, "dual-sim": 5, "traveller": 4,
                                          "organiser": 5, "expat-on-the-web": 5, "phone-silent": 4}},
}


def spread(kinds, count, rng):
    """`count` names by weight: first each in its proportion, what is left over by lot."""
    total = sum(weight for _, weight in kinds)
    names, rest = [], []
    for name, weight in kinds:
        share = count * weight / total
        names += [name] * int(share)
        rest.append((share - int(share), rng.random(), name))
    names += [name for _, _, name in sorted(rest, reverse=True)[:count - len(names)]]
    rng.shuffle(names)
    return names


def chosen_attacks(which):
    return [(name, weight) for name, (weight, _, quiet, _) in attacks.KINDS.items()
            if which == "all" or quiet == (which == "quiet")]


def hides(mix, seed):
    share = mix.get("hidden", 0.0)
    return lambda account: random.Random(f"hidden {seed} {account}").random() < share


class Trace:
    def __init__(self, name, seed, lawful_count, abused_count, days):
        self.mix, self.seed = MIXES[name], seed
        self.rng = random.Random(f"trace {name} {seed}")
        self.world = World(seed)
        self.span = lawful.Span(BEGIN, days)
        self.log = Log(hides(self.mix, seed), self.mix.get("mailbox_skew_s", 0.0))
        self.accounts, self.labels = [], []
        if self.mix.get("wrong_country"):
            self.mislead()
        self.people(lawful_count)
        self.thieves(abused_count)
        self.noise()

    def mislead(self):
        """A new database takes a home carrier's addresses for foreign ones, for a day."""
        for carrier in self.world.carriers[HOME][:2]:
            carrier.blocks = carrier.blocks[:2]
        blocks = {(str(a), str(b)) for c in self.world.carriers[HOME][:2] for a, b in c.blocks}
        begin = BEGIN + (self.span.days // 2) * DAY
        self.log.wrong_country = (blocks, begin, begin + DAY, "TH")

    def account(self, created):
        name = f"m{len(self.accounts):05}@example.jp"
        self.accounts.append((name, created))
        return name

    def old(self):
        return BEGIN - self.rng.uniform(20, 4000) * DAY

    def live(self, kind, account):
        lawful.KINDS[kind][1](self.world, self.log, random.Random(f"{self.seed} {account}"), account, self.span)

    def people(self, count):
        more = self.mix.get("more", {})
        kinds = [(name, weight * more.get(name, 1)) for name, (weight, _) in lawful.KINDS.items()]
        for kind in spread(kinds, count, self.rng):
            created = BEGIN + self.rng.uniform(0, 1) * DAY if kind == "new-subscriber" else self.old()
            account = self.account(created)
            self.live(kind, account)
            self.labels.append((account, "legit", kind, 0))

    def thieves(self, count):
        first, last = self.mix.get("first", (0.5, self.span.days - 2.0))
        names = spread(chosen_attacks(self.mix["attacks"]), count - count // 10, self.rng)
        victims = ["ordinary"] * 8 + ["webmail-reader", "phone-reader", "privacy-addresses", "phone-silent"]
        for name in names:
            _, attack, _, is_new = attacks.KINDS[name]
            begins = BEGIN + self.rng.uniform(first, last) * DAY
            account = self.account(begins - self.rng.uniform(600, 7200) if is_new else self.old())
            if not is_new:
                self.live(self.rng.choice(victims), account)
            self.abuse(name, attack, account, begins)
        sprayed = [self.account(self.old()) for _ in range(count // 10)]
        for account in sprayed:
            self.live("ordinary", account)
        if sprayed and self.mix["attacks"] != "quiet":
            begins = attacks.spray(self.world, self.log, self.rng, sprayed, BEGIN + self.rng.uniform(first, last) * DAY)
            self.labels += [(account, "abused", "nifty-spray", begins[account]) for account in sprayed]
        else:
            for account in sprayed:
                name = self.rng.choice([n for n, _ in chosen_attacks("quiet") if not attacks.KINDS[n][3]])
                self.abuse(name, attacks.KINDS[name][1], account, BEGIN + self.rng.uniform(first, last) * DAY)

    def abuse(self, name, attack, account, begins):
        before = len(self.log.events)
        attack(self.world, self.log, random.Random(f"{self.seed} thief {account}"), account, begins)
        since = min(t for t, event in self.log.events[before:] if event["ev"] in ("auth-ok", "submit"))
        self.labels.append((account, "abused", name, since))

    def noise(self):
        """Names that are tried all over the internet, all the time."""
        t = BEGIN
        while t < self.span.end():
            t += self.rng.expovariate(1 / 400)
            self.log.fail(self.rng, t, self.rng.choice(("info", "admin", "test", "sales")) + "@example.jp",
                          Bot(self.world, self.rng.choice(FAR)))

    def write(self, out):
        end = self.span.end()
        events = sorted((e for e in self.log.events if e[0] < end), key=lambda e: e[0])
        with open(out + ".jsonl.gz", "wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as f:
            for _, event in events:
                f.write((json.dumps(event, separators=(",", ":")) + "\n").encode())
        with open(out + "-accounts.tsv", "w", encoding="ascii") as f:
            f.write("#account\tcreated\n")
            f.writelines(f"{name}\t{int(created)}\n" for name, created in self.accounts)
        with open(out + "-labels.tsv", "w", encoding="ascii") as f:
            f.write("#account\tlabel\tscenario\tfirst abusive login or mail\n")
            f.writelines(f"{name}\t{label}\t{scenario}\t{since:.3f}\n" for name, label, scenario, since in self.labels)
        return len(events)


def write(out, mix, seed, lawful_count, abused_count, days=7):
    return Trace(mix, seed, lawful_count, abused_count, days).write(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mix", choices=MIXES, default="everything")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lawful", type=int, default=2000)
    parser.add_argument("--abused", type=int, default=54)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("out", nargs="?")
    args = parser.parse_args()
    if args.list:
        print("\n".join(MIXES))
    elif args.out:
        print(write(args.out, args.mix, args.seed, args.lawful, args.abused, args.days), "events")
    else:
        parser.error("where to?")


if __name__ == "__main__":
    main()
