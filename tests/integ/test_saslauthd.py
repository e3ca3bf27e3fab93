"""Passwords that are kept elsewhere: a stand-in for saslauthd, and Debian's own with an IMAP server behind it."""

import base64
import os
import shutil
import socket
import struct
import subprocess
import threading
import unittest

import harness
import msad as m
from pages import ApiCase
from test_mailbox import Door

TARO, HANA = "taro@example.test", "hana@example.test"
PASSWORD = "pass in the directory"
GUESSES = "rule guess { count failures; per account; within 1h; limit 3; then lock; lock 1h; }"


def read_field(connection):
    def read(n):
        got = b""
        while len(got) < n:
            piece = connection.recv(n - len(got))
            if not piece:
                raise EOFError
            got += piece
        return got
    return read(struct.unpack(">H", read(2))[0]).decode()


def serve(listener, talk):
    """Each connection in a thread of its own, until the listener is shut."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=talk, args=(connection,), daemon=True).start()


class StandIn:
    """What it does is `mode`: a password check, or a way to fail. Questions are in `asked`."""

    WAYS = {"ok": b"\0\2OK", "no": b"\0\2NO", "rubbish": b"HTTP/1.1 400 Bad Request\r\n", "early": b"\0\2O",
            "huge": b"\xff\xff" + b"O" * 65535}

    def __init__(self, path):
        self.path, self.mode, self.asked, self.held = path, "check", [], []
        self.let_go = threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o777)
        self.listener.listen(64)
        self.thread = threading.Thread(target=serve, args=(self.listener, self.answer), daemon=True)
        self.thread.start()

    def answer(self, connection):
        with connection:
            try:
                question = tuple(read_field(connection) for _ in range(4))
            except (EOFError, OSError):
                return
            self.asked.append(question)
            mode = self.mode
            if mode == "hang":
                self.let_go.wait(harness.WAIT_S)
                return
            if mode == "check":
                mode = "ok" if question == ("taro", PASSWORD, "smtp", "example.test") else "no"
            try:
                connection.sendall(self.WAYS[mode])
            except OSError:
                pass

    def close(self):
        self.let_go.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(harness.WAIT_S)
        os.unlink(self.path)


def block(path, more=""):
    return f"saslauthd {{ socket {path}; {more} }} "


def external(server, *logins):
    server.msactl("account", "import", "--replace", "-", stdin="".join(f"{login}:{{SASL}}\n" for login in logins))


class SmtpCase(harness.Case):
    MECHANISMS = "mechanisms PLAIN LOGIN SCRAM-SHA-256; credential_cache 0s;"

    def setUp(self):
        super().setUp()
        self.smarthost = self.sink()

    def start(self, path, settings="", more="", auth=MECHANISMS):
        server = m.Msad(self.directory, self.smarthost.port, auth=auth, more=block(path, settings) + more)
        self.addCleanup(self.end, server)
        external(server, TARO)
        return server

    def end(self, server):
        server.stop()
        self.assertNotIn(PASSWORD, server.child.log(), "no secret may have reached the log")

    def plain(self, server, password=PASSWORD, login=TARO):
        talk = server.talk()
        code = talk.auth_plain(login, password)[0]
        talk.close()
        return code

    def login(self, server, password=PASSWORD, login=TARO):
        talk = server.talk()
        for line in ("AUTH LOGIN", *(base64.b64encode(word.encode()).decode() for word in (login, password))):
            code = talk.say(line)[0]
        talk.close()
        return code


class StandInCase(SmtpCase):
    def setUp(self):
        super().setUp()
        self.there = StandIn(os.path.join(self.directory, "mux"))
        self.addCleanup(lambda: self.there.close())


class Passwords(StandInCase):
    def test_plain_and_login_ask_it_about_its_accounts_and_no_others(self):
        server = self.start(self.there.path)
        for way in (self.plain, self.login):
            self.assertEqual((way(server), way(server, "wrong")), (235, 535))
        self.assertEqual(len(self.there.asked), 4)
        self.assertEqual(self.there.asked[0], ("taro", PASSWORD, "smtp", "example.test"))
        self.assertEqual(self.plain(server, m.ACCOUNTS[HANA], HANA), 235)
        self.assertEqual(self.plain(server, login="nobody@example.test"), 535)
        self.assertEqual(self.plain(server, "x" * 300), 535)
        self.assertEqual(len(self.there.asked), 4)
        self.assertEqual(server.ctl_json("account", "show", TARO)["secret"], "saslauthd", "nothing is kept here")

    def test_good_ones_are_remembered_as_others_are(self):
        server = self.start(self.there.path, auth="mechanisms PLAIN;")
        for _ in range(3):
            self.assertEqual(self.plain(server), 235)
        self.assertEqual(len(self.there.asked), 1)
        self.there.mode = "no"
        for _ in range(2):
            self.assertEqual(self.plain(server, "wrong"), 535)
        self.assertEqual(len(self.there.asked), 3)

    def test_what_stands_against_an_account_here_holds(self):
        server = self.start(self.there.path, more=GUESSES)
        server.msactl("account", "disable", TARO)
        self.assertEqual(self.plain(server), 535)
        server.msactl("account", "enable", TARO)
        self.assertEqual(self.plain(server), 235)
        for i in range(3):
            self.assertEqual(self.plain(server, f"wrong {i}"), 535)
        self.assertEqual(self.plain(server), 535, "locked: wrong answers count as failures")

    def test_an_app_password_needs_no_question(self):
        server = self.start(self.there.path)
        made = server.ctl_json("app-password", "add", TARO, "phone", "--scope", "smtp")
        self.assertEqual(self.plain(server, made["password"]), 235)
        self.assertEqual(self.there.asked, [])


class Failures(StandInCase):
    def test_rubbish_floods_and_silence_are_454_and_nobody_is_blamed(self):
        server = self.start(self.there.path, "deadline 2s;", more=GUESSES)
        for self.there.mode in ("rubbish", "early", "huge", "hang"):
            with self.subTest(mode=self.there.mode):
                self.assertEqual(self.plain(server), 454)
        self.assertEqual(self.login(server), 454)
        server.wait_for_event("saslauthd-down")
        asked = len(self.there.asked)
        self.assertEqual(self.plain(server), 454)
        self.assertEqual(len(self.there.asked), asked, "it is left alone")
        self.assertEqual(server.events("auth-failed"), [])
        self.assertEqual(self.plain(server, m.ACCOUNTS[HANA], HANA), 235, "passwords kept here go on")
        self.there.mode = "check"
        harness.wait_for(lambda: self.plain(server) == 235, "it to be asked again")
        server.wait_for_event("saslauthd-up")

    def test_one_that_hangs_holds_up_nobody_else(self):
        server = self.start(self.there.path)
        self.there.mode = "hang"
        talk = server.talk()
        line = base64.b64encode(f"\0{TARO}\0{PASSWORD}".encode()).decode()
        talk.send(f"AUTH PLAIN {line}\r\n")
        harness.wait_for(lambda: self.there.asked, "the question")
        self.there.mode = "check"
        self.assertEqual(self.plain(server), 235)
        self.assertEqual(self.plain(server, m.ACCOUNTS[HANA], HANA), 235)
        self.there.let_go.set()
        self.assertEqual(talk.reply()[0], 454)
        talk.close()

    def test_a_client_that_leaves_while_it_hangs_leaves_nothing(self):
        server = self.start(self.there.path, "connections 1;")
        self.there.mode = "hang"
        talk = server.talk()
        talk.send(f"AUTH PLAIN {base64.b64encode(f'{chr(0)}{TARO}{chr(0)}{PASSWORD}'.encode()).decode()}\r\n")
        harness.wait_for(lambda: self.there.asked, "the question")
        self.there.mode = "check"
        talk.close()
        harness.wait_for(lambda: self.plain(server) == 235, "its place to be free again")

    @unittest.skipUnless(os.geteuid() == 0, "NOT TESTED: needs root, for a process of another user")
    def test_a_socket_that_may_not_be_opened_is_told_clearly(self):
        server = self.start(self.there.path)
        os.chmod(self.there.path, 0o700)
        self.assertEqual(self.plain(server), 454)
        self.assertIn("as a member of the group", server.wait_for_event("saslauthd-failed")[0]["text"])


class Configurations(StandInCase):
    def test_a_new_block_needs_a_restart_and_an_old_one_may_change(self):
        server = m.Msad(self.directory, self.smarthost.port, auth=self.MECHANISMS)
        self.addCleanup(server.stop)
        external(server, TARO)
        self.assertEqual(self.plain(server), 454, "there is nobody to ask")
        server.write_config(more=block(self.there.path))
        refused = server.msactl("reload", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("'saslauthd' is new", refused.stdout + refused.stderr)
        server.stop()
        server.start()
        self.assertEqual(self.plain(server), 235)
        server.reload(more=block(self.there.path, "service other;"))
        self.assertEqual(self.plain(server), 535)
        self.assertEqual(self.there.asked[-1], ("taro", PASSWORD, "other", "example.test"))
        server.reload(more="")
        self.assertEqual(self.plain(server), 454)


class Doors(ApiCase):
    """Pages, and POP and IMAP servers, ask in the same two steps."""

    def setUp(self):
        super().setUp()
        self.there = StandIn(os.path.join(self.directory, "mux"))
        self.addCleanup(lambda: self.there.close())
        self.port = harness.free_port()
        super().start(console=f"auth_policy 127.0.0.1:{self.port};", auth="credential_cache 0s;",
                      more=block(self.there.path, "deadline 2s;"))
        external(self.msad, TARO)

    def verify(self, password):
        return Door(self.port).post("/verify", {"login": TARO, "password": password, "remote": "127.0.0.1",
                                                "protocol": "imap"})

    def test_servers_of_mailboxes(self):
        self.assertEqual(self.verify(PASSWORD), (200, {"status": "ok", "login": TARO}))
        self.assertEqual(self.verify("wrong"), (200, {"status": "refused"}))
        for self.there.mode in ("rubbish", "hang"):
            self.assertEqual(self.verify(PASSWORD)[0], 503)
        self.assertEqual([question[0] for question in self.there.asked], ["taro"] * 4)

    def test_a_customer_signs_in_at_the_page_and_changes_the_password_elsewhere(self):
        self.msad.accounts[TARO] = PASSWORD
        customer = self.customer()
        status, problem = customer.call("PUT", "/accounts/me/password", {"current": PASSWORD, "password": "another one"})
        self.assertEqual(status, 409, problem)
        self.assertIn("kept elsewhere", problem["detail"])


class ImapServer:
    """Enough of one for saslauthd's rimap: a greeting, one LOGIN."""

    def __init__(self, login, password):
        self.good = f'"{login}" "{password}"'
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=serve, args=(self.listener, self.talk), daemon=True).start()

    def talk(self, connection):
        """saslauthd may keep one open while it asks by another."""
        with connection, connection.makefile("rwb") as file:
            file.write(b"* OK hello\r\n")
            file.flush()
            for line in file:
                tag, word, *rest = line.decode().strip().split(" ", 2)
                is_good = word.upper() != "LOGIN" or rest == [self.good]
                file.write(f"{tag} {'OK' if is_good else 'NO'} done\r\n".encode())
                file.flush()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@unittest.skipUnless(shutil.which("saslauthd"), "NOT TESTED: no saslauthd (Debian package sasl2-bin)")
