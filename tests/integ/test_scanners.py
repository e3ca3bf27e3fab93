"""Scanners in the way of a message: a client submits, msad asks rspamd, clamd and opendkim, the smarthost sees what comes
of it. What the scanners themselves say is tried in test_services."""

import smtplib

import harness
import msad as m
import scanners

USER = "taro@example.test"
HEADER = "From: taro@example.test\r\nTo: hana@example.net\r\nSubject: hello\r\n\r\n"


class ScannerCase(harness.Case):
    def start(self, services):
        self.smarthost = self.sink(store=True)
        self.msad = self.stop_later(m.Msad(self.directory, self.smarthost.port, more="accounts { content_scoring yes; }",
                                           score=f"deadline 20s; {services}"))

    def submit(self, text="A line."):
        """The reply to the message: (code, text)."""
        with self.msad.client(USER) as client:
            try:
                client.sendmail(USER, ["hana@example.net"], HEADER + text + "\r\n")
                return 250, ""
            except smtplib.SMTPDataError as error:
                return error.smtp_code, error.smtp_error.decode("ascii")

    def delivered(self):
        return [message.decode("ascii") for _, message in self.smarthost.stored()]

    def status(self):
        services, = [role["services"] for role in self.msad.ctl_json("status")["score"]]
        return {service["name"]: service for service in services}


class Clamd(ScannerCase):
    def test_a_virus_is_refused_and_when_clamd_is_gone_mail_flows(self):
        clamd = scanners.Clamd(self.directory)
        self.addCleanup(clamd.kill)
        self.start(f"clamd virus {{ socket {clamd.socket}; deadline 15s; failures 1; pause 1s; }}")
        self.assertEqual(self.submit()[0], 250)
        code, text = self.submit(scanners.VIRUS)
        self.assertEqual(code, 550, text)
        self.assertIn("a virus", text)
        self.assertEqual(len(self.delivered()), 1)
        clamd.kill()
        self.assertEqual(self.submit(scanners.VIRUS)[0], 250, "unscanned")
        self.msad.wait_for_event("service-down", service="virus")
        self.assertIn(self.status()["virus"]["state"], ("open", "half-open"))
        clamd.start()

        def has_come_back():
            return self.submit()[0] == 250 and self.status()["virus"]["state"] == "closed"
        harness.wait_for(has_come_back, "the breaker to close")
        self.msad.wait_for_event("service-up", service="virus")
        self.assertEqual(self.submit(scanners.VIRUS)[0], 550)


class All(ScannerCase):
    def test_score_header_and_refusal_come_together(self):
        rspamd = self.stop_later(scanners.Rspamd(self.directory))
        opendkim = self.stop_later(scanners.Opendkim(self.directory))
        clamd = self.stop_later(scanners.Clamd(self.directory))
        self.start(f"rspamd main {{ socket {rspamd.socket}; deadline 15s; }}"
                   f"milter sign {{ socket {opendkim.socket}; deadline 15s; }}"
                   f"clamd virus {{ socket {clamd.unix_socket}; deadline 15s; }}")
        self.assertEqual(self.submit()[0], 250)
        message, = self.delivered()
        self.assertRegex(message, r"(?m)^DKIM-Signature: v=1; a=rsa-sha256; ")
        self.assertRegex(message, r"(?m)^X-Spam-Status: ")
        self.assertLess(message.index("Received: "), message.index("DKIM-Signature: "))
        line, = self.msad.wait_for_event("scored")
        self.assertIn("main/", line["findings"])
        code, text = self.submit(scanners.GTUBE)
        self.assertEqual((code, "Gtube pattern" in text), (550, True), text)
        for service in self.status().values():
            self.assertEqual((service["state"], service["failed"]), ("closed", 0), service)
