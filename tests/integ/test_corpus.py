"""Thousands of real messages pass through both ports to the smarthost: the body the same octet for octet, the header
too but for the documented additions. What is refused must be refused for a reason that this file finds by itself.

MSAD_CORPUS=all takes every message (make test-corpus), else one of SAMPLE_EVERY."""

import collections
import importlib.util
import os
import re

import harness
import msad
import shared_data
from talk import dot_stuff

SAMPLE_EVERY = 3
USER = "taro@example.test"
WAYS = ("data", "bdat", "trickled")

# Replies by what is wrong with a message, as in conf/REPLIES.md.
STRAY = "550 5.6.0 The message holds a bare CR, a bare LF or a NUL"
LONG = "554 5.6.0 A line of the message has more than 998 octets"
MALFORMED = "554 5.6.0 The header of the message is malformed"

RECEIVED = re.compile(rb"Received: from corpus\.test \(\[127\.0\.0\.1\]\)\r\n\tby submit\.test \(msad\) with ESMTPSA\r\n"
                      rb"\t\(TLSv1\.3 \S+ \d+ bits\)\r\n\tid \w+\r\n\tfor <([^>]+)>;\r\n\t[^\r\n]+\r\n")
DATE = re.compile(rb"Date: [^\r\n]+\r\n")
SENDER = re.compile(rb"Sender: <taro@example\.test>\r\n")
MESSAGE_ID = re.compile(rb"Message-ID: <\w+@submit\.test>\r\n")


def with_crlf(message):
    message = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def split(message):
    """(fields, the rest with the empty line): each field with its folding lines."""
    if message.startswith(b"\r\n"):
        return [], message
    head, _, body = message.partition(b"\r\n\r\n")
    head = head.removesuffix(b"\r\n") + b"\r\n"
    fields = re.findall(rb"[^\n]*\n(?:[ \t][^\n]*\n)*", head)
    return fields, b"\r\n" + body if len(head) < len(message) else b""


def field_name(field):
    return field.partition(b":")[0].strip().lower()


def is_field(line):
    """RFC 5322 2.2, with the obsolete space before the colon; no mbox line."""
    return re.match(rb"[!-9;-~]+[ \t]*:", line) is not None and not re.match(rb">?From (?![ \t]*:)", line)


def faults(message):
    """The replies that a message deserves; empty for a lawful one."""
    found = set()
    lines = message.split(b"\r\n")
    if any(octet in line for line in lines for octet in (b"\r", b"\n", b"\0")):
        found.add(STRAY)
    if max(map(len, lines)) > 998:
        found.add(LONG)
    fields, _ = split(message)
    for field in fields:
        first, *folded = field.split(b"\r\n")[:-1]
        if not is_field(first) or any(not line.strip(b" \t") for line in folded):
            found.add(MALFORMED)
    return found


def documented(message):
    """What is to arrive: (patterns of the added fields, the rest octet for octet)."""
    fields, rest = split(message)
    names = {field_name(field) for field in fields}
    added = [RECEIVED]
    added += [DATE] if b"date" not in names else []
    added += [MESSAGE_ID] if b"message-id" not in names else []
    added += [SENDER] if b"from" in names and b"sender" not in names else []  # nothing here is From taro
    kept = [field for field in fields if field_name(field) not in (b"bcc", b"resent-bcc")]
    return added, b"".join(kept) + rest


FORM = "550 5.7.1 Message refused: "  # From can be read in two ways, or in none
PLAIN_FROM = re.compile(rb'(?:"[^"\\\\]*"|[\w .\'-]*)[ \t]*<[\w.+-]+@[\w-]+(?:\.[\w-]+)+>|[\w.+-]+@[\w-]+(?:\.[\w-]+)+', re.A)


def has_plain_from(message):
    """One From field with one address that nobody can read in two ways: no reason to refuse."""
    fields, _ = split(message)
    found = [field.split(b":", 1)[1].strip() for field in fields if field_name(field) == b"from"]
    return len(found) == 1 and PLAIN_FROM.fullmatch(found[0]) is not None


class Corpus:
    """name -> message in CRLF lines."""

    def __init__(self, every=1 if os.environ.get("MSAD_CORPUS") == "all" else SAMPLE_EVERY):
        self.messages = {}
        mail = shared_data.path("mail")
        spec = importlib.util.spec_from_file_location("as_submitted", os.path.join(mail, "as_submitted.py"))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for kind in ("ham", "spam"):
            for name in sorted(os.listdir(os.path.join(mail, kind))):
                raw = shared_data.read(mail, kind, name)
                self.messages[name] = with_crlf(module.as_submitted(raw))
        odd = shared_data.path("mail-odd")
        for name in sorted(os.listdir(odd)):
            if name.endswith(".eml"):
                self.messages["odd-" + name] = with_crlf(shared_data.read(odd, name))
        self.messages = dict(list(self.messages.items())[::every])


