"""Real clients submit over both ports, msad hands over to a real Postfix with TLS and its certificate checked: what
arrives is what was sent, with the documented fields in front."""

import base64
import email
import email.utils
import hashlib
import hmac
import os
import re
import smtplib
import ssl
import subprocess
import urllib.parse

import harness
import msad
import postfix

USER = "taro@example.test"
PASSWORD = msad.ACCOUNTS[USER]
BODY = "line one\r\n.a dot first\r\n..two\r\n\r\n\r\nlast\r\n"

RECEIVED = re.compile(
    r"from (?P<helo>\S+) \(\[127\.0\.0\.1\]\)\r?\n\tby submit\.test \(msad\) with (?P<with>\w+)\r?\n"
    r"\t\((?P<version>TLSv1\.[23]) (?P<cipher>\S+) (?P<bits>\d+) bits\)\r?\n\tid (?P<id>\w+)\r?\n"
    r"\tfor <(?P<rcpt>[^>]+)>;\r?\n\t(?P<date>.+)$")


def run(argv, stdin, **settings):
    """A client with the message on its standard input; what it said, both streams."""
    done = subprocess.run(argv, input=stdin if isinstance(stdin, bytes) else stdin.encode(), capture_output=True,
                          timeout=harness.WAIT_S, check=False, **settings)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    if done.returncode != 0:
        raise AssertionError(f"{argv[0]} ended with {done.returncode}:\n{said}")
    return said


def header(subject, *more):
    return "\r\n".join([f"From: Taro <{USER}>", "To: hana@elsewhere.test", f"Subject: {subject}", *more, "", ""])


