"""The score of what is submitted: it is given, said, and used; and mail flows when it cannot be had."""

import os
import signal
import socket
import threading
import time
import urllib.request

import harness
from msad import Msad

RULES = """
score_rule FREE { phrases "for free" "完全無料"; add 2.5; describe "It is for free."; }
score_rule LINK { min_links 1; add 0.5; describe "There is a link."; }
"""
CAMPAIGN_RULE = """
rule campaign { count accounts; per fingerprint; within 1h; limit 3; then refuse; because "one campaign"; }
"""
DEADLINE_S = 2
FREE = "Subject: hello\r\n\r\nThis is for free: http://shop.example.net/x\r\n"
DULL = "Subject: hello\r\n\r\nGood morning.\r\n"


def send(msad, user, message):
    """The last reply: (code, text)."""
    talk = msad.talk(user)
    try:
        return talk.submit(user, ["friend@example.com"], message.encode())
    finally:
        talk.close()


class Scored(harness.SharedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sink = cls.stop_later(harness.Sink(cls.directory))
        cls.metrics_port = harness.free_port()
        cls.msad = cls.stop_later(Msad(cls.directory, cls.sink.port, score=f"deadline {DEADLINE_S}s; neutral_score -1.0;",
                                       more=RULES + f"console {{ metrics 127.0.0.1:{cls.metrics_port}; }}"))

    def submit(self, message, user="taro@example.test"):
        """Submits; the mail-accepted line of it."""
        before = len(self.msad.events("mail-accepted"))
        code, text = send(self.msad, user, message)[:2]
        self.assertEqual(code, 250, text)
        return self.msad.wait_for_event("mail-accepted", count=before + 1)[before]

    def metric(self, name):
        """The sum over processes; None: no process says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=harness.WAIT_S) as answer:
            lines = answer.read().decode().splitlines()
        found = [int(line.rpartition(" ")[2]) for line in lines if line.startswith(name + "{")]
        return sum(found) if found else None

    def check(self, *files, stdin=None):
        return self.msad.ctl_json("score", "check", *files, stdin=stdin)

    def file_of(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return path

    # ---- when all is well ----

    def test_the_log_says_the_score_and_why_and_nothing_of_the_message(self):
        accepted = self.submit(FREE)
        scored, = self.msad.wait_for_event("scored", msg=accepted["msg"])
        self.assertEqual((scored["score_milli"], scored["findings"]), ("3000", "FREE(2.5),LINK(0.5)"))
        self.assertEqual(accepted["score_milli"], "3000")
        for line in self.msad.events(msg=accepted["msg"]):
            self.assertNotIn("shop.example", str(line))
        self.assertEqual(self.submit(DULL)["score_milli"], "0")

    def test_check_says_what_the_server_would_say(self):
        said = self.check(self.file_of("free.eml", FREE))
        self.assertEqual(said["score"], 3.0)
        self.assertEqual([f["name"] for f in said["findings"]], ["FREE", "LINK"])
        self.assertEqual(said["fingerprints"][0]["domain"], "example.net")
        self.assertFalse(said["cut"] or said["late"])
        self.assertEqual(self.check("-", stdin=DULL)["score"], 0)
        text = self.msad.msactl("score", "check", self.file_of("a.eml", FREE), self.file_of("b.eml", DULL)).stdout
        self.assertIn("a.eml: score 3.00\n", text)
        self.assertRegex(text, r"\+2\.50  FREE +It is for free\.")
        self.assertIn("b.eml: score 0.00\n", text)

    def test_check_says_what_it_did_not_look_at(self):
        large = self.file_of("large.eml", DULL + "0123456789 abcdef\r\n" * 60000 + "for free\r\n")
        said = self.check(large)
        self.assertEqual((said["score"], said["bytes"]), (0, os.path.getsize(large)))
        self.assertLess(said["bytes_looked_at"], said["bytes"])
        self.assertRegex(self.msad.msactl("score", "check", large).stdout, r"only the first \d+ of \d+ bytes")
        missing = self.msad.msactl("score", "check", "/nonexistent", check=False)
        self.assertEqual(missing.returncode, 4, missing.stderr)
        self.assertEqual(self.msad.msactl("score", "check", check=False).returncode, 2)

    def test_counters_are_in_the_status_and_the_metrics(self):
        before = self.metric("msad_score_scored_total")
        self.submit(DULL)
        self.assertEqual(self.metric("msad_score_scored_total"), before + 1)
        status, = self.msad.ctl_json("status")["score"]
        self.assertEqual(status["open"], 0)
        self.assertGreaterEqual(status["asked"], status["scored"])

    def test_without_consent_nothing_is_read(self):
        self.msad.msactl("account", "set", "hana@example.test", "--consent", "no")
        asked = self.metric("msad_score_asked_total")
        self.assertEqual(self.submit(FREE, "hana@example.test")["score_milli"], "-1000")
        self.assertEqual(self.metric("msad_score_asked_total"), asked)

    # ---- when it cannot be had ----

    def missing(self, accepted):
        self.assertEqual(accepted["score_milli"], "-1000", "the neutral score")
        self.msad.wait_for_event("score-missing", msg=accepted["msg"])

    def test_a_score_process_that_hangs_holds_no_mail_up(self):
        pid = self.msad.role_pids("score")[-1]
        missing = self.metric("msad_score_missing_total")
        os.kill(pid, signal.SIGSTOP)
        try:
            began_s = time.monotonic()
            self.missing(self.submit(FREE))
            took_s = time.monotonic() - began_s
            self.assertGreater(took_s, DEADLINE_S - 0.5, "it was waited for")
            self.assertLess(took_s, DEADLINE_S + 5)
            self.assertEqual(self.metric("msad_score_missing_total"), missing + 1)
        finally:
            os.kill(pid, signal.SIGCONT)
        harness.wait_for(lambda: self.submit(FREE)["score_milli"] == "3000", "a score again")

    def test_a_score_process_that_dies_is_back_and_mail_flows_meanwhile(self):
        pid = self.msad.role_pids("score")[-1]
        starts = len(self.msad.role_pids("score"))
        accepted = len(self.msad.events("mail-accepted"))
        os.kill(pid, signal.SIGSTOP)  # so that it cannot answer before it dies
        talk = self.msad.talk("taro@example.test")
        talk.begin("taro@example.test", "friend@example.com")
        talk.expect("DATA", 354)
        talk.send(FREE.encode() + b".\r\n")
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(talk.reply()[0], 250)
        talk.close()
        self.missing(self.msad.wait_for_event("mail-accepted", count=accepted + 1)[-1])
        self.msad.wait_for_event("role-ready", count=starts + 1, role="score")
        harness.wait_for(lambda: self.submit(FREE)["score_milli"] == "3000", "a score again")


class Rubbish(harness.SharedCase):
    """A score process that answers what nobody can use, or nothing (tests/tools/bad_score.c): each message goes on with
    the neutral score within the deadline, and it can be seen that something is wrong."""

    DEADLINE_S = 1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sink = cls.stop_later(harness.Sink(cls.directory, store=True))
        cls.msad = cls.stop_later(Msad(cls.directory, cls.sink.port, program="tests/bad_score", top="workers 1;",
                                       score=f"deadline {cls.DEADLINE_S}s; neutral_score -1.0;"))

    def submit(self, answer):
        """Submits a message that is to be answered so; its mail-accepted line."""
        before = len(self.msad.events("mail-accepted"))
        began_s = time.monotonic()
        talk = self.msad.talk("taro@example.test")
        code, text = talk.submit("taro@example.test", [f"{answer}@example.com"], FREE.encode())[:2]
        talk.close()
        self.assertEqual(code, 250, f"{answer}: {text}")
        self.assertLess(time.monotonic() - began_s, self.DEADLINE_S + 5)
        return self.msad.wait_for_event("mail-accepted", count=before + 1)[before]

    def missing_scores(self):
        return sum(process["missing_scores"] for process in self.msad.ctl_json("status")["smtp"])

    def wait_for_a_good_one(self):
        """The channel is there again, and is of use."""
        harness.wait_for(lambda: self.submit("good")["score_milli"] == "1500", "a score that counts")

    def neutral(self, answer):
        self.wait_for_a_good_one()
        missing = self.missing_scores()
        accepted = self.submit(answer)
        self.assertEqual(accepted["score_milli"], "-1000", answer)
        self.msad.wait_for_event("score-missing", msg=accepted["msg"])
        self.assertEqual(self.missing_scores(), missing + 1)

    def test_rubbish_costs_the_channel_and_no_mail(self):
        ended = len(self.msad.events("role-ended"))
        for answer in ("another-id", "short", "long", "huge", "action", "nan", "reply"):
            broken = len(self.msad.events("chan-broken", peer="score"))
            self.neutral(answer)
            self.msad.wait_for_event("chan-broken", peer="score", count=broken + 1)
        self.wait_for_a_good_one()
        self.assertEqual(len(self.sink.messages()), len(self.msad.events("mail-accepted")))
        self.assertEqual(len(self.msad.events("role-ended")), ended, "it is no crash, neither here nor there")

    def test_no_answer_is_waited_for_to_the_deadline(self):
        self.neutral("nothing")

    def test_an_answer_and_its_copy_are_one(self):
        self.wait_for_a_good_one()
        broken = len(self.msad.events("chan-broken"))
        self.assertEqual(self.submit("twice")["score_milli"], "1500")
        self.wait_for_a_good_one()
        self.assertEqual(len(self.msad.events("chan-broken")), broken)

    def test_one_that_ends_over_a_message_is_back(self):
        ended = len(self.msad.events("role-ended", role="score"))
        self.neutral("no-more")
        self.msad.wait_for_event("role-ended", role="score", count=ended + 1)
        self.wait_for_a_good_one()


class Scanner:
    """Speaks as clamd does (INSTREAM). `says`: its answer; None: it takes the message and never answers."""

    def __init__(self, says):
        self.says, self.kept = says, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        self.kept.append(client)
        with client.makefile("rb") as file:
            while file.read(1) not in (b"\0", b"\n", b""):
                pass  # the command
            while size := int.from_bytes(file.read(4), "big"):
                file.read(size)
        if self.says is not None:
            client.sendall(self.says + b"\0")
            client.close()

    def stop(self):
        self.listener.close()
        for client in self.kept:
            client.close()


class Services(harness.SharedCase):
    """What a service says is part of the one verdict; what it does not say is missed, and no more."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sink = cls.stop_later(harness.Sink(cls.directory))

    def start(self, name, says):
        scanner = self.stop_later(Scanner(says))
        clamd = f"clamd av {{ socket 127.0.0.1:{scanner.port}; deadline 1s; }}"
        return self.stop_later(Msad(self.directory, self.sink.port, name=name,
                                    score=f"deadline {DEADLINE_S}s; {clamd}", more=RULES))

    def test_a_virus_is_refused_and_named(self):
        msad = self.start("virus", b"stream: Eicar-Signature FOUND")
        code, text = send(msad, "taro@example.test", FREE)
        self.assertEqual(code // 100, 5, text)
        scored, = msad.wait_for_event("scored")
        self.assertIn("av/", scored["findings"])
        self.assertIn("FREE(2.5)", scored["findings"])

    def test_clean_mail_passes(self):
        msad = self.start("clean", b"stream: OK")
        self.assertEqual(send(msad, "taro@example.test", FREE)[0], 250)
        scored, = msad.wait_for_event("scored")
        self.assertEqual((scored["score_milli"], scored.get("late")), ("3000", None))

    def test_a_service_that_hangs_is_left_out_and_the_rest_counts(self):
        msad = self.start("hangs", None)
        self.assertEqual(send(msad, "taro@example.test", FREE)[0], 250)
        scored, = msad.wait_for_event("scored")
        self.assertEqual((scored["score_milli"], scored["late"]), ("3000", "1"))
        self.assertIn("missing:services", scored["findings"])
        status, = msad.ctl_json("status")["score"]
        self.assertEqual((status["late"], status["services"][0]["failed"]), (1, 1))


class Campaign(harness.SharedCase):
    """One campaign through several accounts, each copy with another name, number and link."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sink = cls.stop_later(harness.Sink(cls.directory))
        cls.accounts = {f"u{i}@example.test": "correct horse" for i in range(1, 9)}
        cls.msad = cls.stop_later(Msad(cls.directory, cls.sink.port, accounts=cls.accounts, more=CAMPAIGN_RULE))

    PARCEL = ("From: {user}\r\nSubject: Your parcel {number}\r\n\r\nDear {name},\r\n\r\nyour parcel {number} could not be "
              "delivered, because a fee of {fee} EUR\r\nis still to be paid. Please confirm your address within {hours} hours, "
              "or the parcel\r\ngoes back to where it came from. You find all that is needed on this page:\r\n\r\n"
              "http://parcel{number}.example{n}.net/track\r\n\r\nYours, the parcel service for {name}\r\n")
    NAMES = ("Taro Tanaka", "Mary Smith", "Olga Petrova")

    def test_the_third_stolen_account_is_refused(self):
        codes = []
        for n, name in enumerate(self.NAMES, 1):
            user = f"u{n}@example.test"
            message = self.PARCEL.format(user=user, number=1000 + 7919 * n, name=name, fee=n + 0.99, hours=24 * n, n=n)
            codes.append(send(self.msad, user, message)[0])
        self.assertEqual(codes[:2], [250, 250])
        self.assertGreaterEqual(codes[2], 500)

    FOOTER = ("\r\n--------------------------------\r\nExample Trading Ltd., Marunouchi, Tokyo\r\nhttp://www.example.test/\r\n"
              "this message is confidential and meant for the person that it is addressed to; if that is not you, please\r\n"
              "tell the sender and delete it, and do not copy it or tell anybody what is in it.\r\n")
    LETTERS = (
        "could you send me the minutes of the meeting, please? i want to see what we agreed about the budget before\r\n"
        "i call the supplier again, and the numbers for spring would help, too.\r\n",
        "the train was late again, so i will not be there before ten. begin without me and start with the second\r\n"
        "point of the agenda, which does not need what i prepared.\r\n",
        "thank you for the photos of the new building. the one with the stairs should go on the first page of the\r\n"
        "leaflet, and all others can go to the archive as they are.\r\n",
        "we moved the workshop to the large room, because more people signed up than we thought. coffee is at three,\r\n"
        "and whoever wants to show something brings it on a stick.\r\n",
    )

    def test_letters_with_one_footer_pass(self):
        for n, letter in enumerate(self.LETTERS, 5):
            user = f"u{n}@example.test"
            code, text = send(self.msad, user, f"From: {user}\r\nSubject: hello\r\n\r\n{letter}{self.FOOTER}")[:2]
            self.assertEqual(code, 250, text)

