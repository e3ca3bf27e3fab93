"""msad under test: a configuration in a directory of its own, certificates, accounts, log lines as data."""

import contextlib
import json
import os
import re
import shlex
import signal
import smtplib
import ssl
import subprocess

import harness
from talk import Talk

ACCOUNTS = {"taro@example.test": "correct horse", "hana@example.test": "battery staple"}

# Every block takes further lines from a keyword argument of its name.
CONFIG = """\
hostname submit.test;
state_dir {directory}/state;
runtime_dir {directory}/run;
{top}
counters {{ size 16M; }}
log {{ target stderr; {log} }}
listener submission {{ address 127.0.0.1:{port}; {listener} }}
listener submissions {{ address 127.0.0.1:{tls_port}; mode submissions; {listener} }}
tls {{ certificate {{ cert_file {cert}; key_file {key}; }} {tls} }}
auth {{ {auth} }}
limits {{ {limits} }}
deadlines {{ {deadlines} }}
submission {{ {submission} }}
policy {{ {policy} }}
score {{ {score} }}
queue {{ {queue} }}
dns {{ {dns} }}
pool main {{ smarthost 127.0.0.1:{smarthost}; tls {smarthost_tls}; {pool} }}
{more}
"""
BLOCKS = ("top", "log", "listener", "tls", "auth", "limits", "deadlines", "submission", "policy", "score",
          "queue", "dns", "pool", "more")


def fields(line):
    """The event of a log line and its keys, unquoted; None for what is no line of msad's log."""
    match = re.match(r"\S+Z (\w+)\[(\d+)\] (\w+) (\S+)(.*)$", line)
    if not match:
        return None
    by, by_index, level, event, rest = match.groups()
    found = {"by": by, "by_index": int(by_index), "level": level, "event": event}
    for key, quoted, plain in re.findall(r' ([\w.]+)=(?:"([^"]*)"|(\S*))', rest):
        found[key] = re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m.group(1), 16)), quoted or plain)
    return found


