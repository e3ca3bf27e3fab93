"""STARTTLS, TLS and what rides on them, against the running daemon and over real sockets (tests/SECURITY.md, B)."""

import socket
import ssl
import struct
import subprocess
import warnings

import harness
import msad
from talk import Talk

USER = "taro@example.test"
MESSAGE = f"From: {USER}\r\nSubject: x\r\n\r\nx\r\n".encode()

# TLS alerts (RFC 8446 6.2)
HANDSHAKE_FAILURE, PROTOCOL_VERSION, NO_APPLICATION_PROTOCOL = 40, 70, 120


def client_hello(version, ciphers, alpn=()):
    """One of TLS up to 1.2 by hand: it offers what the library on this machine may be unable to."""
    groups, signatures = b"\x00\x1d\x00\x17", b"\x04\x03\x04\x01\x05\x03\x08\x04\x02\x03\x02\x01"
    extensions = [(10, struct.pack("!H", len(groups)) + groups), (11, b"\x01\x00"),
                  (13, struct.pack("!H", len(signatures)) + signatures)]
    if alpn:
        names = b"".join(bytes([len(name)]) + name for name in alpn)
        extensions.append((16, struct.pack("!H", len(names)) + names))
    block = b"".join(struct.pack("!HH", kind, len(data)) + data for kind, data in extensions)
    suites = b"".join(struct.pack("!H", cipher) for cipher in ciphers)
    body = (struct.pack("!H", version) + bytes(range(32)) + b"\x00" + struct.pack("!H", len(suites)) + suites +
            b"\x01\x00" + struct.pack("!H", len(block)) + block)
    handshake = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16" + struct.pack("!HH", min(version, 0x0301), len(handshake)) + handshake


def read_all(connection):
    """Bytes up to the end of the connection, however it ends."""
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


