"""The smarthost misbehaves in every phase of the dialogue: the client hears what house.md promises, nothing is lost, what
cannot be delivered comes back to its sender, and once the smarthost is well again everything arrives exactly once."""

import email
import os
import re
import time

import harness
import msad

USER = "taro@example.test"
OTHER = "hana@example.test"

# Short, so that a hanging smarthost is found out soon.
DEADLINES = ("deadlines { connect 2s; handshake 2s; greeting 300ms; command 300ms; data 300ms; body 500ms; "
             "final_dot 500ms; }")
POOL = "dead_host_pause 100ms; handover_deadline 3s; " + DEADLINES
FRESH = "messages_per_connection 1; " + POOL  # no link that stood before the fault
QUEUE = "retry 1h; min_free 0;"  # no attempt but the first, and those that a test asks for
POLICY = "messages off; recipients off;"

QUEUED = r"250 2\.0\.0 Ok: queued as \w+"
DELIVERED = r"250 2\.0\.0 Ok: passed on as \w+"

# No reply, or nothing that is one.
WILD = ("hang", "drop", "reset", "garbage", "long", "flood", "reply 4711 what")
LATER = ("reply 421 4.3.0 not now", "reply 451 4.3.0 later", *WILD)

# (fault, what the client hears, how often the message arrives). A failure of the host or of the connection is no fault of the message.
HOST_FAULTS = [(f"{phase} {action}", QUEUED)
               for phase in ("banner", "ehlo") for action in (*LATER, "reply 554 5.0.0 no", "early 250 2.0.0 so soon")]
MESSAGE_FAULTS = [
    *[(f"{phase} {action}", QUEUED) for phase in ("mail", "rcpt", "eod") for action in LATER],
    *[(f"body {action}", QUEUED) for action in ("hang", "drop", "reset", "garbage")],
    ("mail reply 550 5.1.8 bad sender", "550 5.1.8 bad sender"),
    ("mail reply 552 5.3.4 too big", "552 5.3.4 too big"),
    ("rcpt reply 550 5.1.1 nobody", "550 5.1.1 nobody"),
    ("rcpt reply 452 4.5.3 too many", QUEUED),
    ("eod reply 554 5.6.0 bad content", "554 5.6.0 bad content"),
    ("eod reply 554-5.6.0 one\\n554 5.6.0 two", "554 5.6.0 .*two"),
    ("eod reply 550 5.6.0 b\x01d \xff", r"550 5\.6\.0 [ -~]+"),
    ("eod early 250 2.0.0 once more", DELIVERED),
]
DATA_FAULTS = [
    *[(f"data {action}", QUEUED) for action in (*LATER, "early 250 2.0.0 so soon")],
    ("data reply 554 5.5.0 no data", "554 5.5.0 no data"),
]
# Where nothing is pipelined nobody can answer before the question.
EARLY_FAULTS = [(f"{phase} early 250 2.0.0 so soon", QUEUED) for phase in ("mail", "rcpt")]
# The sink takes what begins with 2 for a yes, and the message with it; msad must not believe such a reply.
MIXED_REPLIES = [(f"{phase} reply 250-two\\n550 codes", QUEUED) for phase in ("banner", "ehlo", "mail", "rcpt", "eod")]
ANSWERS_IN_MID_BODY = [("body reply 451 4.3.0 enough", QUEUED), ("body reply 250 2.0.0 I have enough", QUEUED)]
# The smarthost has the message, msad has no answer: a duplicate, and never a loss (RFC 1047).
LOST_ANSWERS = ("drop", "reset", "hang", "garbage", "long", "flood")


LARGE = b"x" * 76 + b"\r\n"
LARGE *= 20_000_000 // len(LARGE)  # more than socket buffers hold: the fault comes while it is being sent


def message(subject, body=b"body\r\n"):
    return f"From: <{USER}>\r\nSubject: {subject}\r\n\r\n".encode() + body


