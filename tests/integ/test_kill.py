"""kill -9 of any process, and of all, at random moments while 20 clients submit: every message that got its 250 arrives
at least once, whole; none is invented; every duplicate has a kill between its two arrivals.

The moments are random by number of steps of the clients, from a seed that is printed. MSAD_KILLS is the
number of kills for each way of handing over (default: one round of every kind; make test-kill: many),
MSAD_SEED repeats a run."""

import collections
import hashlib
import os
import random
import signal
import ssl
import threading
import time

import harness
import msad
from talk import dot_stuff

KINDS = ("smtp", "auth", "policy", "score", "relay", "console", "supervisor", "all")
LOSES_DELIVERIES = ("relay", "supervisor", "all")  # what may end between a smarthost's 250 and its record
CLIENTS = 20
USER = "taro@example.test"
WALL_SLACK_MS = 1000  # what was on its way into the sink when its sender was killed arrives a little later
LATER_FAULT = "rcpt to later* times 300 reply 450 4.2.1 not now"  # so that both ways use the queue


class Ledger:
    """What the clients tried and what they were promised. Shared by threads; every list is only appended to."""

    def __init__(self):
        self.tried = {}    # message -> (hash of its body, recipients)
        self.promised = [] # messages that got 250
        self.replies = collections.Counter()
        self.surprises = []
        self.steps = 0


