"""A Postfix that is replaced step by step asks msad before it takes mail: the lines that conf/postfix-policy.cf gives
for its main.cf, a real Postfix, and what goes wrong on the line."""

import os
import re
import smtplib
import socket

import harness
import msad as m
import postfix

USER = "taro@example.test"
PASSWORD = m.ACCOUNTS[USER]
ATTRIBUTES = {"request": "smtpd_access_policy", "protocol_state": "RCPT", "client_address": "127.0.0.1",
              "client_port": "4711", "sender": USER, "recipient": "a@elsewhere.test", "instance": "1.2.3",
              "sasl_username": USER}
FEW = 'rule few { count messages; per account; within 1h; limit 3; then defer; } '


def sample(port):
    """conf/postfix-policy.cf as settings, for our port."""
    with open(os.path.join(harness.ROOT, "conf/postfix-policy.cf"), encoding="ascii") as file:
        text = re.sub(r"^#.*\n", "", file.read().replace("127.0.0.1:10040", f"127.0.0.1:{port}"), flags=re.M)
    settings = dict(line.split(" =", 1) for line in re.sub(r"\n[ \t]+", " ", text).splitlines() if line)
    # everybody is in mynetworks here; what counts is who has signed in
    assert settings["smtpd_recipient_restrictions"].strip().startswith("check_policy_service")
    return settings


