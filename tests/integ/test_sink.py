"""The sink itself: what other tests believe of it."""

import base64
import hashlib
import smtplib
import ssl

import harness
from talk import Talk


def reference_unstuff(data):
    """RFC 5321 4.5.2 in the plainest way: line by line at CRLF, one dot off the front."""
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in data.split(b"\r\n"))


class SinkTest(harness.Case):
    def talk(self, sink, hello=True):
        talk = Talk(sink.port)
        self.addCleanup(talk.close)
        if hello:
            self.assertEqual(talk.reply()[0], 220)
            self.assertEqual(talk.ask("EHLO c.test"), 250)
        return talk

    def begin(self, talk, sender="a@b.test", recipient="c@d.test"):
        self.assertEqual(talk.ask(f"MAIL FROM:<{sender}>"), 250)
        self.assertEqual(talk.ask(f"RCPT TO:<{recipient}>"), 250)

    def deliver(self, talk, body, want=250):
        self.begin(talk)
        self.assertEqual(talk.ask("DATA"), 354)
        talk.send(body)
        code, line = talk.reply()
        self.assertEqual(code, want, line)

    def test_records_envelope_and_hashes(self):
        sink = self.sink(store=True)
        talk = self.talk(sink)
        self.assertEqual(talk.ask("MAIL FROM:<a@b.test> SIZE=10 BODY=8BITMIME RET=HDRS"), 250)
        self.assertEqual(talk.ask("RCPT TO:<\"x>y\"@d.test> NOTIFY=NEVER"), 250)
        self.assertEqual(talk.ask("RCPT TO:<e@f.test>"), 250)
        self.assertEqual(talk.ask("DATA"), 354)
        talk.send(b"Subject: \xc3\xa4 \"q\"\r\nMessage-ID: <1@b>\r\n\r\n..dot\r\n.\r\n")
        self.assertEqual(talk.reply()[0], 250)
        body = b".dot\r\n"
        whole = b"Subject: \xc3\xa4 \"q\"\r\nMessage-ID: <1@b>\r\n\r\n" + body
        (found, stored), = sink.stored()
        self.assertEqual(stored, whole)
        self.assertEqual(sink.messages(), [found])
        self.assertEqual(found["from"], "a@b.test")
        self.assertEqual(found["from_params"], "SIZE=10 BODY=8BITMIME RET=HDRS")
        self.assertEqual(found["rcpts"], [{"to": '"x>y"@d.test', "params": "NOTIFY=NEVER"},
                                          {"to": "e@f.test", "params": ""}])
        self.assertEqual(found["sha256"], hashlib.sha256(whole).hexdigest())
        self.assertEqual(found["body_sha256"], hashlib.sha256(body).hexdigest())
        self.assertEqual(found["message_id"], "<1@b>")
        self.assertEqual(found["subject"].encode("latin-1"), b'\xc3\xa4 "q"')
        self.assertEqual((found["has_8bit"], found["tls"], found["bdat"]), (True, "", False))

    def test_the_hash_of_the_body_is_right_at_every_split_of_the_empty_line(self):
        sink = self.sink()
        talk = self.talk(sink)
        head, body = b"A: b\r\nC: d\r\n\r\n", b"body\r\n"
        for split in range(1, len(head + body)):
            self.begin(talk)
            talk.send(b"BDAT %d\r\n" % split + (head + body)[:split])
            self.assertEqual(talk.reply()[0], 250)
            talk.send(b"BDAT %d LAST\r\n" % (len(head + body) - split) + (head + body)[split:])
            self.assertEqual(talk.reply()[0], 250)
        self.assertEqual({m["body_sha256"] for m in sink.messages()}, {hashlib.sha256(body).hexdigest()})

    def test_only_crlf_dot_crlf_ends_the_data_at_every_split(self):
        sink = self.sink(store=True)
        talk = self.talk(sink)
        bodies = []
        for form in (b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n", b"\r\n.\0\r\n", b"\n.\r\r\n"):
            for split in range(1, len(form) + 5):
                bodies.append(b"x" + form + b"end\r\n.\r\n")
                self.begin(talk)
                self.assertEqual(talk.ask("DATA"), 354)
                talk.send(bodies[-1][:split])
                talk.send(bodies[-1][split:])
                self.assertEqual(talk.reply()[0], 250, bodies[-1])
        stored = sink.stored()
        self.assertEqual(len(stored), len(bodies))
        for (found, message), body in zip(stored, bodies):
            self.assertEqual(message, reference_unstuff(body[:-3]), body)
            self.assertGreater(found["bare_cr"] + found["bare_lf"] + found["nul"] + found["bad_dot"], 0)

    def test_bdat_keeps_every_octet(self):
        sink = self.sink(store=True)
        talk = self.talk(sink)
        self.begin(talk)
        talk.send(b"BDAT 5\r\n.\r\nab" + b"BDAT 0\r\n" + b"BDAT 4 LAST\r\n\r\n.\n")
        self.assertEqual([talk.reply()[0] for _ in range(3)], [250, 250, 250])
        self.begin(talk)
        talk.send(b"BDAT 0 LAST\r\n")
        self.assertEqual(talk.reply()[0], 250)
        self.assertEqual([message for _, message in sink.stored()], [b".\r\nab\r\n.\n", b""])
        talk.send(b"BDAT 3 LAST\r\nabc")  # without a transaction: read over, refused
        self.assertEqual(talk.reply()[0], 503)
        self.assertEqual(talk.ask("NOOP"), 250)
        self.assertEqual(talk.ask("BDAT -1"), 501)
        self.assertEqual(talk.reply()[0], 0)

    def test_pipelined_transactions(self):
        sink = self.sink()
        talk = self.talk(sink)
        one = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 3 LAST\r\nx\r\n"
        talk.send(one * 500)
        self.assertEqual({talk.reply()[0] for _ in range(1500)}, {250})
        counts = sink.counts()
        self.assertEqual((counts["messages"], counts["bytes"], counts["early_input"]), (500, 1500, 0))

    def test_tells_early_input(self):
        sink = self.sink()
        talk = self.talk(sink)
        self.begin(talk)
        talk.send(b"DATA\r\nx\r\n.\r\n")
        self.assertEqual([talk.reply()[0] for _ in range(2)], [354, 250])
        self.assertEqual(sink.counts()["early_input"], 1)
        silent = self.sink("--no", "pipelining", name="silent")
        talk = self.talk(silent)
        talk.send(b"NOOP\r\nNOOP\r\n")
        self.assertEqual([talk.reply()[0] for _ in range(2)], [250, 250])
        self.assertEqual(silent.counts()["early_input"], 1)

    def test_starttls_implicit_tls_and_auth(self):
        cert, key = harness.make_certificate(self.directory)
        sink = self.sink("--cert", cert, "--key", key, "--require-tls", "--auth", "user:se:cret",
                         "--listen-tls", "127.0.0.1:0")
        tls_port = int(sink.child.wait_for_line(r"listening .*:\d+\nlistening .*:(\d+)").group(1))
        trust = ssl.create_default_context(cafile=cert)
        with smtplib.SMTP("127.0.0.1", sink.port) as client:
            self.assertEqual(client.docmd("EHLO", "x")[0], 250)
            self.assertEqual(client.docmd("MAIL FROM:<a@b>")[0], 530)
            client.starttls(context=trust)
            with self.assertRaises(smtplib.SMTPSenderRefused):
                client.sendmail("a@b", ["c@d"], b"x")
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                client.login("user", "wrong")
            client.login("user", "se:cret")
            client.sendmail("a@b", ["c@d"], b"Subject: x\n\nx" * 20000)
        with smtplib.SMTP_SSL("127.0.0.1", tls_port, context=trust) as client:
            client.login("user", "se:cret")
            client.sendmail("a@b", ["c@d"], b"x")
        self.assertEqual([m["tls"] for m in sink.wait_for_messages(2)], ["TLSv1.3", "TLSv1.3"])
        self.assertEqual(sink.counts()["tls_sessions"], 2)

    def test_plaintext_behind_starttls_is_thrown_away_and_told(self):
        cert, key = harness.make_certificate(self.directory)
        sink = self.sink("--cert", cert, "--key", key)
        talk = self.talk(sink)
        talk.send(b"STARTTLS\r\nMAIL FROM:<evil@x>\r\n")
        self.assertEqual(talk.reply()[0], 220)
        trust = ssl.create_default_context(cafile=cert)
        with trust.wrap_socket(talk.socket, server_hostname="localhost") as tls:
            tls.sendall(b"RCPT TO:<c@d>\r\n")
            self.assertEqual(tls.recv(3), b"503")
        self.assertGreater(sink.counts()["early_input"], 0)

    def test_features_can_be_taken_away(self):
        uses = {"chunking": ("BDAT 1 LAST", 501), "8bitmime": ("MAIL FROM:<a@b> BODY=8BITMIME", 555),
                "smtputf8": ("MAIL FROM:<a@b> SMTPUTF8", 555), "dsn": ("MAIL FROM:<a@b> RET=FULL", 555),
                "size": ("MAIL FROM:<a@b> SIZE=1", 555), "requiretls": ("MAIL FROM:<a@b> REQUIRETLS", 555)}
        for feature, (command, want) in uses.items():
            with self.subTest(feature=feature):
                talk = self.talk(self.sink("--no", feature, name=feature), hello=False)
                talk.reply()
                talk.send("EHLO x\r\n")
                lines = []
                while not lines or lines[-1][3:4] == b"-":
                    lines.append(talk.file.readline())
                self.assertNotIn(feature.upper().encode(), b"".join(lines))
                self.assertEqual(talk.ask(command), want)

    def test_limits(self):
        sink = self.sink("--size", "100", "--max-rcpts", "1", "--max-sessions", "2")
        talk = self.talk(sink)
        self.assertEqual(talk.ask("MAIL FROM:<a@b> SIZE=101"), 552)
        self.begin(talk)
        self.assertEqual(talk.ask("RCPT TO:<e@f>"), 452)
        self.assertEqual(talk.ask("DATA"), 354)
        talk.send(b"x" * 101 + b"\r\n.\r\n")
        self.assertEqual(talk.reply()[0], 552)
        self.talk(sink)
        self.assertEqual(self.talk(sink, hello=False).reply()[0], 421)

    def test_recipients_that_name_their_reply(self):
        sink = self.sink()
        talk = self.talk(sink)
        self.assertEqual(talk.ask("MAIL FROM:<a@b>"), 250)
        self.assertEqual(talk.ask("RCPT TO:<r450-x@d>"), 450)
        self.assertEqual(talk.ask("RCPT TO:<r552-x@d>"), 552)
        self.assertEqual(talk.ask("RCPT TO:<r299-x@d>"), 250)
        self.assertEqual(talk.ask("RCPT TO:<d451-x@d>"), 250)
        self.assertEqual(talk.ask("DATA"), 354)
        talk.send(b"x\r\n.\r\n")
        self.assertEqual(talk.reply()[0], 451)
        self.assertEqual(sink.messages(), [])

    def test_faults_are_counted_matched_and_reloaded(self):
        sink = self.sink(faults=["rcpt to *@slow.test times 2 reply 450 4.2.0 later",
                                 "mail skip 1 times 1 reply 451-4.3.0 two\\n451 4.3.0 lines"])
        talk = self.talk(sink)
        self.assertEqual([talk.ask("MAIL FROM:<a@b>"), talk.ask("RSET"), talk.ask("MAIL FROM:<a@b>"),
                          talk.ask("MAIL FROM:<a@b>")], [250, 250, 451, 250])
        self.assertEqual([talk.ask("RCPT TO:<x@slow.test>") for _ in range(3)], [450, 450, 250])
        sink.set_faults("rcpt reply 550 5.1.1 none")
        self.assertEqual(talk.ask("RCPT TO:<y@d>"), 550)
        sink.set_faults()
        self.assertEqual(talk.ask("RCPT TO:<y@d>"), 250)

    def test_faults_that_end_or_spoil_the_session(self):
        sink = self.sink()
        for rule, want in (("mail drop", 0), ("mail reset", None), ("mail garbage", 0),
                           ("mail long", 250), ("mail flood", 250), ("mail delay 20 ok", 250),
                           ("mail delay 20 drop", 0)):
            with self.subTest(rule=rule):
                sink.set_faults(rule)
                talk = self.talk(sink)
                if want is None:
                    with self.assertRaises(ConnectionResetError):
                        talk.ask("MAIL FROM:<a@b>")
                else:
                    self.assertEqual(talk.ask("MAIL FROM:<a@b>"), want)

    def test_a_session_that_hangs_says_nothing_and_stays(self):
        sink = self.sink(faults=["mail times 1 hang"])
        talk = self.talk(sink)
        talk.send("MAIL FROM:<a@b>\r\nNOOP\r\n")
        self.assertEqual(self.talk(sink).ask("NOOP"), 250)  # the sink has seen the MAIL by now
        talk.socket.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            talk.socket.recv(1)
        self.assertEqual(sink.counts()["open_sessions"], 2)
        talk.close()
        harness.wait_for(lambda: sink.counts()["open_sessions"] == 1, "the end of the session that hung")

    def test_banner_and_ehlo_faults(self):
        sink = self.sink(faults=["banner times 1 reply 421 4.3.2 busy", "ehlo times 1 reply 554 5.0.0 no"])
        talk = self.talk(sink, hello=False)
        self.assertEqual([talk.reply()[0], talk.reply()[0]], [421, 0])
        talk = self.talk(sink, hello=False)
        self.assertEqual(talk.reply()[0], 220)
        self.assertEqual([talk.ask("EHLO x"), talk.ask("HELO x")], [554, 250])

    def test_end_of_data_faults(self):
        sink = self.sink(faults=["eod times 1 reply 452 4.3.1 full", "eod times 1 drop", "after-eod times 1 drop",
                                 "data times 1 early 250 2.0.0 too soon", "body times 1 drop"])
        talk = self.talk(sink)  # early: the answer to the body comes before the body
        self.begin(talk)
        talk.send("DATA\r\n")
        self.assertEqual([talk.reply()[0], talk.reply()[0]], [354, 250])
        talk.send("x")
        self.assertEqual(talk.reply()[0], 0)  # body
        talk = self.talk(sink)
        self.deliver(talk, b"x\r\n.\r\n", want=452)
        self.deliver(talk, b"x\r\n.\r\n", want=0)
        self.assertEqual(sink.messages(), [])
        self.deliver(self.talk(sink), b"x\r\n.\r\n", want=0)
        self.assertEqual(len(sink.messages()), 1)  # kept, but the client was not told
        self.deliver(self.talk(sink), b"x\r\n.\r\n", want=250)

    def test_messages_survive_a_restart_on_the_same_port(self):
        sink = self.sink(store=True)
        for _ in range(2):
            self.deliver(self.talk(sink), b"x\r\n.\r\n")
            self.assertEqual(sink.stop(), 0)
            sink.start()
        self.assertEqual((len(sink.messages()), len(sink.stored())), (2, 2))

    def test_bad_rules_are_told(self):
        for rule in ("nophase drop", "rcpt", "rcpt reply", "rcpt explode", "rcpt times x drop", "rcpt drop it"):
            child = harness.Child([harness.BUILD + "/tests/sink", "--fault", rule], self.directory, "bad")
            self.assertEqual(child.process.wait(10), 2, rule)

    def test_auth_plain_in_two_steps(self):
        sink = self.sink("--auth", "u:p")
        talk = self.talk(sink)
        self.assertEqual(talk.ask("AUTH PLAIN"), 334)
        self.assertEqual(talk.ask(base64.b64encode(b"\0u\0p").decode()), 235)
        self.assertEqual(talk.ask("AUTH PLAIN"), 503)
        for token in (b"\0u\0P", b"u\0u\0p", b"\0u\0p\0", b""):
            fresh = self.talk(sink)
            self.assertEqual(fresh.ask("AUTH PLAIN " + (base64.b64encode(token).decode() or "=")), 535)