class Client(threading.Thread):
    """Submits messages one after the other, over both ports, until told to stop. A reply that no failure of a process
    may cause is a surprise: anything but 250, 4xx and the end of the connection."""

    def __init__(self, number, server, ledger, seed):
        super().__init__(daemon=True)
        self.number, self.server, self.ledger = number, server, ledger
        self.random = random.Random(f"{seed}.{number}")
        self.context = server.trust()
        self.stopped = threading.Event()
        self.count = 0

    def run(self):
        while not self.stopped.is_set():
            try:
                self.session()
            except TimeoutError:
                self.ledger.surprises.append("a client waited in vain for a reply")
            except (OSError, ssl.SSLError):
                self.stopped.wait(0.01)  # nobody listens just now
            except AssertionError as error:  # a reply that was not hoped for
                self.note(str(error))

    def note(self, text):
        code = text.rpartition(", got ")[2][:3] if ", got " in text else "0"  # an EHLO that nobody answered
        self.ledger.replies[code] += 1
        if not code.startswith(("4", "0")):
            self.ledger.surprises.append(text)

    def step(self):
        self.ledger.steps += 1

    def session(self):
        talk = self.server.talk(implicit=self.random.random() < 0.5, context=self.context)
        try:
            self.step()
            talk.sign_in(USER, msad.ACCOUNTS[USER])
            for _ in range(self.random.randint(1, 6)):
                if self.stopped.is_set():
                    break
                self.submit(talk)
            talk.say("QUIT")
        finally:
            talk.close()

    def make_message(self):
        self.count += 1
        name = f"{self.number}.{self.count}"
        size = self.random.choice((100, 1000, 4000, 70_000, 150_000))  # above body_inline_limit: a file of its own
        body = (name + "\r\n").encode() + (self.random.randbytes(16).hex().encode() + b"\r\n") * (size // 34)
        word = "later" if self.random.random() < 0.1 else "to"
        recipients = tuple(f"{word}{i}.{name}@d.test" for i in range(self.random.randint(1, 3)))
        self.ledger.tried[name] = (hashlib.sha256(body).hexdigest(), recipients)
        return name, recipients, f"From: <{USER}>\r\nSubject: {name}\r\n\r\n".encode() + body

    def submit(self, talk):
        name, recipients, message = self.make_message()
        self.step()
        talk.begin(USER, *recipients)
        self.step()
        talk.expect("DATA", 354)
        stuffed = dot_stuff(message)
        middle = self.random.randrange(len(stuffed))
        talk.send(stuffed[:middle])
        self.step()
        talk.send(stuffed[middle:])
        self.step()
        talk.expect("", 250)
        self.ledger.promised.append(name)
        self.ledger.replies["250"] += 1
        self.step()


class KillTest(harness.Case):
    def setUp(self):
        super().setUp()
        self.seed = os.environ.get("MSAD_SEED", str(random.SystemRandom().randrange(10**6)))
        self.random = random.Random(self.seed)
        self.kills = []  # (kind, wall clock in ms before, after)
        self.recoveries = []
        self.ledger = Ledger()
        self.smarthost = self.sink(faults=(LATER_FAULT,))

    # ---- killing ----

    def kill(self, kind):
        before_ms = time.time() * 1000
        processes = self.msad.processes()
        if kind == "all":
            victims = [self.msad.pid] + [pid for _, pid in processes]
        elif kind == "supervisor":
            victims = [self.msad.pid]
        else:
            victims = [self.random.choice([pid for role, pid in processes if role == kind])]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        if kind in ("all", "supervisor"):
            self.msad.kill()
            self.msad.start()
        self.kills.append((kind, before_ms, time.time() * 1000))

    def kill_at_random(self, kind):
        """At the n-th step of the clients from now; then waits for a message that was begun and promised afterwards."""
        moment = self.ledger.steps + self.random.randint(1, 400)
        harness.wait_for(lambda: self.ledger.steps >= moment, "clients to get on")
        self.kill(kind)
        began = time.monotonic()
        seen = len(self.ledger.tried)
        fresh = set()

        def is_back():
            fresh.update(list(self.ledger.tried)[seen:])
            return len(self.msad.processes()) >= self.process_count and not fresh.isdisjoint(self.ledger.promised[-200:])

        harness.wait_for(is_back, f"service after the kill of {kind}")
        self.recoveries.append((time.monotonic() - began, kind))

    def run_clients(self, kinds):
        clients = [Client(n, self.msad, self.ledger, self.seed) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            for kind in kinds:
                self.kill_at_random(kind)
        finally:
            for client in clients:
                client.stopped.set()
            for client in clients:
                client.join(harness.WAIT_S)
        self.assertFalse(any(client.is_alive() for client in clients))

    # ---- judging ----

    def arrivals(self):
        """{(message, recipient): [(wall clock in ms, hash of the body)]}"""
        found = collections.defaultdict(list)
        for m in self.smarthost.messages():
            for recipient in m["rcpts"]:
                found[m["subject"], recipient["to"]].append((m["time_ms"], m["body_sha256"]))
        return found

    def missing(self):
        arrived = self.arrivals()
        return {(name, recipient) for name in self.ledger.promised for recipient in self.ledger.tried[name][1]
                if (name, recipient) not in arrived}

    def is_explained(self, first_ms, again_ms):
        return any(kind in LOSES_DELIVERIES and first_ms <= after + WALL_SLACK_MS and before <= again_ms
                   for kind, before, after in self.kills)

    def judge(self):
        harness.wait_for(lambda: not self.missing(), "everything promised to arrive", 60)
        self.msad.wait_for_empty_queue(60)
        arrived, duplicate_count = self.arrivals(), 0
        for (name, recipient), times in arrived.items():
            self.assertIn(name, self.ledger.tried, "invented")
            digest, recipients = self.ledger.tried[name]
            self.assertIn(recipient, recipients, "invented")
            self.assertEqual({found for _, found in times}, {digest}, f"{name} is not what was sent")
            for (first_ms, _), (again_ms, _) in zip(times, times[1:]):
                duplicate_count += 1
                self.assertTrue(self.is_explained(first_ms, again_ms), f"{name} came twice without a kill between: "
                                f"{first_ms} {again_ms} {self.kills}")
        self.assertEqual(self.ledger.surprises, [])
        return arrived, duplicate_count

    def check(self, handover):
        count = int(os.environ.get("MSAD_KILLS", len(KINDS)))
        kinds = [kind for _ in range(0, count, len(KINDS)) for kind in self.random.sample(KINDS, len(KINDS))][:count]
        print(f"    seed {self.seed}: {' '.join(kinds)}", flush=True)
        self.msad = self.stop_later(msad.Msad(
            self.directory, self.smarthost.port, queue="retry 1s; min_free 0;",
            pool=f"handover {handover}; dead_host_pause 100ms;",
            policy="messages off; recipients off;"))
        self.process_count = len(self.msad.processes())
        self.run_clients(kinds)
        self.smarthost.set_faults()
        arrived, duplicate_count = self.judge()
        slowest_s, slowest = max(self.recoveries)
        kills_of_relay = sum(kind in LOSES_DELIVERIES for kind in kinds)
        print(f"    {handover}: {len(kinds)} kills, {len(self.ledger.tried)} messages tried, "
              f"{len(self.ledger.promised)} promised, {len({name for name, _ in arrived})} arrived, "
              f"{duplicate_count} duplicates over {kills_of_relay} kills of relay, replies {dict(self.ledger.replies)}, "
              f"slowest recovery {slowest_s:.2f} s ({slowest})", flush=True)
        self.assertGreater(len(self.ledger.promised), 10 * len(kinds))
        self.msad.wait_for_event("serving")  # the last start needed no repair
        self.assertEqual(self.msad.events("queue-record-damaged"), [])

    def test_immediate_handover(self):
        self.check("immediate")

    def test_handover_through_the_queue(self):
        self.check("queue")
