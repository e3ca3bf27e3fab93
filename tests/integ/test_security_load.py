"""Clients that are slow, many, greedy or silent, against the running daemon (tests/SECURITY.md, G), and what time and
memory tell (C)."""

import base64
import os
import select
import socket
import ssl
import statistics
import struct
import time

import harness
import msad
from talk import Talk

USER = "taro@example.test"
PASSWORD = msad.ACCOUNTS[USER]
TO = "hana@elsewhere.test"
MESSAGE = f"From: {USER}\r\nSubject: x\r\n\r\nx\r\n".encode()
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close sends RST


def token(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def fd_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def peak_kib(pid):
    """The most memory that it ever had; 0 where a sanitizer has most of it."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        if "libasan" in file.read():
            return 0
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


class LoadCase(harness.SharedCase):
    """One worker, so that its limits and resources can be told."""
    settings = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sink = cls.stop_later(harness.Sink(cls.directory))
        cls.msad = cls.stop_later(msad.Msad(cls.directory, cls.sink.port, **{"top": "workers 1;", **cls.settings}))
        cls.worker = cls.msad.role_pids("smtp")[-1]

    def talk(self, user=None, **settings):
        talk = self.msad.talk(user, **settings)
        self.addCleanup(talk.close)
        return talk

    def connect(self, port=None, source="127.0.0.1"):
        connection = socket.create_connection(("127.0.0.1", port or self.msad.port), timeout=harness.WAIT_S,
                                              source_address=(source, 0))
        self.addCleanup(connection.close)
        return connection

    def greeting(self, source="127.0.0.1"):
        """(connection, the code that it was greeted with); 0 if it was closed without one."""
        connection = self.connect(source=source)
        line = connection.recv(512)
        return connection, int(line[:3] or 0)

    def end_of(self, connection):
        """Seconds until the other side ends the connection, and what it said."""
        started, said = time.monotonic(), b""
        try:
            while piece := connection.recv(65536):
                said += piece
        except (ConnectionResetError, ssl.SSLError):
            pass
        return time.monotonic() - started, said


class SlowTest(LoadCase):
    settings = {"deadlines": "preauth_command 1s; preauth_session 3s; handshake 1s; auth_exchange 1s; data_idle 1s; "
                             "data_min_rate 100000; command 1s;"}

    def trickle(self, connection, data):
        """One octet each 50 ms until the other side says something or has gone; seconds."""
        started = time.monotonic()
        while not select.select([connection], [], [], 0.05)[0] and time.monotonic() - started < harness.WAIT_S:
            connection.sendall(data)
        return time.monotonic() - started

    def test_a_trickled_command_line_has_one_time(self):
        connection, code = self.greeting()
        self.assertEqual(code, 220)
        self.assertLess(self.trickle(connection, b"x"), 3)
        self.msad.wait_for_event("disconnect", reason="timeout")

    def test_a_trickled_command_line_has_one_time_after_sign_in_too(self):
        talk = self.talk(USER)
        self.assertLess(self.trickle(talk.socket, b"x"), 3)
        self.msad.wait_for_event("disconnect", reason="timeout", user=USER)

    def test_a_stranger_has_one_time_for_everything(self):
        connection, _ = self.greeting()
        started, said = time.monotonic(), b""
        while b"421" not in said:
            connection.sendall(b"NOOP\r\n")
            said = connection.recv(512)
            time.sleep(0.05)
        self.assertLess(time.monotonic() - started, 5)
        self.msad.wait_for_event("disconnect", reason="session-timeout")

    def test_a_trickled_handshake_has_one_time(self):
        for port in (self.msad.port, self.msad.tls_port):
            connection = self.connect(port)
            if port == self.msad.port:
                connection.recv(512)
                connection.sendall(b"STARTTLS\r\n")
                self.assertEqual(connection.recv(512)[:3], b"220")
            connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            self.assertLess(self.trickle(connection, b"x"), 3)
        self.msad.wait_for_event("disconnect", count=2, reason="handshake-timeout")

    def test_a_silent_client_in_the_handshake_is_cut(self):
        self.assertLess(self.end_of(self.connect(self.msad.tls_port))[0], 3)

    def test_a_trickled_body_is_too_slow(self):
        talk = self.talk(USER)
        talk.begin(USER, TO)
        talk.expect("DATA", 354)
        self.assertLess(self.trickle(talk.socket, b"x"), 4)
        self.msad.wait_for_event("disconnect", reason="slow-body")

    def test_the_others_do_not_notice(self):
        slow = [self.greeting()[0] for _ in range(50)]
        for connection in slow:
            connection.sendall(b"EHL")
        talk = self.talk(USER)
        started = time.monotonic()
        for _ in range(20):
            self.assertEqual(talk.submit(USER, [TO], MESSAGE)[0], 250)
        self.assertLess(time.monotonic() - started, 5)


class UnreadTest(LoadCase):
    settings = {"deadlines": "output_stall 1s;",
                "limits": "session_output 8K; errors 10000; junk_commands 100000;"}

    def test_replies_that_nobody_reads_are_bounded_and_cut(self):
        before, connection = peak_kib(self.worker), socket.socket()
        self.addCleanup(connection.close)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(0.2)
        connection.connect(("127.0.0.1", self.msad.port))
        self.assertEqual(connection.recv(512)[:3], b"220")
        sent, started = 0, time.monotonic()
        with self.assertRaises((ConnectionResetError, BrokenPipeError)):
            while time.monotonic() - started < harness.WAIT_S:
                try:
                    sent += connection.send(b"EHLO x\r\n" * 2000)  # each answered with fifty times as much
                except TimeoutError:
                    pass  # it reads no more
        self.msad.wait_for_event("disconnect", reason="output-stall")
        self.assertLess(sent, 16 << 20)
        self.assertLess(peak_kib(self.worker) - before, 4096)

class ManyTest(LoadCase):
    settings = {"limits": "sessions 12; sessions_per_address 8; preauth_sessions 6; preauth_sessions_per_address 4;"}

    def setUp(self):
        super().setUp()
        self.addCleanup(harness.wait_for, lambda: self.open_sessions() == 0, "the sessions to end")

    def open_sessions(self):
        return len(self.msad.events("connect")) - len(self.msad.events("disconnect"))

    def fill(self, count, source="127.0.0.1"):
        found = [self.greeting(source) for _ in range(count)]
        self.assertEqual([code for _, code in found], [220] * count)
        return [connection for connection, _ in found]

    def test_one_address_has_its_limit_and_the_others_their_places(self):
        held = self.fill(4)
        connection = self.connect()
        self.assertEqual(self.end_of(connection)[1],
                         b"421 4.7.0 Too many connections from your address, please come back later\r\n")
        self.fill(2, "127.0.0.2")
        held[0].close()
        harness.wait_for(lambda: self.greeting()[1] == 220, "the place that became free")

    def test_strangers_do_not_take_the_places_of_customers(self):
        customers = [self.talk(USER) for _ in range(4)]
        self.fill(4)
        self.fill(2, "127.0.0.2")
        self.assertEqual(self.end_of(self.connect(source="127.0.0.3"))[1],
                         b"421 4.7.0 Too many connections here, please come back later\r\n")
        for talk in customers:
            self.assertEqual(talk.submit(USER, [TO], MESSAGE)[0], 250)

    def test_what_is_over_the_limit_on_the_tls_port_costs_no_handshake(self):
        self.fill(4)
        self.assertEqual(self.end_of(self.connect(self.msad.tls_port))[1], b"")


class HandshakesTest(LoadCase):
    settings = {"limits": "handshakes_per_address 5/1h;"}

    def test_handshakes_of_one_address_have_a_rate(self):
        for _ in range(5):
            Talk(self.msad.tls_port, tls=self.msad.trust()).close()
        started = cpu_s(self.worker)
        for _ in range(200):
            self.assertEqual(self.end_of(self.connect(self.msad.tls_port))[1], b"")
        self.assertLess(cpu_s(self.worker) - started, 0.2)  # 200 handshakes would be more
        other = self.connect(self.msad.tls_port, "127.0.0.2")
        with self.msad.trust().wrap_socket(other, server_hostname="submit.test") as tls:
            self.assertEqual(tls.recv(3), b"220")


class EarlyTest(LoadCase):
    def test_policy_keeps_nothing_of_who_does_not_wait_for_the_greeting(self):
        for i in range(40):
            with socket.create_connection(("127.0.0.1", self.msad.port), timeout=harness.WAIT_S) as early:
                early.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                if i % 2:
                    early.sendall(b"EHLO x\r\n")
                    early.recv(100)
        harness.wait_for(lambda: self.msad.ctl_json("status")["policy"][0]["sessions"] == 0, "policy to forget them")


class DescriptorsTest(LoadCase):
    settings = {"limits": "handshakes_per_address off; errors 1000;"}

    def test_resets_at_every_phase_leak_no_descriptor(self):
        pids = {pid for role in ("smtp", "auth", "policy", "relay") for pid in self.msad.role_pids(role)}

        def run(round_count):
            for _ in range(round_count):
                for step_count in range(len(self.STEPS) + 1):
                    for is_reset in (True, False):
                        self.go(step_count, is_reset)
            harness.wait_for(lambda: len(self.msad.events("connect")) == len(self.msad.events("disconnect")),
                             "the sessions to end")
            return {pid: fd_count(pid) for pid in pids}

        before, after = run(2), run(4)  # 144 sessions; relay's stock of bodies goes up and down by a few
        self.assertTrue(all(after[pid] <= before[pid] + 4 for pid in pids), (before, after))

    # A step is what is sent, and whether a reply is waited for.
    STEPS = ((b"EHLO x\r\n", True), (b"STARTTLS\r\n", True), ("tls", False), (b"EHLO x\r\n", True),
             (b"AUTH LOGIN\r\n", True), (b"*\r\n", True), (f"AUTH PLAIN {token(USER, PASSWORD)}\r\n".encode(), True),
             (f"MAIL FROM:<{USER}>\r\n".encode(), True), (f"RCPT TO:<{TO}>\r\n".encode(), True), (b"DATA\r\n", True),
             (b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 3000, False))

    def go(self, step_count, is_reset):
        """As far as this, and away."""
        talk = Talk(self.msad.port)
        talk.expect("", 220)
        for what, has_reply in self.STEPS[:step_count]:
            if what == "tls":
                talk.socket = self.msad.trust().wrap_socket(talk.socket, server_hostname="submit.test")
                talk.file = talk.socket.makefile("rb")
            else:
                talk.send(what)
            if has_reply:
                self.assertIn(talk.reply()[0] // 100, (2, 3, 5))
        if is_reset:
            talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        talk.close()


class Scarce(msad.Msad):
    """With few descriptors from the start."""

    def start(self):
        real = harness.BUILD
        wrapper = os.path.join(self.directory, "few")
        os.makedirs(wrapper, exist_ok=True)
        path = os.path.join(wrapper, "msad")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\nulimit -n 64\nexec {real}/msad \"$@\"\n")
        os.chmod(path, 0o755)
        harness.BUILD = wrapper
        try:
            super().start()
        finally:
            harness.BUILD = real


class ScarceTest(harness.Case):
    def test_without_descriptors_it_neither_spins_nor_loses_anybody(self):
        sink = self.sink()
        few = self.stop_later(Scarce(self.directory, sink.port, top="workers 1;"))
        worker = few.role_pids("smtp")[-1]
        talk = few.talk(USER)
        held = [socket.create_connection(("127.0.0.1", few.port), timeout=harness.WAIT_S) for _ in range(80)]
        few.wait_for_event("accept-failed")
        started = cpu_s(worker)
        for _ in range(40):
            self.assertEqual(talk.ask("NOOP"), 250)  # who is in stays in
            time.sleep(0.05)
        self.assertLess(cpu_s(worker) - started, 0.5)  # of two seconds
        for connection in held:
            connection.close()
        few.wait_for_event("disconnect", count=20)
        self.assertEqual(few.talk(USER).submit(USER, [TO], MESSAGE)[0], 250)
        self.assertEqual(few.role_pids("smtp"), [worker])


class GreedyTest(LoadCase):
    settings = {"limits": "header_size 2M; header_field_size 2M; header_fields 100000; long_lines accept; "
                          "message_size 8M; errors 10000; auth_failures 100;",
                "auth": "credential_cache 0s;"}

    def test_monstrous_headers_cost_neither_time_nor_memory(self):
        talk, most_cpu_s = self.talk(USER), 5 if harness.IS_SANITIZED else 1
        monsters = {
            "nested comments": "From: " + "(" * 200000 + "x" + ")" * 200000 + " <a@b.test>",
            "unclosed comments": "From: " + "(" * 200000,
            "commas": "From: " + "," * 500000,
            "quotes": "From: " + '"' * 400000 + "<a@b.test>",
            "addresses": "From: " + ", ".join(["a@b.test"] * 100000),
            "angles": "From: " + "<" * 300000, "groups": "From: " + "g:" * 300000, "routes": "From: <" + "@a," * 300000,
            "backslashes": 'From: "' + "\\" * 400000, "encoded": "From: " + "=?utf-8?q?=?= " * 80000,
            "folds": "From: a@b.test" + "\r\n x" * 200000, "fields": "\r\n".join(["X: y"] * 99000),
            "From fields": "\r\n".join(["From: a@b.test"] * 50000)}
        for name, header in monsters.items():
            with self.subTest(name=name):
                started, before = time.monotonic(), cpu_s(self.worker)
                self.assertIn(talk.submit(USER, [TO], (header + "\r\n\r\nx\r\n").encode())[0], (250, 550, 552, 554))
                self.assertLess(cpu_s(self.worker) - before, most_cpu_s)
                self.assertLess(time.monotonic() - started, harness.WAIT_S)
        self.assertLess(peak_kib(self.worker), 100 * 1024)
        self.assertEqual(self.msad.role_pids("smtp"), [self.worker])

    def test_the_default_limits_refuse_them_before_they_are_parsed(self):
        self.msad.reload(limits="errors 10000; auth_failures 100;")
        self.addCleanup(self.msad.reload, limits=self.settings["limits"])
        talk = self.talk(USER)
        for header in ("From: " + "(" * 200000, "\r\n".join(["X: y"] * 1001), "X: " + "y\r\n " * 30000):
            self.assertEqual(talk.submit(USER, [TO], (header + "\r\n\r\nx\r\n").encode())[0] // 100, 5)


class TimingTest(LoadCase):
    """failure_delay is 0 here: what it would cover must not be there in the first place."""
    settings = {"limits": "errors 10000; auth_failures 100;", "auth": "credential_cache 0s;"}

    def time_ms(self, talk, command):
        started = time.perf_counter()
        reply = talk.say(command)
        return (time.perf_counter() - started) * 1000, reply

    def test_an_unknown_user_and_a_wrong_password_take_the_same_time(self):
        talk = self.talk()
        self.msad.msactl("account", "add", "off@example.test", "--stdin", stdin="password\n")
        self.msad.msactl("account", "disable", "off@example.test")
        commands = {name: f"AUTH PLAIN {token(user, password)}" for name, user, password in (
            ("wrong", USER, "wrong"), ("unknown", "nobody@example.test", "wrong"),
            ("disabled", "off@example.test", "password"), ("no name", "a b@@example.test", "wrong"))}
        times, replies = {name: [] for name in commands}, set()
        for _ in range(24):
            for name, command in commands.items():  # in turn, so that a busy machine is busy for all
                took_ms, reply = self.time_ms(talk, command)
                times[name].append(took_ms)
                replies.add(reply)
        self.assertEqual(len(replies), 1, replies)
        medians = {name: statistics.median(found) for name, found in times.items()}
        shortest, longest = min(medians.values()), max(medians.values())
        self.assertTrue(longest - shortest < 20 and longest < 1.5 * shortest + 1, medians)

    def test_of_the_sasl_plugins_only_the_offered_ones_are_loaded(self):
        with open(f"/proc/{self.msad.role_pids('auth')[-1]}/maps", encoding="ascii") as file:
            loaded = {os.path.basename(line.split()[-1]).split(".so")[0] for line in file if "/sasl2/" in line}
        self.assertEqual(loaded, {"libplain", "liblogin", "libscram", "libcrammd5"})
