"""An msad that guards accounts as a provider would: conf/rules.conf as it is, and clients who come from everywhere,
127.N.0.0/16 being a country (NUMBERS below). Traces are lived through against it, on a clock that goes by them."""

import base64
import contextlib
import gzip
import hashlib
import hmac
import http.client
import json
import os
import re
import socket
import subprocess
import threading
import time

import harness
import shared_data
from clock import Clock
from msad import Msad

RULES = os.path.join(harness.ROOT, "conf/rules.conf")
NUMBERS = {"JP": 0, "US": 1, "CN": 2, "RU": 3, "BR": 4, "IN": 5, "VN": 6, "ID": 7, "UA": 8, "KR": 9, "TW": 10, "TH": 11,
           "DE": 29, "FR": 30, "GB": 31, "SG": 54}
PASSWORD = "mono no aware"
MESSAGE = b"From: <%s>\r\nSubject: one of many\r\n\r\nNothing in it.\r\n"
START_S = 1780239600  # Monday 2026-06-01 in Japan, when the traces begin
OLD_DAYS = 100  # accounts that no rule for new ones is about


def address(country, host=1, network=0):
    """An address in `country`: of its /24 number `network`."""
    return f"127.{NUMBERS[country]}.{network}.{host}"


def verifier(password):
    """What `account import` takes for a password, as RFC 5802 makes it."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b"the same for all", 4096)
    client, server = (hmac.digest(salted, word, "sha256") for word in (b"Client Key", b"Server Key"))
    salt, stored, server = (base64.b64encode(b).decode()
                            for b in (b"the same for all", hashlib.sha256(client).digest(), server))
    return f"SCRAM-SHA-256$4096:{salt}${stored}:{server}"


VERIFIER = verifier(PASSWORD)


def quicker(rules):
    """The same decisions, without the seconds that guessers are kept waiting."""
    return re.sub(rb"\bdelay \d+s;", b"delay 20ms;", rules)


class Guarded(Msad):
    """logins: of accounts that are old, all with PASSWORD. more, policy and so on as for Msad."""

    def __init__(self, directory, smarthost, logins=(), rules=RULES, more="", clock=None, console="", **blocks):
        self.copy(shared_data.path("mmdb/loopback-country.mmdb"), directory, "country.mmdb")
        self.copy(rules, directory, "rules.conf", quicker)
        self.door_port = harness.free_port()
        clock = clock or Clock(directory)
        clock.set(START_S - OLD_DAYS * 86400)
        super().__init__(directory, smarthost, accounts={}, clock=clock,
                         more=f'include "../rules.conf"; geo {{ country {directory}/country.mmdb; }} '
                              f"console {{ auth_policy 127.0.0.1:{self.door_port}; {console} }} {more}", **blocks)
        self.context = self.trust()
        self.add(logins)
        clock.set(START_S)

    @staticmethod
    def copy(path, directory, name, change=lambda content: content):
        """Where the roles may read it."""
        target = os.path.join(directory, name)
        with open(path, "rb") as old, open(target, "wb") as new:
            new.write(change(old.read()))
        os.chmod(target, 0o644)

    def add(self, logins):
        """Accounts as old as the clock says."""
        if logins:
            run = self.msactl("account", "import", "-", stdin="".join(f"{a}:{VERIFIER}\n" for a in logins))
            assert f"{len(logins)}" in run.stdout, run.stdout

    # ---- what users do ----

    def enter(self, source, implicit=False):
        """Greeted inside TLS."""
        return self.talk(implicit=implicit, context=self.context, source=source)

    def sign_in(self, login, source, password=PASSWORD, implicit=False):
        """(talk, code of the reply to AUTH)."""
        talk = self.enter(source, implicit)
        return talk, talk.auth_plain(login, password)[0]

    def session(self, login, source, implicit=False):
        """A session that must be let in."""
        talk, code = self.sign_in(login, source, implicit=implicit)
        assert code == 235, f"{login} from {source}: {code}"
        return talk

    def reads_mail(self, login, source):
        """The mailbox server reports a sign-in."""
        connection = http.client.HTTPConnection("127.0.0.1", self.door_port, timeout=harness.WAIT_S)
        body = {"login": login, "remote": source, "protocol": "imap", "success": True, "policy_reject": False,
                "pwhash": "", "device_id": ""}
        connection.request("POST", "/?command=report", json.dumps(body), {"Content-Type": "application/json"})
        assert connection.getresponse().status == 200
        connection.close()

    # ---- what the support desk sees ----

    def restrictions(self, login=None, kind=None, everything=False):
        found = self.ctl_json("restriction", "list", *(["--all"] if everything else []))["restrictions"]
        return [r for r in found if login in (None, r["login"]) and kind in (None, r["kind"])]

    def suspension(self, login):
        """The record of a suspension that stands, whole; None if there is none."""
        found = self.restrictions(login, "suspended")
        assert len(found) <= 1, found
        return self.ctl_json("restriction", "show", found[0]["id"]) if found else None


def send(talk, login, recipients, sender=None):
    """(code, text) of the first reply that is not what a mail program hopes for, or of the last one."""
    sender = login if sender is None else sender
    for line in [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{r}>" for r in recipients)]:
        code, text = talk.say(line)
        if code != 250:
            if code not in (0, 421):
                talk.ask("RSET")
            return code, text
    code, text = talk.say("DATA")
    if code != 354:
        return code, text
    talk.send(MESSAGE % login.encode() + b".\r\n")
    return talk.reply()


def recipients(count):
    """The same ones each time: whether they are new is not what these tests are about."""
    return [f"r{i}@elsewhere.test" for i in range(count)]


class Watch:
    """Waits in a thread of its own for what the server says unasked in a session; `at` is when, `line` what."""

    def __init__(self, talk):
        self.talk, self.at, self.line = talk, None, ""
        self.thread = threading.Thread(target=self.wait, daemon=True)
        self.thread.start()

    def wait(self):
        with contextlib.suppress(OSError, socket.timeout):
            self.line = self.talk.file.readline().decode("latin-1").strip()
            self.at = time.monotonic()

    def after_ms(self, began):
        self.thread.join(harness.WAIT_S)
        assert self.at is not None, "the session was not told"
        return max(0.0, (self.at - began) * 1000)


# ---- traces ------------------------------------------------------------------------------------


def read_trace(name, wanted=None):
    """Events of a shared trace; those of the accounts that are wanted."""
    with gzip.open(shared_data.path(f"traces/{name}.jsonl.gz"), "rt", encoding="ascii") as file:
        events = [json.loads(line) for line in file]
    return [e for e in events if wanted is None or e["acct"] in wanted]


def read_table(name):
    """Lines of a shared table of traces, split."""
    with open(shared_data.path(f"traces/{name}"), encoding="ascii") as file:
        return [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]


def with_passwords(events, stale=()):
    """Says of each failed sign-in which wrong password it was, which the trace does not: forgotten devices of `stale`
    accounts repeat one, everybody else tries another each time."""
    for i, e in enumerate(events):
        if e["ev"] == "auth-fail":
            e["pw"] = 1 if e["acct"] in stale else i + 2
    return events


class Life:
    """Lives events through, in their order, at their time. stopped: account -> (index, event) at which the server
    first said that the account is suspended."""

    def __init__(self, msad, events):
        self.msad, self.events = msad, events
        self.open = {}  # session of the trace -> Talk
        self.last_of = {e.get("sess"): i for i, e in enumerate(events)}
        self.stopped, self.refused, self.through = {}, {}, {}
        self.refused_at = None  # when the newest refusal was read

    def live(self, stop_when_stopped=False):
        for i, e in enumerate(self.events):
            self.msad.clock.set(e["t"])
            {"auth-ok": self.sign_in, "auth-fail": self.fail, "submit": self.submit, "mra-ok": self.read}[e["ev"]](i, e)
            if self.last_of.get(e.get("sess")) == i:
                self.leave(e.get("sess"))
            if stop_when_stopped and self.stopped:
                break
        return self

    def leave(self, session):
        talk = self.open.pop(session, None)
        if talk:
            talk.close()

    def sign_in(self, i, e):
        talk, code = self.msad.sign_in(e["acct"], e["ip"])
        if code == 235:
            self.open[e["sess"]] = talk
            return
        talk.close()
        self.note(i, e, code, at_sign_in=True)

    def fail(self, i, e):
        with contextlib.suppress(AssertionError, OSError):  # a locked source may not even be greeted
            talk, code = self.msad.sign_in(e["acct"], e["ip"], password=f"wrong {e['pw']}")
            assert code != 235
            talk.close()

    def submit(self, i, e):
        talk = self.open.get(e["sess"])
        if not talk:
            return  # it was not let in
        code, text = send(talk, e["acct"], recipients(e["rcpts"]), e["mfrom"])
        if code == 250:
            count, number = self.through.get(e["acct"], (0, 0))
            self.through[e["acct"]] = (count + 1, number + e["rcpts"])
            return
        self.note(i, e, code, text=text)
        if code in (0, 421):
            self.leave(e["sess"])

    def read(self, _i, e):
        self.msad.reads_mail(e["acct"], e["ip"])

    def note(self, i, e, code, at_sign_in=False, text=""):
        """A refusal; a suspension if the record says so."""
        self.refused_at = time.monotonic()
        self.refused.setdefault(e["acct"], []).append((i, code, text))
        if e["acct"] not in self.stopped and (at_sign_in or code in (0, 421)):
            if self.msad.suspension(e["acct"]):
                self.stopped[e["acct"]] = (i, e)

    def close(self):
        for session in list(self.open):
            self.leave(session)


def write_accounts(path, created):
    """created: account -> when, seconds since 1970."""
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{account}\t{int(when)}\n" for account, when in created.items())


def write_trace(path, events):
    with open(path, "w", encoding="ascii") as file:
        file.writelines(json.dumps(e) + "\n" for e in events)


def replay(config, accounts, *logs):
    """What msactl replay makes of logs: account -> what it says of it."""
    run = subprocess.run([os.path.join(harness.BUILD, "msactl"), "-f", config, "replay", "--json", "--quiet",
                          "--accounts", accounts, *logs], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return {a["account"]: a for a in json.loads(run.stdout)["accounts"]}
