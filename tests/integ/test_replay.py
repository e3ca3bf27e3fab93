"""msactl replay with the shipped rules over the shared traces: the figures that the rules must reach, and what
the command says and refuses. No daemon runs."""

import gzip
import json
import os
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree

from harness import BUILD, ROOT, shared_data

RULES = os.path.join(ROOT, "conf/rules.conf")


def msactl(*args, **kwargs):
    return subprocess.run([os.path.join(BUILD, "msactl"), *args], capture_output=True, text=True,
                          check=False, **kwargs)


def replay(*args):
    run = msactl("replay", "--rules", RULES, "--json", *args)
    if run.returncode != 0:
        raise AssertionError(f"msactl replay ended with {run.returncode}: {run.stderr}")
    return json.loads(run.stdout)


def trace(name, *more):
    """Paths of a trace and what belongs to it; skips the test without the shared data."""
    return [shared_data(f"traces/{file}") for file in (name, *more)]


def show(what, result):
    abused, lawful = result["abused"], result["lawful"]
    print(f"     {what}: {abused['suspended']} of {abused['accounts']} abused accounts suspended, median "
          f"{abused['median_recipients_through']} recipients let through; of {lawful['accounts']} lawful ones "
          f"{lawful['suspended']} suspended, {lawful['refused']} refused or deferred anything, "
          f"{lawful['delayed']} delayed", flush=True)


class ShippedRules(unittest.TestCase):
    """conf/rules.conf as it is."""

    def test_dev_trace(self):
        log, accounts, labels = trace("dev.jsonl.gz", "dev-accounts.tsv", "dev-labels.tsv")
        began = time.monotonic()
        result = replay("--accounts", accounts, "--labels", labels, log)
        show("dev", result)
        print(f"     {result['events']} events in {time.monotonic() - began:.1f} s", flush=True)
        self.assertEqual(result["events"], 200034)
        self.assertEqual(result["lines_not_understood"], 0)
        self.assertEqual(result["abused"]["accounts"], 54)
        self.assertGreaterEqual(result["abused"]["suspended"], 52)
        self.assertLessEqual(result["abused"]["median_recipients_through"], 40)
        self.assertEqual(result["lawful"]["accounts"], 1999)
        self.assertLessEqual(result["lawful"]["suspended"], 1)
        self.assertLessEqual(result["lawful"]["refused"], 0.005 * 1999)

    def test_without_reports_of_mailbox_access(self):
        """A provider whose POP and IMAP servers tell us nothing: later, but nobody gets away."""
        log, accounts, labels = trace("dev.jsonl.gz", "dev-accounts.tsv", "dev-labels.tsv")
        with tempfile.TemporaryDirectory() as where:
            blind = os.path.join(where, "blind.jsonl.gz")
            with gzip.open(log, "rt") as source, gzip.open(blind, "wt", compresslevel=1) as sink:
                sink.writelines(line for line in source if '"mra-ok"' not in line)
            result = replay("--accounts", accounts, "--labels", labels, blind)
        show("dev without mailbox access", result)
        self.assertGreaterEqual(result["abused"]["suspended"], 52)
        self.assertLessEqual(result["abused"]["median_recipients_through"], 150)
        self.assertLessEqual(result["lawful"]["suspended"], 2)
        self.assertLessEqual(result["lawful"]["refused"], 0.005 * 1999)

    def test_countries_from_a_database_are_those_of_the_log(self):
        log, accounts, labels, mmdb = trace("dev.jsonl.gz", "dev-accounts.tsv", "dev-labels.tsv",
                                            "../mmdb/geo-whois-asn-country.mmdb")
        with tempfile.TemporaryDirectory() as where:
            bare = os.path.join(where, "bare.jsonl.gz")
            with gzip.open(log, "rt") as source, gzip.open(bare, "wt", compresslevel=1) as sink:
                for line in source:
                    event = json.loads(line)
                    event.pop("cc", None)
                    sink.write(json.dumps(event) + "\n")
            result = replay("--accounts", accounts, "--labels", labels, "--mmdb", mmdb, bare)
        show("dev by database", result)
        self.assertGreaterEqual(result["abused"]["suspended"], 52)
        self.assertLessEqual(result["lawful"]["suspended"], 1)

    def test_loopback_trace(self):
        log, accounts, labels = trace("loopback.jsonl.gz", "loopback-accounts.tsv", "loopback-labels.tsv")
        result = replay("--accounts", accounts, "--labels", labels, log)
        show("loopback", result)
        self.assertEqual(result["abused"]["suspended"], result["abused"]["accounts"])
        self.assertEqual(result["lawful"]["suspended"], 0)

    def test_real_people(self):
        """Submissions by members of a mailing list over seven years: nobody is to be suspended."""
        (log,) = trace("real-lists.jsonl.gz")
        result = replay(log)
        show("real lists", result)
        self.assertEqual(result["events"], 3211)
        self.assertEqual(result["lawful"]["accounts"], 114)
        self.assertEqual(result["lawful"]["suspended"], 0)

    def test_real_password_guessers(self):
        """24 addresses that guessed at SSH: those that tried many names, or one name often, are locked out."""
        (log,) = trace("real-ssh-failures.jsonl.gz")
        result = replay(log)
        acted = {rule["rule"]: rule["events"] for rule in result["rules"]}
        print(f"     guessers: of {result['events']} attempts {acted['spray-address']} met a lock of the address, "
              f"{acted['guess-unseen']} one of name and network", flush=True)
        self.assertGreater(acted["spray-address"], 20)
        self.assertGreater(acted["guess-unseen"], 100)


