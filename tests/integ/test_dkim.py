"""Mail that is signed by a running msad is verified by programs that share nothing with it; keys change while mail flows;
what is wrong with a key is said before it is used."""

import os
import re
import subprocess
import threading

import dkim_check
import harness
import msad
import shared_data
from talk import dot_stuff

USER = "taro@example.test"


def with_crlf(message):
    message = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def from_user(message):
    """The same with one From of ours; None where the header cannot be told from the body."""
    head, empty, body = message.partition(b"\r\n\r\n")
    if not re.match(rb"[!-9;-~]+:", head):
        return None
    head = re.sub(rb"(?im)^From[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*", b"", head + b"\r\n")
    return b"From: Taro <" + USER.encode() + b">\r\n" + head.removesuffix(b"\r\n") + empty + body


class Signed(harness.Case):
    keys = (("r1", "rsa"), ("e1", "ed25519"))

    def setUp(self):
        super().setUp()
        dkim_check.need()
        self.smarthost = self.sink(store=True)
        self.key_directory = os.path.join(self.directory, "keys")
        os.mkdir(self.key_directory)

    def keygen(self, selector, kind, domain="example.test"):
        """Makes a key; the TXT record as a zone line."""
        path = os.path.join(self.key_directory, selector + ".pem")
        run = self.run_ctl("dkim", "keygen", "--domain", domain, "--selector", selector, "--type", kind, "--out", path)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        return run.stdout

    def run_ctl(self, *arguments):
        return subprocess.run([os.path.join(harness.BUILD, "msactl"), *arguments], capture_output=True,
                                      text=True, check=False, timeout=harness.WAIT_S)

    def block(self, *selectors, domain="example.test", more=""):
        lines = " ".join(f"selector {name} {{ key_file {self.key_directory}/{name}.pem; {rest} }}"
                         for name, rest in selectors)
        return f"dkim {domain} {{ {lines} {more} }} align all {{ check off; null_sender yes; }}"

    def start(self, more, **blocks):
        self.msad = self.stop_later(msad.Msad(
            self.directory, self.smarthost.port, more=more, policy="messages off; recipients off;",
            limits="messages_per_session 1000000;", **blocks))
        self.texts = dkim_check.records(self.msad.msactl("dkim", "dns").stdout)

    def check_all(self, stored, expected, is_opendkim=False):
        """Verifies each message; the number."""
        for found, message in stored:
            results = dkim_check.verify(message, self.texts)[:len(expected)]
            name = found["rcpts"][0]["to"]
            self.assertEqual([(a, s, True) for a, s in expected], results, f"{name}: {message[:1500]}")
            if is_opendkim:
                said = dkim_check.opendkim(message, self.texts, self.directory)
                self.assertIs(said, True, f"{name}: {message[-200:]} {said}")
        return len(stored)

    def counters(self):
        relay, = self.msad.ctl_json("status")["relay"]
        return relay["dkim"]


BOTH = (("rsa-sha256", "r1"), ("ed25519-sha256", "e1"))


