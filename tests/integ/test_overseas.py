"""海外送受信拒否 over SMTP: who has blocked use from overseas signs in at home alone, and a thief who tries from abroad
cannot tell by it whether the password was right. 127.1.0.0/16 is the United States, 127.30.0.0/16 France."""

import base64
import hashlib
import hmac
import os
import statistics
import time

import guarded as g
import harness

LOGIN = "hana@example.ac.jp"
PAIRS = 15


class Overseas(harness.SharedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.msad = cls.stop_later(g.Guarded(
            cls.directory, harness.free_port(), [LOGIN], limits="sessions_per_address 1000; auth_failures 100; errors 100;",
            auth="failure_delay 300ms;"))
        cls.clock = cls.msad.clock

    def setUp(self):
        self.clock.set(g.START_S)
        self.set("--overseas", "block", "--no-travel", "all")

    def set(self, *settings):
        self.msad.msactl("account", "set", LOGIN, *settings)

    def code(self, source, password=g.PASSWORD):
        talk, code = self.msad.sign_in(LOGIN, source, password)
        talk.close()
        return code

    def test_at_home_it_is_as_ever_and_abroad_it_is_refused(self):
        self.assertEqual(self.code(g.address("JP")), 235)
        self.assertEqual(self.code(g.address("US")), 535)
        self.set("--overseas", "allow")
        self.assertEqual(self.code(g.address("US")), 235)

    def test_the_refusal_says_nothing_about_the_password(self):
        texts, times = set(), {True: [], False: []}
        talk = self.msad.enter(g.address("US", 9))
        for i in range(2 * PAIRS):
            is_right = i % 2 == 0
            began = time.monotonic()
            texts.add(talk.auth_plain(LOGIN, g.PASSWORD if is_right else "the wrong one"))
            times[is_right].append(1000 * (time.monotonic() - began))
        talk.close()
        self.assertEqual(len(texts), 1, texts)
        right, wrong = statistics.median(times[True]), statistics.median(times[False])
        print(f"     right password {right:.0f} ms, wrong {wrong:.0f} ms", flush=True)
        self.assertLess(abs(right - wrong), max(20, 0.2 * wrong))

    def test_scram_does_not_prove_itself_to_who_is_refused(self):
        talk = self.msad.enter(g.address("US", 10))
        first = f"n={LOGIN},r={base64.b64encode(os.urandom(12)).decode()}"
        code, line = talk.say("AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,," + first.encode()).decode())
        self.assertEqual(code, 334)
        server_first = base64.b64decode(line[4:]).decode()
        nonce, salt, iterations = (part[2:] for part in server_first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", g.PASSWORD.encode(), base64.b64decode(salt), int(iterations))
        bare = f"c=biws,r={nonce}"
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client_key).digest(), f"{first},{server_first},{bare}".encode(), "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature))).decode()
        code, line = talk.say(base64.b64encode(f"{bare},p={proof}".encode()).decode())
        self.assertEqual(code, 535, line)
        talk.close()

    def test_a_journey_holds_for_its_days_and_its_country(self):
        self.set("--travel", "FR:2026-06-03..2026-06-05")
        self.assertEqual(self.code(g.address("FR")), 535, "not yet")
        self.clock.advance(days=3)
        self.assertEqual(self.code(g.address("FR")), 235)
        self.assertEqual(self.code(g.address("US")), 535, "not there")
        self.clock.advance(days=3)
        self.assertEqual(self.code(g.address("FR")), 535, "no more")

    def test_the_switch_cuts_what_is_open_abroad(self):
        self.set("--overseas", "allow")
        abroad = self.msad.session(LOGIN, g.address("US", 11))
        self.set("--overseas", "block")
        self.assertEqual(abroad.reply()[0], 421)
        self.assertEqual(self.code(g.address("US", 11)), 535)
        self.assertEqual(self.code(g.address("JP")), 235)

    def test_knocking_is_one_record_that_shuts_nobody_out(self):
        self.clock.advance(days=20)
        before = len(self.msad.restrictions(LOGIN, "overseas", everything=True))
        for _ in range(3):
            self.code(g.address("US", 12))
        found = self.msad.restrictions(LOGIN, "overseas", everything=True)
        self.assertEqual(len(found), before + 1)
        self.assertEqual((found[-1]["country"], found[-1]["standing"]), ("US", False))