class Msad:
    """smarthost: the port of one on 127.0.0.1. accounts: name -> password, added once it serves.
    clock: a clock.Clock to go by. program: another one than msad itself, below the build. Other keyword arguments are lines for the blocks of the configuration, such as queue="retry 1s;"."""

    def __init__(self, directory, smarthost, accounts=None, name="msad", cpus=None, smarthost_tls="off",
                 clock=None, program="msad", **blocks):
        assert set(blocks) <= set(BLOCKS), f"no such block: {set(blocks) - set(BLOCKS)}"
        self.name, self.cpus, self.smarthost = name, cpus, smarthost
        self.smarthost_tls, self.clock, self.program = smarthost_tls, clock, program
        self.env = clock.env if clock else {}
        self.directory = os.path.join(directory, name)
        os.chmod(directory, 0o755)  # as root, the roles run as somebody else
        os.mkdir(self.directory, 0o755)
        self.config_path = os.path.join(self.directory, "msad.conf")
        self.cert, self.key = harness.make_certificate(self.directory, "submit.test",
                                                       ("submit.test", "localhost", "127.0.0.1"))
        self.port, self.tls_port = harness.free_port(), harness.free_port()
        self.accounts = dict(ACCOUNTS if accounts is None else accounts)
        self.blocks = blocks
        self.write_config()
        self.start()
        try:
            for user, password in self.accounts.items():
                self.msactl("account", "add", user, "--stdin", stdin=password + "\n")
        except BaseException:
            self.kill()  # nobody else knows of it yet
            raise

    def write_config(self, **changes):
        """Writes the file anew, with other lines for the named blocks; takes effect at start or reload."""
        self.blocks.update(changes)
        lines = {block: self.blocks.get(block, "") for block in BLOCKS}
        if "level " not in lines["log"]:
            lines["log"] += " level debug;"
        if "failure_delay " not in lines["auth"]:
            lines["auth"] += " failure_delay 0s;"
        if "align " not in lines["more"]:  # most tests send messages without a header
            lines["more"] += " align anybody { check envelope; null_sender yes; }"
        if os.geteuid() == 0 and "user " not in lines["top"]:
            lines["top"] += " user nobody;"
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(directory=self.directory, port=self.port, tls_port=self.tls_port,
                                     cert=self.cert, key=self.key, smarthost=self.smarthost,
                                     smarthost_tls=self.smarthost_tls, **lines))

    def start(self):
        self.child = harness.Child([os.path.join(harness.BUILD, self.program), "-f", self.config_path],
                                   self.directory, self.name, env=self.env, cpus=self.cpus)
        self.wait_for_event("serving")

    @property
    def pid(self):
        return self.child.pid

    # ---- the log ----

    def events(self, event=None, **wanted):
        """Log lines of this start, as dicts; those of `event` and with these keys."""
        found = [line for line in map(fields, self.child.log().splitlines()) if line]
        return [line for line in found
                if event in (None, line["event"]) and all(line.get(k) == v for k, v in wanted.items())]

    def wait_for_event(self, event, count=1, **wanted):
        """The first `count` such lines. Fails early if msad has ended."""
        def look():
            has_ended = self.child.process.poll() is not None
            found = self.events(event, **wanted)
            if len(found) < count and has_ended:
                raise AssertionError(f"msad ended with {self.child.process.returncode}:\n{self.child.log()}")
            return len(found) >= count and found
        return harness.wait_for(look, f"{event} {wanted or ''} in the log of {self.name}")

    def role_pids(self, role):
        """Processes of a role, newest last."""
        return [int(line["pid"]) for line in self.events("role-ready", role=role)]

    def processes(self):
        """[(role, pid)] of what runs now, by the kernel's word; the supervisor is not among them."""
        found = []
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
                pids = file.read().split()
            for pid in pids:
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    with open(f"/proc/{pid}/cmdline", "rb") as file:
                        words = file.read().split(b"\0")
                    if b"--role" in words:
                        found.append((words[words.index(b"--role") + 1].decode(), int(pid)))
        return found

    # ---- the other hand ----

    def msactl(self, *arguments, stdin=None, check=True):
        """Runs msactl; CompletedProcess with text."""
        run = subprocess.run([os.path.join(harness.BUILD, "msactl"), "-f", self.config_path, *arguments],
                             input=stdin, capture_output=True, text=True, timeout=harness.WAIT_S, check=False,
                             env={**os.environ, "ASAN_OPTIONS": "verify_asan_link_order=0", **self.env})
        if check and run.returncode != 0:
            raise AssertionError(f"msactl {shlex.join(arguments)} ended with {run.returncode}:\n"
                                 f"{run.stdout}{run.stderr}\n{self.child.log()[-4000:]}")
        return run

    def ctl_json(self, *arguments, **settings):
        return json.loads(self.msactl("--json", *arguments, **settings).stdout)

    def queue_count(self):
        """Messages that relay has, in whatever state."""
        relay, = self.ctl_json("status")["relay"]
        return sum(count for state, count in relay["queue"].items() if state != "bytes")

    def wait_for_empty_queue(self, timeout_s=harness.WAIT_S):
        harness.wait_for(lambda: self.queue_count() == 0, "the queue to be empty", timeout_s)

    def reload(self, **changes):
        """Takes changed blocks into force; returns when every role has."""
        taken = len(self.events("reload-taken"))
        self.write_config(**changes)
        self.child.send_signal(signal.SIGHUP)
        self.wait_for_event("reload-taken", count=taken + 1)

    # ---- clients ----

    def trust(self):
        return ssl.create_default_context(cafile=self.cert)

    def client(self, user=None, password=None, implicit=False):
        """smtplib, inside TLS; signed in where a user is named (password: its own, if None)."""
        if implicit:
            client = smtplib.SMTP_SSL("127.0.0.1", self.tls_port, context=self.trust(), timeout=harness.WAIT_S)
        else:
            client = smtplib.SMTP("127.0.0.1", self.port, timeout=harness.WAIT_S)
            client.starttls(context=self.trust())
        if user:
            client.login(user, self.accounts[user] if password is None else password)
        return client

    def talk(self, user=None, implicit=False, context=None, source=None, before=b""):
        """A raw dialogue inside TLS, greeted; signed in where a user is named."""
        context = context or self.trust()
        if implicit:
            talk = Talk(self.tls_port, tls=context, source=source)
            talk.expect("", 220)
        else:
            talk = Talk(self.port, source=source, before=before)
            talk.expect("", 220)
            talk.hello()
            talk.starttls(context)
        talk.hello()
        if user:
            talk.sign_in(user, self.accounts[user])
        return talk

    def stop(self):
        return self.child.stop()

    def kill(self):
        self.child.kill()