class CorpusTest(harness.Case):
    def setUp(self):
        self.corpus = Corpus().messages
        super().setUp()
        self.smarthost = self.sink(store=True)
        self.msad = self.stop_later(msad.Msad(
            self.directory, self.smarthost.port,
            more="align all { check off; null_sender yes; }", policy="messages off; recipients off;",
            limits="messages_per_session 1000000;"))

    def connect(self, implicit):
        talk = self.msad.talk(implicit=implicit)
        self.addCleanup(talk.close)
        talk.hello("corpus.test")
        talk.sign_in(USER, msad.ACCOUNTS[USER])
        return talk

    def submit(self, talk, way, recipient, message):
        talk.send(f"MAIL FROM:<{USER}> BODY=8BITMIME\r\nRCPT TO:<{recipient}>\r\n")
        codes = [talk.reply()[0], talk.reply()[0]]
        self.assertEqual(codes, [250, 250])
        if way == "bdat":
            middle = len(message) // 2
            talk.send(b"BDAT %d\r\n%sBDAT %d LAST\r\n%s" % (middle, message[:middle], len(message) - middle,
                                                            message[middle:]))
            code, text = talk.reply()
            return talk.reply() if code == 250 else (code, text)
        talk.expect("DATA", 354)
        stuffed = dot_stuff(message)
        step = len(stuffed) if way == "data" else max(1, len(stuffed) // 7)
        for at in range(0, len(stuffed), step):
            talk.send(stuffed[at:at + step])
        return talk.reply()

    def send_all(self, implicit):
        """{recipient: reply} of every message."""
        replies, talk = {}, self.connect(implicit)
        for number, (name, message) in enumerate(self.corpus.items()):
            recipient = f"{number}.{'tls' if implicit else 'starttls'}@corpus.test"
            code, text = self.submit(talk, WAYS[number % len(WAYS)], recipient, message)
            replies[recipient] = (name, text)
            if code != 250:  # errors of a session are counted, and a second stray ends it
                talk.close()
                talk = self.connect(implicit)
        talk.expect("QUIT", 221)
        return replies

    def check_arrived(self, name, message):
        patterns, rest = documented(self.corpus[name])
        for pattern in patterns:
            match = pattern.match(message)
            self.assertIsNotNone(match, f"{name}: {pattern.pattern} in {message[:600]}")
            message = message[match.end():]
        self.assertEqual(message, rest, name)

    def judge(self, replies, is_excused=lambda deserved: False):
        """Checks every reply, and what has arrived; {reply: names of the messages that were refused with it}."""
        arrived = {found["rcpts"][0]["to"]: message for found, message in self.smarthost.stored()}
        refused = collections.defaultdict(set)
        for recipient, (name, reply) in replies.items():
            deserved = faults(self.corpus[name])
            if reply.startswith(FORM) and not deserved:
                self.assertFalse(has_plain_from(self.corpus[name]), f"{name}: {reply}")
                refused[reply].add(name)
            elif not deserved or is_excused(deserved):
                self.assertEqual(reply[:3], "250", f"{name}: {reply}")
                self.check_arrived(name, arrived.pop(recipient))
            else:
                self.assertTrue(reply.startswith(tuple(deserved)), f"{name}: {reply}, wanted {deserved}")
                refused[reply].add(name)
        self.assertEqual(arrived, {}, "what was refused must not arrive")
        counts = self.smarthost.counts()
        self.assertEqual((counts["bare_line_ends"], counts["nuls"], counts["bad_dots"], counts["early_input"]),
                         (0, 0, 0, 0))
        return refused

    def test_every_message_arrives_as_it_was_or_is_refused_for_a_reason(self):
        replies = {**self.send_all(implicit=False), **self.send_all(implicit=True)}
        refused = self.judge(replies)
        for reply, names in refused.items():
            print(f"    {len(names)} refused: {reply}: {' '.join(sorted(names))}")
        refused_count = sum(map(len, refused.values()))
        print(f"    {len(self.corpus) - refused_count} of {len(self.corpus)} messages arrived the same over both ports",
              flush=True)
        self.assertGreater(len(self.corpus), 700)
        self.assertLess(refused_count, len(self.corpus) / 20)

    def test_long_lines_arrive_as_they_were_where_they_are_accepted(self):
        self.msad.reload(limits="long_lines accept;")
        self.corpus = {name: message for name, message in self.corpus.items() if LONG in faults(message)}
        self.assertGreater(len(self.corpus), 2)
        refused = self.judge(self.send_all(implicit=True), lambda deserved: deserved == {LONG})
        print(f"    {len(self.corpus) - sum(map(len, refused.values()))} messages with long lines arrived the same",
              flush=True)