class Line:
    """One connection as Postfix's smtpd holds it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=harness.WAIT_S)
        self.file = self.socket.makefile("rb")

    @staticmethod
    def request(**changed):
        attributes = {**ATTRIBUTES, **changed}
        return "".join(f"{name}={value}\n" for name, value in attributes.items()).encode() + b"\n"

    def answer(self):
        """The action; "" when the connection is over."""
        line = self.file.readline().decode()
        if not line:
            return ""
        assert line.startswith("action=") and self.file.readline() == b"\n", line
        return line[len("action="):].strip()

    def ask(self, **changed):
        self.socket.sendall(self.request(**changed))
        return self.answer()

    def close(self):
        self.file.close()
        self.socket.close()


class PolicyCase(harness.Case):
    def start(self, more="", **blocks):
        self.port = harness.free_port()
        self.smarthost = self.sink()
        self.msad = self.stop_later(m.Msad(
            self.directory, self.smarthost.port, more=f"{more} console {{ postfix_policy 127.0.0.1:{self.port}; }}",
            **blocks))

    def line(self):
        line = Line(self.port)
        self.addCleanup(line.close)
        return line


class PostfixPolicyDoor(PolicyCase):
    def test_many_requests_on_one_connection_however_they_come(self):
        self.start()
        line = self.line()
        self.assertEqual(line.ask(), "DUNNO")
        whole = line.request(instance="2") + line.request(instance="3", sasl_username="") + line.request(
            instance="4", protocol_state="VRFY")
        line.socket.sendall(whole)
        self.assertEqual([line.answer() for _ in range(3)], ["DUNNO"] * 3)
        for octet in line.request(instance="5"):
            line.socket.sendall(bytes([octet]))
        self.assertEqual(line.answer(), "DUNNO")

    def test_who_is_suspended_or_names_others_is_refused(self):
        self.start(more="align own { check envelope; mismatch refuse; }")
        line = self.line()
        self.assertEqual(line.ask(), "DUNNO")
        self.assertTrue(line.ask(instance="2", sender="hana@example.test").startswith("REJECT 5.7.1 "))
        self.assertEqual(line.ask(instance="3", sender="hana@example.test", sasl_username=""), "DUNNO", "not ours")
        self.msad.msactl("account", "suspend", USER, "--note", "a test")
        self.assertEqual(line.ask(), "REJECT 5.7.1 please contact the support desk")
        self.msad.wait_for_event("postfix-policy", user=USER, result="refuse")

    def test_what_is_no_request_ends_the_connection_and_no_other(self):
        self.start()
        good = self.line()
        for junk in [b"GET / HTTP/1.1\r\n\r\n\n", b"request=junk\n\n", b"\n", b"\0\n\n", b"x" * 20000]:
            line = self.line()
            line.socket.sendall(junk)
            with self.subTest(junk=junk[:20]):
                try:
                    self.assertEqual(line.answer(), "")
                except ConnectionResetError:
                    pass
        self.assertEqual(good.ask(), "DUNNO")
        self.assertEqual(len(self.msad.events("postfix-policy-malformed")), 1, "one line a minute")

    def test_while_policy_is_away_nobody_sends(self):
        self.start()
        line = self.line()
        policy = self.msad.role_pids("policy")[-1]
        os.kill(policy, 19)  # SIGSTOP: it does not answer
        self.addCleanup(os.kill, policy, 18)
        self.assertEqual(line.ask(), "DEFER 4.3.0 try again later")
        self.msad.wait_for_event("postfix-policy-unanswered")

    def test_a_reload_closes_the_door_and_opens_another(self):
        self.start()
        old, other = self.line(), harness.free_port()
        self.assertEqual(old.ask(), "DUNNO")
        self.msad.reload(more=f"console {{ postfix_policy 127.0.0.1:{other}; }}")
        harness.wait_for(lambda: not harness.can_connect(self.port), "the old door to be closed")
        line = Line(other)
        self.addCleanup(line.close)
        self.assertEqual(line.ask(), "DUNNO")
        self.assertEqual(old.ask(), "DUNNO", "a connection goes on")


class WithPostfix(PolicyCase):
    def start(self, **blocks):
        super().start(**blocks)
        self.postfix = postfix.Postfix(self.directory, settings={
            **sample(self.port), "smtpd_sasl_auth_enable": "yes", "smtpd_sasl_path": "smtpd",
            "smtpd_tls_auth_only": "no", "smtpd_sasl_local_domain": "example.test"})
        self.stop_later(self.postfix)
        self.postfix.add_sasl_user("taro", "example.test", PASSWORD)

    def client(self):
        client = smtplib.SMTP("127.0.0.1", self.postfix.port, timeout=harness.WAIT_S)
        self.addCleanup(client.close)
        client.login(USER, PASSWORD)
        return client

    def send(self, client, recipients=("a@elsewhere.test",)):
        """The code of the reply that decided."""
        try:
            client.sendmail(USER, list(recipients), f"From: {USER}\r\nSubject: one\r\n\r\nhello\r\n")
            return 250
        except smtplib.SMTPRecipientsRefused as refused:
            return next(iter(refused.recipients.values()))[0]
        except smtplib.SMTPResponseException as error:
            return error.smtp_code

    def wait_for_log(self, text):
        harness.wait_for(lambda: text in self.postfix.maillog(), f"{text!r} in Postfix's log")

    def test_a_suspended_account_is_refused_at_postfix(self):
        self.start()
        client = self.client()
        self.assertEqual(self.send(client), 250)
        self.postfix.wait_for_messages(1)
        made = self.msad.ctl_json("account", "suspend", USER, "--note", "a test")
        self.assertEqual(self.send(client), 554, "in the same session")
        self.wait_for_log("please contact the support desk")
        self.msad.msactl("restriction", "release", made["restriction"], "--note", "it is over")
        self.assertEqual(self.send(client), 250)

    def test_a_quota_is_counted_across_both(self):
        self.start(more=FEW)
        talk = self.msad.talk(USER, context=self.msad.trust())
        message = f"From: {USER}\r\nSubject: here\r\n\r\n1\r\n".encode()
        self.assertEqual(talk.submit(USER, ["a@elsewhere.test"], message)[0], 250)
        client = self.client()
        self.assertEqual([self.send(client, ["a@elsewhere.test", "b@elsewhere.test"]), self.send(client)], [250, 250])
        self.assertEqual(self.send(client), 450, "the fourth within the hour")
        self.wait_for_log("at most 3 messages in an hour")
        talk.expect(f"MAIL FROM:<{USER}>", 250)
        talk.expect("RCPT TO:<a@elsewhere.test>", 250)
        self.assertEqual(talk.say("DATA")[0] // 100, 4, "and the fifth here")

    def test_what_a_rule_holds_is_on_hold(self):
        self.start(more='rule big { count recipients; per account; within 1h; limit 1; then hold; } ')
        self.assertEqual(self.send(self.client(), ["a@elsewhere.test", "b@elsewhere.test"]), 250)
        harness.wait_for(lambda: os.listdir(self.postfix.path("queue/hold")), "a message in Postfix's hold queue")