class FaultCase(harness.Case):
    def start(self, sink=None, **blocks):
        self.smarthost = sink or self.sink()
        settings = {"queue": QUEUE, "policy": POLICY, "pool": POOL, **blocks}
        self.msad = self.stop_later(msad.Msad(self.directory, self.smarthost.port, **settings))

    def talk(self, user=USER):
        talk = self.msad.talk(user, implicit=True)
        self.addCleanup(talk.close)
        return talk

    def submit(self, subject, *recipients, sender=USER, parameters="", body=b"body\r\n"):
        """The reply to a message; its recipients default to one."""
        talk = self.talk()
        talk.expect(f"MAIL FROM:<{sender}>{parameters}", 250)
        for recipient in recipients or ("you@else.test",):
            talk.expect(f"RCPT TO:<{recipient}>" if "<" not in recipient else f"RCPT TO:{recipient}", 250)
        talk.expect("DATA", 354)
        talk.send(message(subject, body) + b".\r\n")
        return talk.reply()[1]

    def arrived(self, subject):
        return [m for m in self.smarthost.messages() if m["subject"] == subject]

    def flush_until_empty(self):
        """Has msad try everything again, as often as it takes for the circuit breaker to close."""
        def is_done():
            if self.msad.queue_count() == 0:
                return True
            self.msad.msactl("queue", "flush")
            return False
        harness.wait_for(is_done, "the queue to be flushed")

    def bounces(self):
        """Reports that arrived at the smarthost, oldest first, parsed."""
        return [(found, email.message_from_bytes(text)) for found, text in self.smarthost.stored() if found["from"] == ""]