class Real(SmtpCase):
    """Debian's saslauthd, in a folder of its own."""

    def setUp(self):
        super().setUp()
        self.imap = ImapServer(TARO, PASSWORD)
        self.addCleanup(self.imap.close)
        self.run_dir = os.path.join(self.directory, "saslauthd")
        os.mkdir(self.run_dir, 0o755)
        self.mux = os.path.join(self.run_dir, "mux")
        self.daemon = harness.Child([shutil.which("saslauthd"), "-d", "-a", "rimap", "-O", f"127.0.0.1/{self.imap.port}", "-r",
                                     "-n", "2", "-m", self.run_dir], self.directory, "saslauthd-log")
        self.addCleanup(self.daemon.stop)
        harness.wait_for(lambda: os.path.exists(self.mux), "saslauthd's socket")

    def test_plain_and_login(self):
        server = self.start(self.mux)
        for way in (self.plain, self.login):
            self.assertEqual((way(server), way(server, "wrong")), (235, 535))
        done = subprocess.run(["curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", server.cert,
                               "--url", f"smtp://submit.test:{server.port}/curl.test",
                               "--resolve", f"submit.test:{server.port}:127.0.0.1", "--user", f"{TARO}:{PASSWORD}",
                               "--login-options", "AUTH=PLAIN", "--mail-from", TARO,
                               "--mail-rcpt", "hana@elsewhere.test", "--upload-file", "-"],
                              input=b"Subject: by saslauthd\r\n\r\nhello\r\n", capture_output=True,
                              timeout=harness.WAIT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.plain(server, "x" * 256), 535, "the longest that it takes")
        self.assertEqual(server.events("saslauthd-failed"), [])