class TlsTest(harness.SharedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sink = cls.stop_later(harness.Sink(cls.directory, store=True))
        cls.msad = cls.stop_later(msad.Msad(cls.directory, cls.sink.port,
                                            limits="errors 3; handshakes_per_address off;"))

    def talk(self, *arguments, **settings):
        talk = self.msad.talk(*arguments, **settings)
        self.addCleanup(talk.close)
        return talk

    def clear(self):
        """A connection to the submission port, greeted."""
        talk = Talk(self.msad.port)
        self.addCleanup(talk.close)
        talk.expect("", 220)
        return talk

    def raw(self, port, data):
        with socket.create_connection(("127.0.0.1", port), timeout=harness.WAIT_S) as connection:
            if port == self.msad.port:
                connection.recv(4096)  # the greeting
            connection.sendall(data)
            return read_all(connection)

    def answer_to(self, hello):
        """("hello", cipher) or ("alert", number) on the implicit port."""
        with socket.create_connection(("127.0.0.1", self.msad.tls_port), timeout=harness.WAIT_S) as connection:
            connection.sendall(hello)
            record = connection.recv(4096)
        if record[0] == 0x15:
            return "alert", record[6]
        self.assertEqual((record[0], record[5]), (0x16, 2), record[:8])
        session_id_bytes = record[43]
        return "hello", struct.unpack_from("!H", record, 44 + session_id_bytes)[0]

    # ---- STARTTLS ----

    def test_what_stands_behind_starttls_in_one_segment_ends_the_session(self):
        for behind in (b"NOOP\r\n", b"EHLO x\r\nMAIL FROM:<taro@example.test>\r\n", b" ", b"\r\n",
                       client_hello(0x0303, [0xC02B])):
            with self.subTest(behind=behind[:8]):
                self.assertEqual(self.raw(self.msad.port, b"STARTTLS\r\n" + behind), b"")
        self.msad.wait_for_event("disconnect", count=4, reason="bytes-behind-starttls")

    def test_clear_text_between_220_and_the_handshake_is_never_a_command(self):
        talk = self.clear()
        talk.expect("STARTTLS", 220)
        talk.send(b"NOOP\r\nMAIL FROM:<taro@example.test>\r\n" * 20)
        self.assertNotIn(b"250", read_all(talk.socket))
        self.msad.wait_for_event("disconnect", reason="tls")

    def test_nothing_of_the_clear_phase_is_left(self):
        talk = self.clear()
        talk.hello("liar.test")
        self.assertIn("STARTTLS", talk.capabilities)
        for _ in range(2):
            talk.expect("NONSENSE", 500)
        talk.starttls(self.msad.trust())
        talk.expect("AUTH PLAIN", 503)  # EHLO anew; the third error, if those of before were still counted
        talk.hello("honest.test")
        self.assertNotIn("STARTTLS", talk.capabilities)
        self.assertIn("AUTH", talk.capabilities)
        talk.expect("STARTTLS", 503)
        talk.sign_in(USER, msad.ACCOUNTS[USER])
        before = len(self.sink.messages())
        self.assertEqual(talk.submit(USER, ["hana@elsewhere.test"], MESSAGE)[0], 250)
        self.sink.wait_for_messages(before + 1)
        message = self.sink.stored()[-1][1]
        self.assertTrue(message.startswith(b"Received: from honest.test "), message)
        self.assertNotIn(b"liar", message)

    def test_in_clear_there_is_neither_auth_nor_mail(self):
        talk = self.clear()
        talk.hello()
        self.assertNotIn("AUTH", talk.capabilities)
        good = talk.say("AUTH PLAIN AHRhcm9AZXhhbXBsZS50ZXN0AGNvcnJlY3QgaG9yc2U=")
        bad = self.clear()
        bad.hello()
        self.assertEqual(good, bad.say("AUTH PLAIN AHRhcm9AZXhhbXBsZS50ZXN0AHdyb25n"))
        self.assertEqual(good[0], 538)
        talk.expect("AUTH LOGIN", 538)
        self.assertEqual(bad.say("MAIL FROM:<taro@example.test>"),
                         (530, "530 5.7.0 Must issue a STARTTLS command first"))

    # ---- what is no handshake ----

    def test_a_failed_handshake_ends_the_connection(self):
        for hello in (b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\xff\xff", client_hello(0x0303, [0x0005])):
            with self.subTest(hello=hello[:6]):
                talk = self.clear()
                talk.expect("STARTTLS", 220)
                talk.send(hello)
                if hello[3:5] == b"\xff\xff":  # the record would be too long: nothing more has to come
                    talk.send(b"x" * 300)
                self.assertNotIn(b"\r\n", read_all(talk.socket))  # an alert at most, no reply

    def test_clear_text_on_the_tls_port_is_no_session(self):
        for text in (b"EHLO x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"QUIT\r\n"):
            with self.subTest(text=text):
                said = self.raw(self.msad.tls_port, text)
                self.assertNotIn(b"220", said)
                self.assertNotIn(b"\r\n", said)

    def test_other_protocols_on_the_clear_port_are_cut_without_a_word(self):
        for text in (client_hello(0x0303, [0xC02B]), b"GET / HTTP/1.1\r\n", b"post / HTTP/1.1\r\nEHLO x\r\n",
                     b"CONNECT x:25 HTTP/1.0\r\n", b"OPTIONS * HTTP/1.1\r\n"):
            with self.subTest(text=text[:10]):
                self.assertEqual(self.raw(self.msad.port, text), b"")
        talk = self.talk()
        talk.send("GET / HTTP/1.1\r\n")  # inside TLS as well
        self.assertTrue(talk.is_over())

    def test_the_application_is_smtp_or_unnamed(self):
        for offered, chosen in ((None, None), (["smtp"], "smtp"), (["h2", "smtp"], "smtp")):
            with self.subTest(offered=offered):
                context = self.msad.trust()
                if offered:
                    context.set_alpn_protocols(offered)
                self.assertEqual(self.talk(context=context, implicit=True).socket.selected_alpn_protocol(), chosen)
        self.assertEqual(self.answer_to(client_hello(0x0303, [0xC02B], [b"smtp"])), ("hello", 0xC02B))
        self.assertEqual(self.answer_to(client_hello(0x0303, [0xC02B], [b"http/1.1", b"imap"])),
                         ("alert", NO_APPLICATION_PROTOCOL))

    # ---- versions and ciphers ----

    def test_old_versions_and_weak_ciphers_are_refused(self):
        good = [0xC02B]  # ECDHE-ECDSA-AES128-GCM-SHA256
        self.assertEqual(self.answer_to(client_hello(0x0303, good)), ("hello", 0xC02B))
        for version in (0x0300, 0x0301, 0x0302):
            kind, alert = self.answer_to(client_hello(version, [0xC009, 0x002F, 0xC00A, *good]))
            self.assertEqual(kind, "alert", hex(version))
            self.assertIn(alert, (PROTOCOL_VERSION, HANDSHAKE_FAILURE), hex(version))
        weak = {"NULL": [0x0001, 0x0002, 0x003B, 0xC006, 0xC010], "export": [0x0003, 0x0006, 0x0008, 0x0014],
                "RC4": [0x0004, 0x0005, 0xC007, 0xC011], "3DES": [0x000A, 0x0016, 0xC008, 0xC012],
                "anonymous DH": [0x0018, 0x0034, 0x006C, 0x00A6], "anonymous ECDH": [0xC015, 0xC017, 0xC018, 0xC019],
                "no forward secrecy": [0x002F, 0x0035, 0x009C, 0x009D]}
        for name, ciphers in weak.items():
            with self.subTest(name=name):
                self.assertEqual(self.answer_to(client_hello(0x0303, ciphers)), ("alert", HANDSHAKE_FAILURE))
                self.assertEqual(self.answer_to(client_hello(0x0303, [*ciphers, *good])), ("hello", 0xC02B))

    def test_a_client_without_any_standards_gets_no_old_session(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = version
            with self.subTest(version=version), self.assertRaises(ssl.SSLError):
                Talk(self.msad.tls_port, tls=context)

    # ---- sessions of TLS ----

    def s_client(self, *options, say):
        """OpenSSL's own client on the implicit port, told `say` behind the greeting; what it said. Its commands are
        R for renegotiation and Q for the end."""
        argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.msad.tls_port}", "-CAfile", self.msad.cert,
                "-servername", "submit.test", *options]
        said = []
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as client:
            self.addCleanup(client.kill)
            while not said or not said[-1].startswith("220 "):
                said.append(client.stdout.readline().decode("latin-1"))
                self.assertTrue(said[-1], said)  # it ended without a greeting
            client.stdin.write(say)
            client.stdin.close()
            said.append(client.stdout.read().decode("latin-1"))
        return "".join(said)

    def test_renegotiation_is_refused(self):
        said = self.s_client("-tls1_2", "-msg", say=b"R\n")
        self.assertIn("RENEGOTIATING", said)
        self.assertRegex(said, r"<<< TLS 1\.2.*Alert.*warning no_renegotiation")
        self.assertEqual(said.count("ServerHello\n"), 1)

    def test_there_is_no_early_data(self):
        said = self.s_client("-tls1_3", say=b"Q\n")
        self.assertIn("Post-Handshake New Session Ticket arrived", said)
        self.assertIn("Max Early Data: 0\n", said)

    def resumed(self, context, session, implicit):
        if implicit:
            connection = socket.create_connection(("127.0.0.1", self.msad.tls_port), timeout=harness.WAIT_S)
        else:
            talk = self.clear()
            talk.expect("STARTTLS", 220)
            connection = talk.socket
        tls = context.wrap_socket(connection, server_hostname="submit.test", session=session)
        self.addCleanup(tls.close)
        talk = Talk.__new__(Talk)
        talk.socket, talk.file, talk.capabilities = tls, tls.makefile("rb"), {}
        if implicit:
            talk.expect("", 220)
        return talk

    def test_a_resumed_session_is_never_signed_in(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.msad.trust()
            context.minimum_version = context.maximum_version = version
            first = self.talk(USER, implicit=True, context=context)
            first.begin(USER, "hana@elsewhere.test")
            session = first.socket.session
            for implicit in (True, False):
                with self.subTest(version=version, implicit=implicit):
                    talk = self.resumed(context, session, implicit)
                    self.assertTrue(talk.socket.session_reused)
                    talk.hello()
                    self.assertIn("AUTH", talk.capabilities)
                    self.assertEqual(talk.say(f"MAIL FROM:<{USER}>")[1][:9], "530 5.7.0")
                    talk.expect("DATA", 530)

    # ---- truncation ----

    def test_a_message_that_is_cut_off_is_not_queued(self):
        before = len(self.sink.messages())
        for part in (b"", b"\r\n", b"\r\n.", b"\r\n.\r"):
            for polite in (False, True):
                with self.subTest(part=part, polite=polite):
                    talk = self.talk(USER)
                    talk.begin(USER, "hana@elsewhere.test")
                    talk.expect("DATA", 354)
                    talk.send(b"Subject: cut\r\n\r\nhalf" + part)
                    if polite:  # close_notify, as a proxy in between would send it
                        talk.socket.setblocking(False)
                        try:
                            talk.socket.unwrap()
                        except ssl.SSLError:  # it would wait for an answer, or there is the end already
                            pass
                    talk.close()
        self.msad.wait_for_event("disconnect", count=8, messages="0", user=USER)
        self.assertEqual(self.talk(USER).submit(USER, ["hana@elsewhere.test"], MESSAGE)[0], 250)
        self.assertEqual(len(self.sink.wait_for_messages(before + 1)), before + 1)
