"""Smuggling, injection and forged origins, against the running daemon and over real sockets (tests/SECURITY.md,
A and E)."""

import base64
import socket
import struct

import harness
import msad
from talk import Talk, dot_stuff

USER = "taro@example.test"
PASSWORD = msad.ACCOUNTS[USER]
TO = "hana@elsewhere.test"

# What some server somewhere takes for CR LF . CR LF (CVE-2023-51764 and its kin), and we never.
NO_ENDS = (b"\n.\n", b"\n.\r\n", b"\n.\r", b"\r.\r", b"\r.\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n.\r\r\n",
           b"\r\r\n.\r\r\n", b"\r\n.\0\r\n", b"\r\n\0.\r\n", b"\r\n.\r\0\n", b"\r\0\n.\r\n", b"\n\r.\n\r",
           b"\n\r.\r\n", b"\r\n.\n\r", b"\r\r\n.\n", b"\r\n.\r\r")

# Neither line ends nor ends of data, whatever they look like.
DATA = (b"\xc2\x85.\xc2\x85", b"\xe2\x80\xa8.\xe2\x80\xa8", b"\v.\v", b"\f.\f", b"\r\n. \r\n", b"\r\n.\t\r\n",
        b"\r\n..\r\n", b"\r\n .\r\n")

SMUGGLED = (f"MAIL FROM:<{USER}>\r\nRCPT TO:<victim@elsewhere.test>\r\nDATA\r\n"
            f"Subject: smuggled\r\n\r\nsmuggled\r\n").encode()


