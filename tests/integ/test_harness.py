"""The programs that other tests lean on."""

import smtplib

import harness
import postfix


class HarnessTest(harness.Case):
    def test_postfix_takes_mail_into_its_maildir(self):
        server = self.stop_later(postfix.Postfix(self.directory))
        with smtplib.SMTP("127.0.0.1", server.port) as client:
            client.sendmail("a@b.test", ["c@d.test"], b"Subject: one\r\n\r\nbody\r\n")
            client.sendmail("a@b.test", ["e@f.test"], b"Subject: two\r\n\r\nbody\r\n")
        found = server.wait_for_messages(2)
        self.assertEqual(sorted(b"Subject: one" in m for m in found), [False, True])
        self.assertEqual(len(found), 2)

    def test_postfix_sends_on_to_the_sink(self):
        sink = self.sink()
        server = self.stop_later(postfix.Postfix(self.directory, relayhost=f"[127.0.0.1]:{sink.port}"))
        with smtplib.SMTP("127.0.0.1", server.port) as client:
            client.sendmail("a@b.test", ["c@d.test"], b"Subject: one\r\n\r\nbody\r\n")
        message, = sink.wait_for_messages(1)
        self.assertEqual((message["subject"], message["from"]), ("one", "a@b.test"))

    def test_a_program_that_ends_early_is_told_with_its_output(self):
        child = harness.Child(["sh", "-c", "echo last words; exit 3"], self.directory, "short")
        with self.assertRaisesRegex(AssertionError, "(?s)ended with 3.*last words"):
            child.wait_for_line("never")

    def test_a_program_that_does_not_end_is_killed_and_told(self):
        child = harness.Child(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"],
                              self.directory, "deaf")
        child.wait_for_line("up")
        with self.assertRaisesRegex(AssertionError, "did not end"):
            child.stop(timeout_s=0.2)
        self.assertIsNotNone(child.process.returncode)