class Command(unittest.TestCase):
    def setUp(self):
        self.where = tempfile.TemporaryDirectory()
        self.addCleanup(self.where.cleanup)

    def file(self, name, text):
        path = os.path.join(self.where.name, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def test_says_what_is_wrong(self):
        log = self.file("log", '{"t":1,"ev":"submit","acct":"a","ip":"192.0.2.1"}\n')
        for args, status, word in (
                ((), 2, "usage"),
                (("--rules", "/nonexistent", log), 4, "No such file"),
                (("--rules", RULES, "/nonexistent"), 4, "No such file"),
                (("--rules", RULES, "--sweep", "messages-hour", log), 2, "sweep"),
                (("--rules", RULES, "--sweep", "nothing.limit=1..2", log), 2, "no such rule"),
                (("--rules", RULES, "--svg", "x", log), 2, "--sweep"),
                (("--rules", RULES, "--year", "soon", log), 2, "soon"),
                (("--rules", RULES, self.file("empty", "")), 4, "no line"),
                (("--rules", self.file("none", ""), log), 4, "no rules"),
                (("--rules", self.file("bad", "\nrule r { count nonsense; }\n"), log), 4, "bad:2"),
        ):
            run = msactl("replay", *args)
            self.assertEqual(run.returncode, status, (args, run.stderr))
            self.assertIn(word, run.stderr, args)

    def test_sweep_is_a_table_and_a_picture(self):
        log = self.file("log", "".join(
            json.dumps({"t": 1780000000 + n, "ev": "submit", "acct": f"a{n % 7}", "ip": "192.0.2.1"}) + "\n"
            for n in range(3000)))
        svg = os.path.join(self.where.name, "plot.svg")
        args = ("--rules", RULES, "--sweep", "messages-hour.limit=100..500/100", "--alone", "--svg", svg, log)
        run = msactl("replay", *args)
        self.assertEqual(run.returncode, 0, run.stderr)
        rows = [line.split() for line in run.stdout.splitlines() if line.strip()[:1].isdigit()]
        self.assertEqual([row[0] for row in rows], ["100", "200", "300", "400", "500"])
        self.assertEqual(rows[0][4], "7", "all seven accounts send more than 100 in an hour")
        self.assertEqual(rows[4][4], "0")
        picture = xml.etree.ElementTree.parse(svg).getroot()
        self.assertTrue(picture.tag.endswith("svg"))
        self.assertIn("messages-hour.limit", "".join(picture.itertext()))
        swept = json.loads(msactl("replay", "--json", *args).stdout)["sweep"]
        self.assertEqual([row["lawful_refused"] for row in swept["rows"]], [7, 7, 0, 0, 0], "428 each, and 200 are spare")

    def test_logs_of_other_servers(self):
        """A thief in Postfix's log, the owner's mailbox in Dovecot's: 40 networks in an hour, mail read in none."""
        postfix, dovecot = [], []
        for n in range(40):
            postfix += [f"Nov 23 02:{n:02}:00 mx postfix/smtpd[1]: {n:04X}: client=h[198.51.{n}.7], "
                        f"sasl_method=PLAIN, sasl_username=taro",
                        f"Nov 23 02:{n:02}:01 mx postfix/qmgr[2]: {n:04X}: from=<taro@a.jp>, size=9, nrcpt=5 "
                        f"(queue active)"]
            dovecot += [f"2026-11-23T02:{n:02}:30Z mx dovecot: imap-login: Login: user=<taro>, method=PLAIN, "
                        f"rip=192.0.2.1, lip=::1"]
        result = replay("--year", "2026", "--zone", "Z", self.file("mail.log", "\n".join(postfix)),
                        self.file("dovecot.log", "\n".join(dovecot)))
        (account,) = result["accounts"]
        self.assertEqual(account["account"], "taro")
        self.assertIn(account["suspended_by"], ("networks-hour", "addresses-hour"))
        self.assertLessEqual(account["messages_through"], 6)
        self.assertEqual(account["messages_through"] + account["messages_prevented"], 40)


if __name__ == "__main__":
    unittest.main()