class InputCase(harness.SharedCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sink = cls.stop_later(harness.Sink(cls.directory, store=True))
        cls.msad = cls.stop_later(msad.Msad(cls.directory, cls.sink.port, **cls.settings))

    def talk(self, user=USER):
        talk = self.msad.talk(user)
        self.addCleanup(talk.close)
        return talk

    def clear(self, port=None, source="127.0.0.1", data=b""):
        """A connection to the clear port, not greeted."""
        connection = socket.create_connection(("127.0.0.1", port or self.msad.port), timeout=harness.WAIT_S,
                                              source_address=(source, 0))
        talk = Talk.__new__(Talk)
        talk.socket, talk.file, talk.capabilities = connection, connection.makefile("rb"), {}
        self.addCleanup(talk.close)
        if data:
            talk.send(data)
        return talk

    def stored_since(self, count):
        return [message for _, message in self.sink.stored()[count:]]


class SmugglingTest(InputCase):
    settings = {"limits": "handshakes_per_address off;"}

    def test_what_is_no_end_of_data_is_refused_once_and_hides_no_command(self):
        before = len(self.sink.messages())
        for number, end in enumerate(NO_ENDS):
            message = f"Subject: {number}\r\n\r\nfirst".encode() + end + SMUGGLED + b".\r\n"
            at = message.index(end)
            for pieces in ((message,), (message[:at + len(end)], message[at + len(end):]),
                           (message[:at + 1], *[bytes([b]) for b in message[at + 1:at + 9]], message[at + 9:])):
                with self.subTest(end=end, pieces=len(pieces)):
                    talk = self.talk()
                    talk.begin(USER, TO)
                    talk.expect("DATA", 354)
                    for piece in pieces:
                        talk.send(piece)
                    self.assertEqual(talk.reply()[1][:9], "550 5.6.0")
                    self.assertEqual(talk.say("VRFY x")[0], 252)  # in step: one message, one reply
                    talk.expect("QUIT", 221)
        self.assertEqual(len(self.sink.messages()), before)
        self.assertEqual(self.msad.events("sender-refused"), [])

    def test_what_only_looks_like_an_end_is_text(self):
        before, talk = len(self.sink.messages()), self.talk()
        for number, text in enumerate(DATA):
            message = f"From: {USER}\r\nSubject: {number}\r\n\r\nfirst".encode() + text + SMUGGLED
            self.assertEqual(talk.submit(USER, [TO], message)[0], 250, text)
        self.sink.wait_for_messages(before + len(DATA))
        for text, message in zip(DATA, self.stored_since(before)):
            self.assertTrue(message.endswith(b"\r\n\r\nfirst" + text + SMUGGLED), message)

    def test_dots_and_ends_at_the_edges_of_buffers_arrive_as_they_were(self):
        before, talk, bodies = len(self.sink.messages()), self.talk(), []
        head = f"From: {USER}\r\n\r\n".encode()
        for size in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536):
            for offset in range(size - 3, size + 4):
                fill = offset - len(head)
                lines = (b"x" * 70 + b"\r\n") * (fill // 72) + b"y" * (fill % 72)
                bodies.append(lines + b"\r\n.\r\n..a\r\n.b\r\n")
        for body in bodies:
            self.assertEqual(talk.submit(USER, [TO], head + body)[0], 250, len(body))
        self.sink.wait_for_messages(before + len(bodies))
        for body, message in zip(bodies, self.stored_since(before)):
            self.assertTrue(message.endswith(b"\r\n\r\n" + body), len(body))

    def test_an_end_of_data_may_come_in_pieces(self):
        before, talk = len(self.sink.messages()), self.talk()
        message = dot_stuff(f"From: {USER}\r\n\r\nx\r\n".encode())
        for at in range(1, 6):
            talk.begin(USER, TO)
            talk.expect("DATA", 354)
            talk.send(message[:-at])
            talk.send(message[-at:])
            self.assertEqual(talk.reply()[0], 250)
        self.assertEqual(len(self.sink.wait_for_messages(before + 5)), before + 5)

    def test_a_message_behind_data_in_one_segment_ends_the_session(self):
        before, talk = len(self.sink.messages()), self.talk()
        talk.begin(USER, TO)
        talk.send(b"DATA\r\nSubject: early\r\n\r\nx\r\n.\r\n" + SMUGGLED)
        self.assertEqual(talk.reply()[1][:9], "503 5.5.0")
        self.assertTrue(talk.is_over())
        self.assertEqual(len(self.sink.messages()), before)

    def test_the_body_behind_a_refused_data_is_no_commands(self):
        before, talk = len(self.sink.messages()), self.talk()
        talk.expect(f"MAIL FROM:<{USER}>", 250)
        talk.expect("DATA", 554)  # no recipient
        talk.send(b"Subject: x\r\n\r\n" + SMUGGLED + b".\r\n")
        self.assertEqual(talk.reply()[0], 421)
        self.assertTrue(talk.is_over())
        self.assertEqual(len(self.sink.messages()), before)

    def test_chunks_of_a_bad_size_end_the_session(self):
        for size in ("-1", "+5", "0x10", "99999999999999999999", "5.0", "", "5 LAST x", "５"):
            with self.subTest(size=size):
                talk = self.talk()
                talk.begin(USER, TO)
                talk.send(f"BDAT {size}\r\nRSET\r\nRSET\r\n")
                self.assertEqual(talk.reply()[0] // 100, 5)
                self.assertTrue(talk.is_over())

    def test_a_command_line_is_never_split(self):
        for verb in (b"NOOP", b"RSET", f"MAIL FROM:<{USER}>".encode(), b"AUTH PLAIN", b"EHLO x", b"\xc3\xa9"):
            for stray in (b"\n", b"\r", b"\0", b"\r\0", b"\n\n"):
                talk = self.talk()
                talk.send(verb + stray + SMUGGLED.replace(b"\r\n", stray) + b"\r\nVRFY x\r\n")
                with self.subTest(verb=verb, stray=stray):
                    self.assertEqual([talk.reply()[1][:9] for _ in range(2)], ["500 5.5.2", "252 2.5.0"])

    def test_an_over_long_line_hides_no_command(self):
        for length in (511, 2048, 16384, 65536, 200000):
            talk = self.talk()
            talk.send(b"NOOP " + b"x" * length + b" MAIL FROM:<" + USER.encode() + b">\r\nVRFY x\r\n")
            with self.subTest(length=length):
                self.assertEqual([talk.reply()[0] for _ in range(2)], [500, 252])


class InjectionTest(InputCase):
    settings = {"limits": "errors 10000; junk_commands 100000; auth_failures 100;"}

    def test_no_reply_repeats_what_is_not_printable(self):
        talk = self.talk(user=None)
        strange = [bytes([b]) for b in range(256) if b not in (10, 13)]
        strange += [b"\xe2\x80\xae", b"\x1b[2J", b"%s%n", b"\xff\xfe"]
        for text in strange:
            for line in (b"EHLO a" + text, b"X" + text, b"AUTH " + text, b"VRFY " + text, b"HELP " + text,
                         b"MAIL FROM:<a" + text + b"@b> " + text + b"=" + text, b"RCPT TO:<" + text + b">"):
                talk.send(line + b"\r\n")
                for reply in talk.lines():
                    self.assertRegex(reply, r"\A\d{3}[ -][ -~]*\Z", line)

    def test_no_line_of_the_log_is_forged(self):
        """Names that a client chooses reach the log as values, whatever they hold."""
        talk = self.talk(user=None)
        forged = "x\r\n2026-01-01T00:00:00.000Z smtp[0] info auth-ok sess=1 user=root"
        hello = 'a" user="root'
        talk.send(f"EHLO {hello}\r\n".encode())
        talk.lines()
        talk.hello()
        for name in (forged, "a\nb", 'q" user="root', "esc\x1b[2Jc", "nul\0", "\u202egnp.exe", "sp ace", "=x", "\\x0a"):
            token = base64.b64encode(f"\0{name}\0wrong".encode()).decode()
            self.assertIn(talk.say(f"AUTH PLAIN {token}")[0], (501, 535), name)
            self.assertEqual(talk.say("AUTH LOGIN")[0], 334)
            if talk.say(base64.b64encode(name.encode()).decode())[0] == 334:
                self.assertIn(talk.say(base64.b64encode(b"wrong").decode())[0], (501, 535), name)
        self.msad.wait_for_event("auth-failed", count=6)
        for line in self.msad.child.log().splitlines():
            self.assertIsNotNone(msad.fields(line), line)
            self.assertRegex(line, r"\A[ -~]+\Z")
        self.assertEqual(self.msad.events("auth-ok"), [])
        self.assertNotIn("root", {event.get("user") for event in self.msad.events()})

    def test_no_password_reaches_the_log(self):
        secrets = {PASSWORD, "hunter2 wrong"}
        for password in list(secrets):
            talk = self.talk(user=None)
            token = base64.b64encode(f"\0{USER}\0{password}".encode()).decode()
            encoded = base64.b64encode(password.encode()).decode()
            secrets |= {token, encoded, base64.b64encode(USER.encode()).decode()}
            talk.say("AUTH PLAIN " + token + "=")
            talk.say("AUTH PLAIN " + token.rstrip("=") + "!")
            talk.say("AUTH XPLAIN " + token)
            talk.say("AUTH PLAIN " + token + "A" * 20000)
            talk.say(token)  # a client out of step
            talk.expect("AUTH LOGIN", 334)
            talk.say(base64.b64encode(USER.encode()).decode())
            talk.say(encoded)
            self.talk(user=None).say("AUTH PLAIN " + token)
            clear = self.clear()
            clear.expect("", 220)
            clear.hello()
            clear.say("AUTH PLAIN " + token)
        self.msad.wait_for_event("auth-ok", count=2)
        log = self.msad.child.log()
        for secret in secrets:
            self.assertNotIn(secret, log)

    def test_strangers_name_nobody_elses_address(self):
        talk = self.clear()
        talk.expect("", 220)
        talk.hello()
        self.assertNotIn("XCLIENT", talk.capabilities)
        self.assertNotIn("XFORWARD", talk.capabilities)
        for line in ("XCLIENT ADDR=203.0.113.9", "XFORWARD ADDR=203.0.113.9", "PROXY TCP4 203.0.113.9 127.0.0.1 5 25"):
            self.assertEqual(talk.say(line)[0] // 100, 5, line)
        early = self.clear(data=b"PROXY TCP4 203.0.113.9 127.0.0.1 5 25\r\n")
        self.assertIn(early.reply()[0], (220, 554))  # by who is quicker
        binary = self.clear(data=b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12))
        self.assertNotIn(250, [binary.reply()[0] for _ in range(2)])
        self.assertEqual({event["ip"] for event in self.msad.events("connect")}, {"127.0.0.1"})


def proxy_v2(command, family, addresses, length=None):
    return (b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x20 | command, family]) +
            struct.pack("!H", len(addresses) if length is None else length) + addresses)