class FaultTest(FaultCase):
    def run_faults(self, faults, most=1, body=b"body\r\n"):
        """most: how often a message may arrive that the sink, too, may have taken in the first attempt."""
        for number, (fault, wanted) in enumerate(faults):
            with self.subTest(fault=fault):
                subject = f"fault-{number}"
                self.smarthost.set_faults(fault)
                began = time.monotonic()
                reply = self.submit(subject, body=body)
                took_s = time.monotonic() - began
                self.smarthost.set_faults()
                self.flush_until_empty()
                self.assertRegex(reply, "^" + wanted)
                self.assertLess(took_s, 5, "the client waited long")
                is_promised = wanted in (QUEUED, DELIVERED)
                self.assertIn(len(self.arrived(subject)), range(1, most + 1) if is_promised else (0,))
        counts = self.smarthost.counts()
        self.assertEqual((counts["bare_line_ends"], counts["bad_dots"]), (0, 0))
        self.assertEqual({m["from"] for m in self.smarthost.messages()}, {USER}, "nobody was to get a bounce")

    def test_faults_of_the_host(self):
        self.start(pool=FRESH)
        self.run_faults(HOST_FAULTS)

    def test_faults_in_a_transaction_with_bdat(self):
        self.start(pool=FRESH)
        self.run_faults(MESSAGE_FAULTS)

    def test_faults_in_a_transaction_with_data(self):
        self.start(self.sink("--no", "chunking"), pool=FRESH)
        self.run_faults(MESSAGE_FAULTS + DATA_FAULTS)

    def test_faults_without_pipelining(self):
        self.start(self.sink("--no", "chunking", "--no", "pipelining"), pool=FRESH)
        self.run_faults(DATA_FAULTS + EARLY_FAULTS)

    def test_replies_that_contradict_themselves_are_not_believed(self):
        self.start(pool=FRESH)
        self.run_faults(MIXED_REPLIES, most=2)

    def test_an_answer_in_mid_body_is_no_answer_to_the_message(self):
        for features in ((), ("--no", "chunking")):
            with self.subTest(features=features):
                self.start(self.sink(*features, name=f"sink{len(features)}"), pool=FRESH, name=f"msad{len(features)}")
                self.run_faults(ANSWERS_IN_MID_BODY, most=2, body=LARGE)

    def test_a_kept_connection_that_is_closed_is_nobodys_trouble(self):
        self.start()
        self.assertRegex(self.submit("first"), DELIVERED)
        for number, fault in enumerate(("mail times 1 drop", "mail times 1 reset", "rset times 1 drop",
                                        "mail times 1 reply 421 4.4.2 idle for too long")):
            with self.subTest(fault=fault):
                self.smarthost.set_faults(fault)
                self.assertRegex(self.submit(f"again-{number}"), DELIVERED)
                self.assertEqual(len(self.arrived(f"again-{number}")), 1)

    def test_an_answer_that_is_lost_makes_a_duplicate_and_no_loss(self):
        self.start(pool=FRESH)
        for action in LOST_ANSWERS:
            with self.subTest(action=action):
                self.smarthost.set_faults(f"after-eod {action}")
                self.assertRegex(self.submit(action), QUEUED)
                self.smarthost.set_faults()
                self.flush_until_empty()
                self.assertEqual(len(self.arrived(action)), 2)

    def test_a_smarthost_that_is_not_there(self):
        self.start()
        self.smarthost.stop()
        self.assertRegex(self.submit("away"), QUEUED)
        self.smarthost.start()
        self.flush_until_empty()
        self.assertEqual(len(self.arrived("away")), 1)

    def test_retries_by_itself(self):
        self.start(queue="retry 1s; min_free 0;")
        self.smarthost.set_faults("rcpt times 2 reply 450 4.2.1 later")
        self.assertRegex(self.submit("later"), QUEUED)
        self.smarthost.wait_for_messages(1)
        self.msad.wait_for_empty_queue()
        self.assertEqual(len(self.arrived("later")), 1)
        self.assertEqual(len(self.msad.events("attempt")), 3)

    def test_a_stuck_smarthost_does_not_hold_clients_up(self):
        self.start()
        self.smarthost.set_faults("eod hang")
        began = time.monotonic()
        for number in range(30):
            self.assertRegex(self.submit(f"stuck-{number}"), QUEUED)
        took = time.monotonic() - began
        # Three late answers in a row open the circuit: all others go to the queue without waiting.
        self.assertLess(took, 15)
        print(f"    30 messages beside a stuck smarthost: {took:.1f} s", flush=True)
        self.smarthost.set_faults()
        self.flush_until_empty()
        self.assertEqual({len(self.arrived(f"stuck-{number}")) for number in range(30)}, {1})