class DkimTest(Signed):
    def setUp(self):
        super().setUp()
        self.zone = "".join(self.keygen(*key) for key in self.keys)

    def send(self, talk, number, message):
        recipient = f"{number}@dkim.test"
        talk.send(f"MAIL FROM:<{USER}> BODY=8BITMIME\r\nRCPT TO:<{recipient}>\r\n")
        self.assertEqual([talk.reply()[0], talk.reply()[0]], [250, 250])
        if number % 2:
            talk.send(b"BDAT %d LAST\r\n%s" % (len(message), message))
        else:
            talk.expect("DATA", 354)
            talk.send(dot_stuff(message))
        return talk.reply()

    def test_odd_mail_verifies_whichever_way_it_went(self):
        odd = shared_data.path("mail-odd")
        names = sorted(name for name in os.listdir(odd) if name.endswith(".eml"))
        self.start(self.block(("r1", ""), ("e1", "")))
        talk = self.msad.talk(USER)
        taken = 0
        for number, name in enumerate(names):
            message = from_user(with_crlf(shared_data.read(odd, name)))
            if message is None:
                continue
            code, _ = self.send(talk, number, message)
            taken += code == 250
            if code != 250:
                talk.close()
                talk = self.msad.talk(USER)
        talk.close()
        self.msad.wait_for_empty_queue()
        stored = list(self.smarthost.stored())
        self.assertEqual(len(stored), taken)
        self.assertEqual(self.check_all(stored, BOTH), taken)
        sample = stored[::10] if dkim_check.OPENDKIM else []
        self.check_all(sample, BOTH, is_opendkim=True)
        self.assertEqual(self.counters(), {"signed_count": taken, "unsigned_count": 0, "failed_count": 0})
        self.assertGreater(taken, 300)
        print(f"    {taken} of {len(names)} odd messages signed twice and verified, {len(sample)} by opendkim, too",
              flush=True)

    def test_special_bodies(self):
        self.start(self.block(("r1", ""), ("e1", "")))
        head = f"From: {USER}\r\nSubject: =?utf-8?q?x?=\r\n  folded\t twice \r\n".encode()
        bodies = (b"", b"\r\n", b"\r\n\r\n\r\n", b"\r\n \t\r\n", b"\r\n.\r\n..\r\n.a\r\n", b"\r\nno end",
                  b"\r\nwhite \t \r\n\t in  it\t\r\n\r\n\r\n", b"\r\n\xe3\x81\x82\xff\r\n",
                  b"\r\n" + b"long line " * 90 + b"\r\n", b"\r\n" + b"0123456789abcde\r\n" * 100000)
        talk = self.msad.talk(USER)
        for number, body in enumerate(2 * bodies[:-1] + bodies[-1:] * 2):
            if body == b"" and number % 2 == 0 or body.endswith(b"no end") and number % 2 == 0:
                body += b"\r\n"
            code, text = self.send(talk, number, head + body)
            self.assertEqual(code, 250, text)
        talk.close()
        self.msad.wait_for_empty_queue()
        self.assertEqual(self.check_all(list(self.smarthost.stored()), BOTH, bool(dkim_check.OPENDKIM)), 20)

    def test_keys_change_while_mail_flows(self):
        self.keygen("r2", "rsa")
        self.start(self.block(("r1", ""), ("r2", "use no;")), pool="handover queue;")
        self.assertEqual(len(self.texts), 2)
        stop = threading.Event()
        sent = []

        def submit():
            talk = self.msad.talk(USER)
            while not stop.is_set():
                code, _ = self.send(talk, 2 * len(sent), f"From: {USER}\r\n\r\n{len(sent)}\r\n".encode())
                sent.append(code)
            talk.close()
        thread = threading.Thread(target=submit)
        thread.start()
        try:
            harness.wait_for(lambda: len(sent) >= 30, "mail before")
            self.msad.reload(more=self.block(("r1", "use no;"), ("r2", "")))
            after = len(sent)
            harness.wait_for(lambda: len(sent) >= after + 30, "mail after")
        finally:
            stop.set()
            thread.join()
        self.assertEqual(set(sent), {250})
        self.msad.wait_for_empty_queue()
        seen = {}
        for found, message in self.smarthost.stored():
            (_, selector, holds), = dkim_check.verify(message, self.texts)
            self.assertEqual(holds, True)
            seen.setdefault(selector, []).append(found["rcpts"][0]["to"])
        self.assertEqual(set(seen), {"r1", "r2"})
        everybody = sum(seen.values(), [])
        self.assertEqual(sorted(everybody), sorted({f"{2 * n}@dkim.test" for n in range(len(sent))}))
        by = {line["dkim"] for line in self.msad.events("attempt")}
        self.assertEqual(by, {"example.test/r1", "example.test/r2"})

    def test_a_bad_key_is_refused_and_the_old_one_goes_on(self):
        self.start(self.block(("e1", "")))
        path = os.path.join(self.key_directory, "bad.pem")
        with open(path, "w", encoding="ascii") as file:
            file.write("no key\n")
        os.chmod(path, 0o600)
        self.msad.write_config(more=self.block(("bad", "")))
        run = self.msad.msactl("reload", check=False)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("bad.pem: no private key in PEM form", run.stdout + run.stderr)
        self.assertEqual(self.msad.msactl("dkim", "dns", check=False).returncode, 4)
        with self.msad.client(USER) as client:
            client.sendmail(USER, ["0@dkim.test"], f"From: {USER}\r\n\r\nstill\r\n")
        self.msad.wait_for_empty_queue()
        self.check_all(list(self.smarthost.stored()), BOTH[1:])

    def test_records_are_the_same_from_both_commands_and_split(self):
        self.start(self.block(("r1", ""), ("e1", "use no;")))
        self.assertEqual(self.msad.msactl("dkim", "dns").stdout, self.zone)
        shown = self.msad.ctl_json("dkim", "dns")["records"]
        self.assertEqual({one["name"]: one["text"] for one in shown}, self.texts)
        self.assertEqual([one["use"] for one in shown], [True, False])
        for line in self.zone.splitlines():
            self.assertTrue(all(len(text) <= 255 for text in line.split('"')[1::2]))
        path = os.path.join(self.key_directory, "r1.pem")
        again = self.run_ctl("dkim", "keygen", "--domain", "a.test", "--selector", "r1", "--out", path)
        self.assertEqual((again.returncode, "File exists" in again.stderr), (4, True))
