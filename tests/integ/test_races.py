"""The counters of a running msad when much happens at once, when processes die, and when the clock steps."""

import os
import signal
import socket
import threading

import harness
import msad
from clock import Clock
from talk import Talk

USER = "taro@example.test"
LIMIT = 100
RULE = f"rule day {{ count messages; per account; within 1d; limit {LIMIT}; then defer; }} "
MESSAGE = b"From: <taro@example.test>\r\n\r\nx\r\n.\r\n"


def v2(source):
    """A PROXY header, version 2, for an IPv6 client."""
    addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, "::1")
    return (b"\r\n\r\n\0\r\nQUIT\n\x21\x21" + (len(addresses) + 4).to_bytes(2, "big") + addresses
            + (40000).to_bytes(2, "big") + (587).to_bytes(2, "big"))


class Counted(harness.Case):
    more = RULE
    listener = ""

    def setUp(self):
        super().setUp()
        self.smarthost = self.sink()
        self.clock = Clock(self.directory)
        self.msad = self.stop_later(msad.Msad(
            self.directory, self.smarthost.port, more=self.more, clock=self.clock, listener=self.listener,
            limits="sessions_per_address 1000; preauth_sessions_per_address 1000; "
                   "handshakes_per_address 100000/1m; messages_per_session 1000; errors 1000; junk_commands 1000;"))
        self.context = self.msad.trust()

    def session(self, implicit=False, source=None):
        talk = self.msad.talk(implicit=implicit, context=self.context, source=source)
        self.addCleanup(talk.close)
        talk.sign_in(USER, msad.ACCOUNTS[USER])
        return talk

    def session_if_served(self):
        """None while the worker has not met the new policy: it says 421 then."""
        try:
            return self.session()
        except AssertionError:
            return None

    def send(self, talk):
        """The code of the last reply to one message."""
        talk.begin(USER, "friend@elsewhere.test")
        code = talk.ask("DATA")
        if code != 354:
            talk.ask("RSET")
            return code
        talk.send(MESSAGE)
        return talk.reply()[0]


class Races(Counted):
    def test_200_sessions_race_for_100_messages(self):
        talks = [self.session(i % 2 == 1, f"127.0.0.{1 + i % 20}") for i in range(200)]
        codes, gate = [], threading.Barrier(20)

        def run(mine):
            gate.wait(harness.WAIT_S)
            for talk in mine:  # all at DATA before any is finished
                talk.send(f"MAIL FROM:<{USER}>\r\nRCPT TO:<friend@elsewhere.test>\r\nDATA\r\n")
            for talk in mine:
                replies = [talk.reply()[0] for _ in range(3)]
                if replies[2] == 354:
                    talk.send(MESSAGE)
                codes.append(talk.reply()[0] if replies[2] == 354 else replies[2])

        threads = [threading.Thread(target=run, args=(talks[i::20],)) for i in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(codes), codes.count(250), codes.count(450)), (200, LIMIT, 200 - LIMIT))
        self.assertEqual(self.smarthost.counts()["messages"], LIMIT)

    def test_what_fails_is_given_back_whatever_way_it_fails(self):
        talk = self.session()
        for _ in range(LIMIT - 1):
            self.assertEqual(self.send(talk), 250)
        for way in ("RSET", "drop", "bare LF"):
            other = self.session()
            other.begin(USER, "friend@elsewhere.test")
            self.assertEqual(other.ask("DATA") if way != "RSET" else other.ask("RSET"), 354 if way != "RSET" else 250, way)
            if way == "bare LF":
                other.send(b"a\nb\r\n.\r\n")
                self.assertEqual(other.reply()[0], 550)
            if way == "drop":
                sessions = len(self.msad.events("disconnect"))
                other.close()
                self.msad.wait_for_event("disconnect", count=sessions + 1)
        self.assertEqual(self.send(talk), 250, "the hundredth")
        self.assertEqual(self.send(talk), 450)

    def test_counts_outlive_kills_but_for_the_last_turn(self):
        talk = self.session()
        for i in range(LIMIT):
            self.assertEqual(self.send(talk), 250)
            if i % 25 == 24:
                pid = self.msad.role_pids("policy")[-1]
                os.kill(pid, signal.SIGKILL)
                self.msad.wait_for_event("role-ready", count=len(self.msad.role_pids("policy")) + 1, role="policy")
                talk = harness.wait_for(self.session_if_served, "a session with the new policy")
        self.assertEqual(self.send(talk), 450, "every decision was in the file when its answer left")

    def test_a_clock_that_steps_loses_nothing_and_locks_nobody_out(self):
        talk = self.session()
        for _ in range(LIMIT):
            self.assertEqual(self.send(talk), 250)
        for hours in (-3, 1, 2, -1, 1):
            self.clock.advance(hours=hours)
            self.assertEqual(self.send(talk), 450, f"{hours} hours")
        self.clock.advance(days=400)  # a wrong date for a while
        self.assertEqual(self.send(talk), 250)
        self.clock.advance(days=-400)
        codes = [self.send(talk) for _ in range(3)]
        self.clock.advance(days=2)
        self.assertEqual(self.send(talk), 250, f"two days later everybody sends again; before: {codes}")


class Sources(Counted):
    listener = "proxy_protocol any; proxy_from 127.0.0.1;"
    more = "rule source { count sessions; per address; limit 2; then refuse; } "

    def come(self, header):
        """The code of the greeting; the connection stays open."""
        talk = Talk(self.msad.port, before=header)
        self.addCleanup(talk.close)
        return talk.reply()[0]

    def test_ipv6_counts_by_64_and_mapped_addresses_are_ipv4(self):
        self.assertEqual([self.come(v2(f"2001:db8:0:1::{i}")) for i in (1, 2, 3)], [220, 220, 554])
        self.assertEqual(self.come(v2("2001:db8:0:2::1")), 220, "another network")
        self.assertEqual(self.come(b"PROXY TCP4 192.0.2.7 192.0.2.1 1 587\r\n"), 220)
        self.assertEqual([self.come(v2("::ffff:192.0.2.7")) for _ in range(2)], [220, 554])