class RecipientsTest(FaultCase):
    def test_each_recipient_by_itself(self):
        self.start(self.sink(store=True))
        self.smarthost.set_faults("rcpt to later@* reply 450 4.2.1 not now", "rcpt to never@* reply 550 5.1.1 nobody",
                                  "rcpt to many@* reply 452 4.5.3 too many recipients")
        everybody = ("good@else.test", "later@else.test", "never@else.test", "many@else.test", "fine@else.test")
        self.assertRegex(self.submit("mixed", *everybody), QUEUED)
        first, = self.arrived("mixed")
        self.assertEqual([r["to"] for r in first["rcpts"]], ["good@else.test", "fine@else.test"])
        self.smarthost.set_faults()
        self.flush_until_empty()
        reached = [r["to"] for m in self.arrived("mixed") for r in m["rcpts"]]
        self.assertEqual(sorted(reached), sorted(set(everybody) - {"never@else.test"}))
        (found, report), = self.bounces()
        self.assertEqual([r["to"] for r in found["rcpts"]], [USER])
        self.check_report(report, "never@else.test", "5.1.1", "550 5.1.1 nobody")

    def check_report(self, report, recipient, status, diagnostic):
        """RFC 3464: a machine can read who failed and why; nobody else is named."""
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertEqual(report.get_param("report-type"), "delivery-status")
        self.assertEqual(report["To"], f"<{USER}>")
        text, delivery, original = report.get_payload()
        fields = delivery.get_payload()
        self.assertEqual(len(fields), 2)  # the message's, and one recipient's
        self.assertEqual(fields[0]["Reporting-MTA"], "dns; submit.test")
        self.assertEqual(fields[1]["Final-Recipient"], f"rfc822; {recipient}")
        self.assertEqual(fields[1]["Action"], "failed")
        self.assertEqual(fields[1]["Status"], status)
        self.assertEqual(fields[1]["Diagnostic-Code"], f"smtp; {diagnostic}")
        self.assertIn(recipient, text.get_payload(decode=True).decode())
        self.assertIn("Subject: mixed", original.as_string())

    def test_a_refusal_after_the_promise_comes_back_to_the_sender(self):
        self.start(self.sink(store=True), pool="handover queue; " + POOL)
        self.smarthost.set_faults("rcpt to never@* reply 550 5.1.1 nobody")
        self.assertRegex(self.submit("mixed", "never@else.test"), QUEUED)
        self.smarthost.wait_for_messages(1)
        (found, report), = self.bounces()
        self.assertEqual([r["to"] for r in found["rcpts"]], [USER])
        self.check_report(report, "never@else.test", "5.1.1", "550 5.1.1 nobody")
        self.msad.wait_for_empty_queue()

    def test_no_report_where_none_is_wanted_or_possible(self):
        self.start(pool="handover queue; " + POOL)
        self.smarthost.set_faults("rcpt to never@* reply 550 5.1.1 nobody")
        self.assertRegex(self.submit("quiet", "<never@else.test> NOTIFY=NEVER"), QUEUED)
        self.assertRegex(self.submit("null", "never@else.test", sender=""), QUEUED)
        self.msad.wait_for_event("attempt", count=2)
        self.msad.wait_for_empty_queue()
        self.assertEqual(self.smarthost.messages(), [])

    def test_a_report_that_cannot_be_delivered_ends_there(self):
        self.start(pool="handover queue; " + POOL)
        self.smarthost.set_faults("rcpt reply 550 5.1.1 nobody at all")
        self.assertRegex(self.submit("lost"), QUEUED)
        self.msad.wait_for_event("attempt", count=2)  # the message, its report
        self.msad.wait_for_empty_queue()
        self.assertEqual(len(self.msad.events("attempt")), 2)

    def test_all_refused_is_the_smarthosts_own_answer(self):
        self.start()
        self.smarthost.set_faults("rcpt to a@* reply 550 5.1.1 no a", "rcpt to b@* reply 553 5.1.3 no b")
        self.assertEqual(self.submit("none", "a@else.test", "b@else.test"), "550 5.1.1 no a")
        self.assertEqual(self.msad.queue_count(), 0)