def inet(source):
    return (socket.inet_pton(socket.AF_INET6 if ":" in source else socket.AF_INET, source) * 2 +
            struct.pack("!HH", 4711, 587))


class FrontTest(InputCase):
    """A listener behind a load balancer, 127.0.0.1, with another front, 127.0.0.3, that may say XCLIENT."""

    @classmethod
    def setUpClass(cls):
        cls.port = harness.free_port()
        cls.settings = {
            "more": f"listener fronted {{ address 127.0.0.1:{cls.port}; proxy_protocol any; "
                    "proxy_from 127.0.0.1/32; }",
            "listener": "xclient_from 127.0.0.3/32;", "deadlines": "proxy_header 1s;"}
        super().setUpClass()

    def address_of(self, header, cut=()):
        """The address that the daemon takes for the client's."""
        seen = len(self.msad.events("connect"))
        talk = self.clear(self.port)
        for piece in (header[i:j] for i, j in zip((0, *cut), (*cut, len(header)))):
            talk.send(piece)
        talk.expect("", 220)
        talk.expect("EHLO x", 250)
        return self.msad.wait_for_event("connect", count=seen + 1)[-1]["ip"]

    def test_a_listed_balancer_names_the_client(self):
        good = ((b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 587\r\n", "203.0.113.9"),
                (b"PROXY TCP6 2001:db8::9 ::1 4711 587\r\n", "2001:db8::9"),
                (b"PROXY TCP6 ::ffff:203.0.113.9 ::1 4711 587\r\n", "203.0.113.9"),
                (b"PROXY UNKNOWN\r\n", "127.0.0.1"), (b"PROXY UNKNOWN a b c d\r\n", "127.0.0.1"),
                (proxy_v2(1, 0x11, inet("203.0.113.9")), "203.0.113.9"),
                (proxy_v2(1, 0x21, inet("2001:db8::9")), "2001:db8::9"),
                (proxy_v2(1, 0x11, inet("203.0.113.9") + b"\x04\0\x03xyz"), "203.0.113.9"),
                (proxy_v2(0, 0x11, inet("203.0.113.9")), "127.0.0.1"), (proxy_v2(0, 0, b""), "127.0.0.1"))
        for header, want in good:
            with self.subTest(header=header):
                self.assertEqual(self.address_of(header), want)
                self.assertEqual(self.address_of(header, cut=range(1, len(header))), want)

    def test_what_is_no_header_ends_the_connection(self):
        for header in (b"EHLO x\r\n", b"\x16\x03\x01", b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 587\n" + b"x" * 200,
                       b"PROXY TCP4 203.0.113.999 127.0.0.1 4711 587\r\n", b"PROXY TCP4 ::1 ::1 1 1\r\n",
                       b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 65536\r\n", b"PROXY UNKNOWN " + b"x" * 93 + b"\r\n",
                       b"proxy TCP4 203.0.113.9 127.0.0.1 1 1\r\n", proxy_v2(1, 0x11, inet("203.0.113.9")[:11]),
                       proxy_v2(1, 0x11, inet("203.0.113.9"), 65535), proxy_v2(2, 0x11, inet("203.0.113.9")),
                       proxy_v2(1, 0x31, bytes(216)), proxy_v2(1, 0x21, inet("203.0.113.9"))):
            with self.subTest(header=header[:40]):
                self.assertTrue(self.clear(self.port, data=header).is_over())
        self.msad.wait_for_event("proxy-refused", count=13)

    def test_the_header_has_a_time_of_its_own(self):
        started = self.msad.events("proxy-refused", text="no header in time")
        talk = self.clear(self.port, data=b"PROXY TCP4 203")
        self.assertTrue(talk.is_over())
        self.msad.wait_for_event("proxy-refused", count=len(started) + 1, text="no header in time")

    def test_a_stranger_cannot_use_the_balancers_door(self):
        seen = len(self.msad.events("connect"))
        talk = self.clear(self.port, source="127.0.0.2", data=b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 587\r\n")
        self.assertTrue(talk.is_over())
        self.assertEqual(len(self.msad.events("connect")), seen)

    def test_only_a_listed_front_names_its_users_address(self):
        for source, code in (("127.0.0.2", 550), ("127.0.0.3", 220)):
            with self.subTest(source=source):
                talk = self.clear(source=source)
                talk.expect("", 220)
                talk.hello()
                self.assertEqual("XCLIENT" in talk.capabilities, code == 220)
                talk.expect("XCLIENT ADDR=203.0.113.77", code)

    def test_the_received_field_names_the_user_behind_the_front(self):
        before = len(self.sink.messages())
        talk = self.clear(self.port, data=b"PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n")
        talk.expect("", 220)
        talk.starttls(self.msad.trust())
        talk.hello()
        talk.sign_in(USER, PASSWORD)
        self.assertEqual(talk.submit(USER, [TO], f"From: {USER}\r\n\r\nx\r\n".encode())[0], 250)
        self.sink.wait_for_messages(before + 1)
        self.assertRegex(self.stored_since(before)[0], rb"\AReceived: from client\.test \(\[203\.0\.113\.9\]\)\r\n")