class ClientsTest(harness.SharedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cert, key = harness.make_certificate(cls.directory, "smarthost.test", ("smarthost.test",))
        cls.postfix = cls.stop_later(postfix.Postfix(cls.directory, settings={
            "smtpd_tls_security_level": "encrypt", "smtpd_tls_cert_file": cert, "smtpd_tls_key_file": key,
            "smtpd_tls_received_header": "yes"}))
        os.chmod(cert, 0o644)
        cls.msad = cls.stop_later(msad.Msad(
            cls.directory, cls.postfix.port, pool=f"ca_file {cert}; verify_name smarthost.test;",
            smarthost_tls="required"))

    # ---- what must have arrived ----

    def arrived(self, subject):
        wanted = f"Subject: {subject}\n".encode()
        return harness.wait_for(
            lambda: next((m for m in self.postfix.messages() if wanted in m.replace(b"\r\n", b"\n")), None),
            f"{subject} in Postfix's Maildir")

    def check(self, subject, body=BODY, had=(), version=None):
        """had: fields that the client set itself; others of Date and Message-ID must have been added."""
        raw = self.arrived(subject).replace(b"\r\n", b"\n")
        found = email.message_from_bytes(raw)
        self.assertEqual(found["Return-Path"], f"<{USER}>")
        self.assertEqual(raw.partition(b"\n\n")[2].decode(), body.replace("\r\n", "\n"))
        received = found.get_all("Received")
        self.assertEqual(len(received), 2, received)  # Postfix's and msad's
        ours = RECEIVED.match(received[1])
        self.assertIsNotNone(ours, received[1])
        self.assertEqual((ours["with"], ours["rcpt"]), ("ESMTPSA", "hana@elsewhere.test"))
        self.assertIsNotNone(email.utils.parsedate_to_datetime(ours["date"]))
        self.assertEqual(ours["version"], version or ours["version"])
        self.assertRegex(received[0], r"using TLSv1\.3")
        for name in ("Date", "Message-ID"):
            self.assertEqual(len(found.get_all(name)), 1, name)
        if "Message-ID" not in had:
            self.assertEqual(found["Message-ID"], f"<{ours['id']}@submit.test>")
        if "Date" not in had:
            self.assertIsNotNone(email.utils.parsedate_to_datetime(found["Date"]))
        self.assertIsNone(found["Bcc"])
        self.assertIsNone(found["Sender"])
        accepted, = self.msad.wait_for_event("mail-accepted", msg=ours["id"])
        self.assertEqual((accepted["user"], accepted["result"]), (USER, "delivered"))
        self.assertNotIn(PASSWORD, self.msad.child.log())
        return found

    def environment(self):
        """Clients shall read nobody's settings."""
        return {"PATH": os.environ["PATH"], "HOME": self.directory, "LC_ALL": "C"}

    def pin(self, subject):
        return f"{self.id().rsplit('.', 1)[1]}-{subject}"

    # ---- swaks ----

    def swaks(self, subject, *options):
        run(["swaks", "--server", "127.0.0.1", "--from", USER, "--to", "hana@elsewhere.test",
             "--auth-user", USER, "--auth-password", PASSWORD, "--tls-ca-path", self.msad.cert,
             "--tls-verify", "--tls-sni", "submit.test", "--helo", "swaks.test", "--data", "-", *options],
            header(subject) + BODY[:-2], env=self.environment())  # it adds a line end of its own

    def test_swaks(self):
        for mechanism in ("PLAIN", "LOGIN"):
            for port, tls in ((self.msad.port, "--tls"), (self.msad.tls_port, "--tlsc")):
                for version in ("tlsv1_2", "tlsv1_3"):
                    with self.subTest(mechanism=mechanism, tls=tls, version=version):
                        subject = self.pin(f"{mechanism}{tls}{version}")
                        self.swaks(subject, tls, "--port", str(port), "--auth", mechanism,
                                   "--tls-protocol", version)
                        self.check(subject, version=f"TLSv1.{version[-1]}")

    # ---- curl ----

    def curl(self, subject, url, *options):
        run(["curl", "--silent", "--show-error", "--url", url, "--resolve",
             f"submit.test:{url.rsplit(':', 1)[1].split('/')[0]}:127.0.0.1", "--cacert", self.msad.cert,
             "--user", f"{USER}:{PASSWORD}", "--mail-from", USER, "--mail-rcpt", "hana@elsewhere.test",
             "--upload-file", "-", *options], header(subject) + BODY, env=self.environment())

    def test_curl(self):
        for mechanism in ("PLAIN", "LOGIN"):  # Debian's libcurl has no SCRAM
            for url in (f"smtp://submit.test:{self.msad.port}/curl.test",
                        f"smtps://submit.test:{self.msad.tls_port}/curl.test"):
                with self.subTest(mechanism=mechanism, url=url):
                    subject = self.pin(mechanism + url[:5])
                    self.curl(subject, url, "--ssl-reqd", "--login-options", f"AUTH={mechanism}")
                    self.check(subject)

    # ---- msmtp ----

    def msmtp(self, subject, port, *options):
        run(["msmtp", "--file=/dev/null", "--host=127.0.0.1", f"--port={port}", "--tls=on",
             f"--tls-trust-file={self.msad.cert}", "--auth=on", f"--user={USER}", f"--from={USER}",
             f"--passwordeval=printf %s '{PASSWORD}'", "--timeout=20", *options, "hana@elsewhere.test"],
            (header(subject, "Bcc: secret@elsewhere.test") + BODY).replace("\r\n", "\n"), env=self.environment())

    def test_msmtp(self):
        for mechanism in ("plain", "login", "scram-sha-256"):
            for port, starttls in ((self.msad.port, "on"), (self.msad.tls_port, "off")):
                with self.subTest(mechanism=mechanism, starttls=starttls):
                    subject = self.pin(mechanism + starttls)
                    self.msmtp(subject, port, f"--auth={mechanism}", f"--tls-starttls={starttls}")
                    self.check(subject, had=("Date", "Message-ID"))

    # ---- mutt and s-nail, as people at a terminal send ----

    def mutt(self, subject, scheme, port, mechanism):
        settings = os.path.join(self.directory, f"{subject}.muttrc")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(f"set smtp_url = '{scheme}://{USER.replace('@', '%40')}@127.0.0.1:{port}'\n"
                       f"set smtp_pass = '{PASSWORD}'\nset smtp_authenticators = '{mechanism}'\n"
                       f"set from = '{USER}'\nset ssl_force_tls = yes\nset ssl_starttls = yes\n"
                       f"set certificate_file = '{self.msad.cert}'\nset copy = no\nset text_flowed = no\n")
        os.chmod(settings, 0o600)
        run(["mutt", "-n", "-F", settings, "-s", subject, "--", "hana@elsewhere.test"], BODY.replace("\r\n", "\n"),
            env=self.environment())

    def test_mutt(self):
        for mechanism in ("plain", "login"):
            for scheme, port in (("smtp", self.msad.port), ("smtps", self.msad.tls_port)):
                with self.subTest(mechanism=mechanism, scheme=scheme):
                    subject = self.pin(mechanism + scheme)
                    self.mutt(subject, scheme, port, mechanism)
                    self.check(subject, had=("Date", "Message-ID"))

    def s_nail(self, subject, scheme, port, mechanism):
        user, password = (urllib.parse.quote(text, safe="") for text in (USER, PASSWORD))
        run(["s-nail", "-:/", "-S", "v15-compat=yes", "-S", f"mta={scheme}://{user}:{password}@localhost:{port}",
             *(["-S", "smtp-use-starttls"] if scheme == "smtp" else []), "-S", f"smtp-config=-all,{mechanism}",
             "-S", f"tls-ca-file={self.msad.cert}", "-S", "tls-ca-no-defaults", "-S", "tls-verify=strict",
             "-S", f"from={USER}", "-S", "sendwait", "-S", "DEAD=/dev/null", "-s", subject, "hana@elsewhere.test"],
            BODY.replace("\r\n", "\n"), env=self.environment())

    def test_s_nail(self):
        for mechanism in ("plain", "login"):
            for scheme, port in (("smtp", self.msad.port), ("smtps", self.msad.tls_port)):
                with self.subTest(mechanism=mechanism, scheme=scheme):
                    subject = self.pin(mechanism + scheme)
                    self.s_nail(subject, scheme, port, mechanism)
                    self.check(subject, had=("Date", "Message-ID"))

    # ---- smtplib ----

    def test_smtplib(self):
        for implicit in (False, True):
            with self.subTest(implicit=implicit):
                subject = self.pin(f"implicit-{implicit}")
                with self.msad.client(USER, implicit=implicit) as client:
                    client.sendmail(USER, ["hana@elsewhere.test"],
                                    header(subject, "Date: Mon, 1 Jun 2026 09:00:00 +0900", "Message-ID: <own@id>",
                                           "Bcc: a@b.test,", "\tc@d.test") + BODY)
                found = self.check(subject, had=("Date", "Message-ID"))
                self.assertEqual((found["Date"], found["Message-ID"]),
                                 ("Mon, 1 Jun 2026 09:00:00 +0900", "<own@id>"))

    def test_smtplib_many_messages_in_a_session_and_a_wrong_password_before(self):
        with self.msad.client() as client:
            with self.assertRaises(smtplib.SMTPAuthenticationError) as refused:
                client.login(USER, "wrong")
            self.assertEqual(refused.exception.smtp_code, 535)
            client.login(USER, PASSWORD)
            for number in range(20):
                client.sendmail(USER, ["hana@elsewhere.test"], header(self.pin(f"n{number}.")) + BODY)
        for number in range(20):
            self.check(self.pin(f"n{number}."))

    # ---- gsasl ----

    def gsasl(self, mechanism, subject, priority):
        """gsasl signs in and then passes lines on as they are; it is told the replies, so each can be waited for."""
        argv = ["stdbuf", "-i0", "-oL", "gsasl", "--client", "--smtp", "--connect", f"127.0.0.1:{self.msad.port}", "--hostname", "submit.test",
                "--starttls", f"--x509-ca-file={self.msad.cert}", "--priority", priority, "--mechanism", mechanism,
                *([] if mechanism.endswith("-PLUS") else ["--no-cb"]), "--authentication-id", USER, "--authorization-id", "", "--password", PASSWORD, "--verbose"]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=self.environment()) as client:
            self.addCleanup(client.kill)
            said = []

            def until(code):
                for line in client.stdout:
                    said.append(line.decode("utf-8", "replace"))
                    if re.match(rf"{code} ", said[-1]):
                        return
                raise AssertionError(f"{code} never came:\n{''.join(said)}")

            until(235)
            for line, code in ((f"MAIL FROM:<{USER}>", 250), ("RCPT TO:<hana@elsewhere.test>", 250), ("DATA", 354)):
                client.stdin.write(line.encode() + b"\r\n")
                client.stdin.flush()
                until(code)
            client.stdin.write((header(subject) + "gsasl\r\n.\r\n").encode())
            client.stdin.flush()
            until(250)
            client.stdin.write(b"QUIT\r\n")
            client.stdin.close()
            client.wait(harness.WAIT_S)
        return "".join(said)

    def test_gsasl(self):
        for mechanism in ("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"):
            for version in ("1.2", "1.3"):
                with self.subTest(mechanism=mechanism, version=version):
                    subject = self.pin(mechanism + version)
                    self.gsasl(mechanism, subject, f"NORMAL:-VERS-ALL:+VERS-TLS{version}")
                    self.check(subject, body="gsasl\r\n", version="TLSv" + version)
                    login = self.msad.events("auth-ok")[-1]
                    self.assertEqual((login["user"], login["mechanism"]), (USER, mechanism))

    # ---- a client of our own: gsasl knows tls-unique and tls-exporter only ----

    def scram_with_end_point(self, version, binding_of):
        """SCRAM-SHA-256-PLUS (RFC 5802) bound to the server's certificate; the code of the server's last reply."""
        context = self.msad.trust()
        context.minimum_version = context.maximum_version = version
        talk = self.msad.talk(implicit=True, context=context)
        self.addCleanup(talk.close)
        certificate = talk.socket.getpeercert(binary_form=True)
        first = f"n={USER},r=fyko+d2lbbFgONRv9qkxdawL"
        flag = b"p=tls-server-end-point,,"
        talk.send(b"AUTH SCRAM-SHA-256-PLUS " + base64.b64encode(flag + first.encode()) + b"\r\n")
        challenge = base64.b64decode(talk.reply()[1][4:]).decode()
        values = dict(part.split("=", 1) for part in challenge.split(","))
        binding = base64.b64encode(flag + binding_of(certificate)).decode()
        final = f"c={binding},r={values['r']}"
        salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), base64.b64decode(values["s"]), int(values["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), f"{first},{challenge},{final}".encode(), "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
        talk.send(base64.b64encode(f"{final},p={proof}".encode()) + b"\r\n")
        code, text = talk.reply()
        if code == 334:  # the server's own proof
            expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"),
                                   f"{first},{challenge},{final}".encode(), "sha256")
            self.assertEqual(base64.b64decode(text[4:]), b"v=" + base64.b64encode(expected))
            code, _ = talk.say("")
        return code

    def test_scram_plus_bound_to_the_certificate(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version):
                self.assertEqual(self.scram_with_end_point(version, lambda c: hashlib.sha256(c).digest()), 235)
                self.assertEqual(self.scram_with_end_point(version, lambda c: hashlib.sha256(c + b"x").digest()), 535)