class FailoverTest(FaultCase):
    def setUp(self):
        super().setUp()
        self.second = self.sink(name="second")

    def start_two(self, preference, **settings):
        self.start(pool=f"smarthost 127.0.0.1:{self.second.port} {{ preference {preference}; }} "
                   "messages_per_connection 5; " + POOL, **settings)

    def test_the_other_takes_over_before_the_client_has_waited_long(self):
        self.start_two(preference=20)
        self.assertRegex(self.submit("first"), DELIVERED)
        self.assertEqual(len(self.arrived("first")), 1)
        for number, fault in enumerate(("banner reply 554 5.3.2 closed", "banner drop", "banner hang", "ehlo reply 421 4.3.2 no",
                                        "ehlo drop")):
            with self.subTest(fault=fault):
                self.smarthost.set_faults(fault)
                self.smarthost_forgets_links()
                subject = f"over-{number}"
                self.assertRegex(self.submit(subject), "^250 ")
                self.second.wait_for_messages(number + 1)
                self.assertEqual(self.second.messages()[-1]["subject"], subject)
        self.smarthost.set_faults()

        def is_used_again():
            self.assertRegex(self.submit("back"), "^250 ")
            return self.arrived("back")
        harness.wait_for(is_used_again, "the better smarthost to be used again")

    def smarthost_forgets_links(self):
        """Links that stand would hide the fault from the next message."""
        self.smarthost.stop()
        self.smarthost.start()

    def test_a_refused_message_is_not_offered_elsewhere(self):
        self.start_two(preference=20)
        self.smarthost.set_faults("rcpt reply 550 5.1.1 nobody")
        self.assertEqual(self.submit("no"), "550 5.1.1 nobody")
        self.assertEqual(self.second.messages(), [])

    def test_equal_ones_share(self):
        self.start_two(preference=10)
        talks = [self.talk() for _ in range(8)]
        for talk in talks:  # all at once, so that one link is not enough
            talk.begin(USER, "you@else.test")
            talk.expect("DATA", 354)
        for talk in talks:
            talk.send(message("shared") + b".\r\n")
        for talk in talks:
            self.assertEqual(talk.reply()[0], 250)
        self.assertEqual(len(self.smarthost.messages()) + len(self.second.messages()), 8)
        self.assertGreater(len(self.smarthost.messages()), 0)
        self.assertGreater(len(self.second.messages()), 0)


class TlsTest(FaultCase):
    def setUp(self):
        super().setUp()
        self.cert, self.key = harness.make_certificate(self.directory, "smarthost.test", ("smarthost.test",))
        self.other_cert, _ = harness.make_certificate(self.directory, "other.test", ("smarthost.test",))

    def start_tls(self, *options, tls="required", pool="", **settings):
        self.start(self.sink("--cert", self.cert, "--key", self.key, *options, **settings),
                   smarthost_tls=tls, pool=f"{pool} {POOL}")

    def pool_trusting(self, cert, name="smarthost.test"):
        return f"ca_file {cert}; verify_name {name}; {POOL}"

    def check_distrust(self, pool):
        self.start(self.sink("--cert", self.cert, "--key", self.key), smarthost_tls="required", pool=pool)
        self.assertRegex(self.submit("safe"), QUEUED)
        trouble = self.msad.wait_for_event("smarthost-trouble")[0]
        self.assertRegex(trouble["text"], "certificate|hostname mismatch")
        self.assertEqual(self.smarthost.counts()["transactions"], 0)
        self.msad.reload(pool=self.pool_trusting(self.cert))
        self.flush_until_empty()
        delivered, = self.arrived("safe")
        self.assertEqual(delivered["tls"], "TLSv1.3")

    def test_mail_waits_rather_than_meet_an_unknown_authority(self):
        self.check_distrust(self.pool_trusting(self.other_cert))

    def test_mail_waits_rather_than_meet_a_wrong_name(self):
        self.check_distrust(self.pool_trusting(self.cert, "elsewhere.test"))

    def test_required_tls_that_is_not_to_be_had(self):
        self.start(self.sink(), smarthost_tls="required", pool=self.pool_trusting(self.cert))
        self.assertRegex(self.submit("safe"), QUEUED)
        self.msad.wait_for_event("smarthost-trouble")
        self.assertEqual(self.smarthost.messages(), [])
        self.assertEqual(self.smarthost.counts()["transactions"], 0)

    def test_faults_of_starttls(self):
        self.start_tls(pool=f"ca_file {self.cert}; verify_name smarthost.test;")
        for number, action in enumerate(("reply 454 4.7.0 no TLS now", "reply 502 5.5.1 what", "drop", "hang", "garbage",
                                         "early 250 2.0.0 injected", "long")):
            with self.subTest(action=action):
                subject = f"starttls-{number}"
                self.smarthost.set_faults(f"starttls {action}")
                self.smarthost.stop()  # no link that stands
                self.smarthost.start()
                self.assertRegex(self.submit(subject), QUEUED)
                self.smarthost.set_faults()
                self.flush_until_empty()
                delivered, = self.arrived(subject)
                self.assertEqual(delivered["tls"], "TLSv1.3")

    def test_opportunistic_tls_falls_back(self):
        self.start(self.sink("--cert", self.cert, "--key", self.key), smarthost_tls="opportunistic",
                   pool=POOL)
        self.assertRegex(self.submit("tls"), DELIVERED)
        self.assertEqual(self.arrived("tls")[0]["tls"], "TLSv1.3")
        self.smarthost.set_faults("starttls reply 454 4.7.0 no TLS now")
        self.smarthost.stop()
        self.smarthost.start()
        self.assertRegex(self.submit("clear"), "^250 ")
        self.flush_until_empty()
        self.assertEqual(self.arrived("clear")[0]["tls"], "")

    def test_requiretls_needs_a_smarthost_that_has_it(self):
        self.start_tls("--no", "requiretls", pool=f"ca_file {self.cert}; verify_name smarthost.test;")
        self.assertRegex(self.submit("plain"), DELIVERED)
        self.assertRegex(self.submit("strict", parameters=" REQUIRETLS"), r"^5\d\d 5\.7\.30 ")
        self.assertEqual(self.arrived("strict"), [])

    def test_signs_in_inside_tls_only(self):
        self.start_tls("--auth", "msad:pass word", "--require-tls", pool=self.auth_pool())
        self.assertRegex(self.submit("signed"), DELIVERED)
        self.assertTrue(self.arrived("signed")[0]["authenticated"])
        self.assertNotIn("pass word", self.msad.child.log())

    def auth_pool(self):
        path = f"{self.directory}/password"
        with open(path, "w", encoding="ascii") as file:
            file.write("pass word\n")
        os.chmod(path, 0o600)
        return f"ca_file {self.cert}; verify_name smarthost.test; auth {{ user msad; password_file {path}; }}"


