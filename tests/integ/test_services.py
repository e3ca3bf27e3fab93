"""The services that the score process asks, as they come from Debian: rspamd, clamd, opendkim, rspamd as a milter."""

import json
import os
import subprocess
import unittest

import harness
import scanners

LINE = b"yes, this is one of many lines of a large message\r\n"
LARGE = (12 << 20) // len(LINE) + 1  # lines of more than twelve mebibytes
MESSAGE = b"From: taro@example.test\r\nTo: hana@example.net\r\nSubject: hello\r\n\r\nA line.\r\n"


def with_body(text):
    return MESSAGE + text.encode("ascii") + b"\r\n"


class Asking:
    """What test classes use to ask: build/tests/services_ask, behind the walls of the score process."""

    def ask_all(self, services, *messages):
        """([answer of each message], [status of each service], log)."""
        config = os.path.join(self.directory, "ask.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write("hostname submit.test; listener s { address 127.0.0.1:5870; auth_without_tls yes; }\n"
                       f"pool main {{ smarthost 127.0.0.1:2525; tls off; }} score {{ deadline 30s; {services} }}\n")
        paths = []
        for number, message in enumerate(messages):
            paths.append(os.path.join(self.directory, f"message.{number}"))
            with open(paths[-1], "wb") as file:
                file.write(message)
        run = subprocess.run([os.path.join(harness.BUILD, "tests/services_ask"), config, *paths],
                             capture_output=True, text=True, timeout=100, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        *answers, status = map(json.loads, run.stdout.splitlines())
        self.assertEqual(len(answers), len(messages))
        return answers, status, run.stderr

    def ask(self, services, message=MESSAGE, answered=1):
        (answer,), _, log = self.ask_all(services, message)
        self.assertEqual(answer["answered"], answered, log)
        return answer


class Manual(harness.Case):
    def test_the_sample_in_the_manual_is_a_configuration(self):
        with open(os.path.join(harness.ROOT, "conf/services.md"), encoding="utf-8") as file:
            sample, = [block for block in file.read().split("```") if block.lstrip().startswith("score {")]
        config = os.path.join(self.directory, "sample.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write("hostname submit.test; listener s { address 127.0.0.1:5870; auth_without_tls yes; }\n"
                       f"pool main {{ smarthost 127.0.0.1:2525; tls off; }}\n{sample}")
        run = subprocess.run([os.path.join(harness.BUILD, "msad"), "-t", "-f", config], capture_output=True, text=True,
                             check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


class Clamd(Asking, harness.SharedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clamd = cls.stop_later(scanners.Clamd(cls.directory))

    def settings(self, more="", socket=None):
        return f"clamd virus {{ socket {socket or self.clamd.socket}; deadline 20s; {more} }}"

    def test_a_clean_message_passes_and_a_virus_is_refused(self):
        for socket in (self.clamd.socket, self.clamd.unix_socket):
            with self.subTest(socket=socket):
                (clean, virus), status, _ = self.ask_all(self.settings(socket=socket), MESSAGE,
                                                         with_body(scanners.VIRUS))
                self.assertEqual((clean["action"], clean["findings"], clean["answered"]), ("none", {}, 1))
                self.assertEqual(virus["action"], "refuse")
                self.assertIn(scanners.VIRUS_NAME, virus["text"])
                self.assertEqual(list(virus["findings"]), [f"virus/{scanners.VIRUS_NAME}.UNOFFICIAL"])
                self.assertEqual(status[0]["failed"], 0)

    def test_a_virus_may_also_be_held_or_only_scored(self):
        held = self.ask(self.settings("on_virus hold;"), with_body(scanners.VIRUS))
        self.assertEqual(held["action"], "hold")
        scored = self.ask(self.settings("on_virus score; weight 8;"), with_body(scanners.VIRUS))
        self.assertEqual((scored["action"], scored["score_milli"], scored["scored"]), ("none", 8000, True))

    def test_a_virus_behind_twelve_mebibytes_is_found(self):
        large = MESSAGE + LINE * LARGE
        self.assertEqual(self.ask(self.settings(), large)["action"], "none")
        self.assertEqual(self.ask(self.settings(), large + scanners.VIRUS.encode() + b"\r\n")["action"], "refuse")

    def test_more_than_its_stream_limit_is_an_answer(self):
        large = MESSAGE + LINE * LARGE * 2
        for socket in (self.clamd.socket, self.clamd.unix_socket):
            with self.subTest(socket=socket):
                answer = self.ask(self.settings("max_bytes 100M; on_too_big hold;", socket), large)
                self.assertEqual(answer["action"], "hold")
                self.assertEqual(list(answer["findings"]), ["virus/TOO_BIG"])


class Gone(Asking, harness.Case):
    def test_nobody_there_is_neutral_and_the_breaker_opens(self):
        port = harness.free_port()
        for services in (f"rspamd a {{ socket 127.0.0.1:{port}; failures 2; }}",
                         f"clamd a {{ socket 127.0.0.1:{port}; failures 2; }}",
                         f"milter a {{ socket 127.0.0.1:{port}; failures 2; }}",
                         "clamd a { socket /nowhere/at/all; failures 2; }"):
            with self.subTest(services=services):
                answers, status, log = self.ask_all(services, MESSAGE, MESSAGE, MESSAGE)
                for answer in answers:
                    self.assertEqual((answer["asked"], answer["answered"], answer["action"], answer["scored"]),
                                     (1, 0, "none", False))
                self.assertEqual((status[0]["state"], status[0]["failed"], status[0]["skipped"]), ("open", 2, 1))
                self.assertIn(" error service-down service=a ", log)
                self.assertEqual(log.count(" service-failed "), 2)


class Rspamd(Asking, harness.SharedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rspamd = cls.stop_later(scanners.Rspamd(cls.directory))

    def settings(self, more=""):
        return f"rspamd main {{ socket {self.rspamd.socket}; deadline 20s; {more} }}"

    def test_symbols_and_score_arrive_and_gtube_is_refused(self):
        (plain, gtube), status, _ = self.ask_all(self.settings(), MESSAGE, with_body(scanners.GTUBE))
        self.assertEqual(plain["action"], "none")
        self.assertTrue(plain["scored"])
        self.assertIn("main/MISSING_MID", plain["findings"])
        self.assertGreater(plain["findings"]["main/MISSING_MID"], 0)
        self.assertEqual(gtube["action"], "refuse")
        self.assertEqual(gtube["text"], "Gtube pattern")
        self.assertEqual(gtube["findings"]["main/reject"], 0)
        self.assertEqual((status[0]["answered"], status[0]["failed"]), (2, 0))

    def test_it_judges_with_the_envelope(self):
        (answer,), _, _ = self.ask_all(self.settings(), MESSAGE)
        self.assertIn("main/FROM_EQ_ENVFROM", answer["findings"])
        self.assertIn("main/TO_MATCH_ENVRCPT_ALL", answer["findings"])

    def test_weight_and_acts_are_the_operators(self):
        full = self.ask(self.settings())
        half = self.ask(self.settings("weight 0.5;"))
        self.assertAlmostEqual(half["score_milli"], full["score_milli"] / 2, delta=2)
        held = self.ask(self.settings("on_reject hold;"), with_body(scanners.GTUBE))
        self.assertEqual(held["action"], "hold")

    def test_its_header_fields_are_added_if_wanted(self):
        self.assertRegex(self.ask(self.settings())["header"], r"(?m)^X-Spam-Status: [^\r]*\r\n")
        self.assertEqual(self.ask(self.settings("add_headers no;"))["header"], "")

    def test_twelve_mebibytes(self):
        large = MESSAGE + LINE * LARGE
        self.assertTrue(self.ask(self.settings(), large)["scored"])

    def test_as_a_milter(self):
        settings = f"milter main {{ socket 127.0.0.1:{self.rspamd.milter_port}; deadline 20s; }}"
        (plain, gtube), _, log = self.ask_all(settings, MESSAGE, with_body(scanners.GTUBE))
        self.assertEqual((plain["answered"], plain["action"]), (1, "none"), log)
        self.assertRegex(plain["header"], r"(?m)^X-Spam-Status: [^\r]*\r\n")
        self.assertEqual((gtube["action"], gtube["text"]), ("refuse", "Gtube pattern"), log)


class Opendkim(Asking, harness.SharedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.opendkim = cls.stop_later(scanners.Opendkim(cls.directory))

    def settings(self):
        return f"milter sign {{ socket {self.opendkim.socket}; deadline 20s; }}"

    def verify(self, message):
        """(whether opendkim's own verifier accepts the signature, by a key that it reads from a file; what it says)."""
        keys = self.opendkim.write("keys", f"s1._domainkey.example.test {self.opendkim.public_key()}\n")
        config = self.opendkim.write("verify.conf", f"Mode v\nSyslog no\nTestDNSData {keys}\n")
        path = os.path.join(self.directory, "signed.eml")
        with open(path, "wb") as file:
            file.write(message.replace(b"\r\n", b"\n"))
        run = subprocess.run([scanners.OPENDKIM, "-t", path, "-x", config], capture_output=True, text=True,
                             timeout=harness.WAIT_S, check=False)
        return ") succeeded" in run.stdout + run.stderr, run.stdout + run.stderr

    def test_it_signs_and_the_signature_holds(self):
        folded = (b"From: Taro\r\n <taro@example.test>\r\nTo: hana@example.net\r\nSubject: a\r\n\tfolded one\r\n"
                  b"MIME-Version: 1.0\r\n\r\nA line.\r\n\r\n.\r\nThe end.\r\n\r\n\r\n")
        large = MESSAGE + LINE * LARGE
        for message in (MESSAGE, folded, large):
            with self.subTest(bytes=len(message)):
                answer = self.ask(self.settings(), message)
                self.assertEqual(answer["action"], "none")
                self.assertRegex(answer["header"], r"^DKIM-Signature: v=1; a=rsa-sha256; ")
                is_good, text = self.verify(answer["header"].encode("ascii") + message)
                self.assertTrue(is_good, text)
                is_good, text = self.verify(answer["header"].encode("ascii") +
                                            message.replace(b"example.net", b"example.org"))
                self.assertFalse(is_good, text)


if __name__ == "__main__":
    unittest.main()