class FeatureTest(FaultCase):
    """What the smarthost does not offer is not used, and what cannot be sent without is refused properly."""

    def test_what_is_not_offered_is_not_used(self):
        for feature in ("pipelining", "chunking", "8bitmime", "size", "dsn", "enhancedstatuscodes"):
            with self.subTest(feature=feature):
                self.smarthost = self.sink("--no", feature, name=feature)
                if feature == "pipelining":
                    self.start(self.smarthost)
                else:
                    self.msad.smarthost = self.smarthost.port
                    self.msad.reload()
                self.assertRegex(self.submit(feature, parameters=" SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x"), DELIVERED)
                delivered, = self.arrived(feature)
                self.assertNotIn({"8bitmime": "BODY", "size": "SIZE", "dsn": "RET"}.get(feature, "?"),
                                 delivered["from_params"])
                self.assertEqual(self.smarthost.counts()["early_input"], 0)

    def test_utf8_addresses_need_smtputf8(self):
        self.start(self.sink("--no", "smtputf8"))
        talk = self.talk()
        talk.send(f"MAIL FROM:<{USER}> SMTPUTF8\r\nRCPT TO:<\u592a\u90ce@else.test>\r\n")
        self.assertEqual([talk.reply()[0], talk.reply()[0]], [250, 250])
        talk.expect("DATA", 354)
        talk.send(message("utf8") + b".\r\n")
        self.assertRegex(talk.reply()[1], r"^55\d 5\.6\.7 ")
        self.assertEqual(self.arrived("utf8"), [])

    def test_octets_above_127_need_8bitmime(self):
        self.start(self.sink("--no", "8bitmime"))
        talk = self.talk()
        talk.begin(USER, "you@else.test", parameters=" BODY=8BITMIME")
        talk.expect("DATA", 354)
        talk.send(message("eight").replace(b"body", b"b\xc3\xb6dy") + b".\r\n")
        self.assertRegex(talk.reply()[1], r"^55\d 5\.6\.3 ")
        self.assertEqual(self.arrived("eight"), [])
