"""POP and IMAP servers ask msad and tell it: the auth-policy door."""

import base64
import http.client
import json
import os

import dovecot
import harness
import msad as m

USER = "taro@example.test"
PASSWORD = m.ACCOUNTS[USER]


class Door:
    """One keep-alive connection to the auth-policy door of `server`."""

    def __init__(self, port, headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=harness.WAIT_S)
        self.headers = {"Content-Type": "application/json", **(headers or {})}

    def post(self, path, body):
        self.connection.request("POST", path, body if isinstance(body, (bytes, str)) else json.dumps(body),
                                self.headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def ask(self, command, login, remote="127.0.0.1", **more):
        """The status of the answer."""
        code, answer = self.post(f"/?command={command}", {"login": login, "remote": remote, "protocol": "imap",
                                                          "pwhash": "0a3f", "device_id": "", **more})
        assert code == 200 and set(answer) == {"status", "msg"} and answer["msg"] == "", (code, answer)
        return answer["status"]


class MailboxCase(harness.Case):
    def start(self, console="", **blocks):
        self.port = harness.free_port()
        more = blocks.pop("more", "") + f"console {{ auth_policy 127.0.0.1:{self.port}; {console} }}"
        self.smarthost = self.sink()
        self.msad = self.stop_later(m.Msad(self.directory, self.smarthost.port, more=more, **blocks))

    def figures(self):
        return self.msad.ctl_json("status")["policy"][0]["mailbox"]


class AuthPolicyDoor(MailboxCase):
    def test_what_is_no_question_gets_an_error_and_the_connection_goes_on(self):
        self.start()
        door = Door(self.port)
        for path, body, code in [("/?command=allow", "{", 400), ("/?command=allow", "[]", 400),
                                 ("/?command=allow", {"login": 1}, 400), ("/?command=allow", "", 400),
                                 ("/?command=frob", {"login": "a"}, 400), ("/", {"login": "a"}, 400),
                                 ("/?command=report", {"login": "a"}, 400),
                                 ("/api/v1/account.list", {}, 404), ("/metrics", {}, 404),
                                 ("/?command=allow", b"[" * 8192, 400),
                                 ("/?command=allow", b" " * 8193, 413)]:
            with self.subTest(path=path, body=body[:20] if isinstance(body, (bytes, str)) else body):
                self.assertEqual(door.post(path, body)[0], code)
        self.assertEqual(door.ask("allow", ""), 0, "no name yet: nothing to say")
        door.connection.request("GET", "/?command=allow")
        self.assertEqual(door.connection.getresponse().status, 405)

    def test_token_opens_and_nothing_else_does(self):
        token = os.path.join(self.directory, "token")
        with open(token, "w", encoding="ascii") as file:
            file.write("s3cret\n")
        os.chmod(token, 0o600)
        self.start(console=f"auth_policy_token_file {token};")
        for headers in [{"X-API-Key": "s3cret"}, {"Authorization": "Bearer s3cret"},
                        {"Authorization": "Basic bXNhZDpzM2NyZXQ="}]:
            self.assertEqual(Door(self.port, headers).ask("allow", "nobody@example.test"), 0, headers)
        for headers in [{}, {"X-API-Key": "s3cres"}, {"Authorization": "Basic czNjcmV0"}]:
            self.assertEqual(Door(self.port, headers).post("/?command=allow", {"login": "a"})[0], 403, headers)
        line, = self.msad.events("auth-policy-refused")
        self.assertEqual(line["ip"], "127.0.0.1")

    def test_clients_of_weakforced_are_answered(self):
        """The calls that its README shows, with the password of Basic authentication."""
        token = os.path.join(self.directory, "token")
        with open(token, "w", encoding="ascii") as file:
            file.write("super\n")
        os.chmod(token, 0o600)
        rule = 'rule guess { count passwords; per account; within 1h; limit 3; then lock; lock 1h; because "guessing"; } '
        self.start(console=f"auth_policy_token_file {token};", more=rule)
        door = Door(self.port, {"Authorization": "Basic " + base64.b64encode(b"wforce:super").decode()})
        ahu = {"login": "ahu", "remote": "127.0.0.1", "pwhash": "1234"}
        attributes = {"attr1": "val1", "attr2": ["val2", "val3"]}
        self.assertEqual(door.post("/?command=allow", {**ahu, "attrs": attributes}), (200, {"status": 0, "msg": ""}))
        for number in range(5):
            report = {**ahu, "pwhash": f"1234{number}", "success": "false", "device_id": "", "protocol": "imap",
                      "tls": True, "session_id": "1", "fail_type": "credentials", "policy_reject": False}
            self.assertEqual(door.post("/?command=report", report), (200, {"status": "ok"}))
        self.assertEqual(door.post("/?command=allow", ahu), (200, {"status": -1, "msg": ""}), "it appears we are not")
        self.assertEqual(door.post("/?command=reset", {"login": "ahu"})[0], 403, "the desk does that")
        self.assertEqual(door.post("/?command=allow", ahu)[1]["status"], -1)
        for method in ("GET", "POST"):
            door.connection.request(method, "/?command=ping", headers=door.headers)
            answer = door.connection.getresponse()
            self.assertEqual((answer.status, json.loads(answer.read())), (200, {"status": "ok"}))
        stranger = Door(self.port)
        stranger.connection.request("GET", "/?command=ping")
        self.assertEqual(stranger.connection.getresponse().status, 403)

    def test_a_script_reports_as_well(self):
        self.start()
        self.msad.msactl("mailbox", "report", USER, "192.0.2.1", "--protocol", "pop3")
        self.assertEqual(self.figures()["accesses"], 1)
        refused = self.msad.msactl("mailbox", "report", USER, "nowhere", check=False)
        self.assertEqual(refused.returncode, 1)


class Mailbox(MailboxCase):
    """With a real Dovecot, which asks as the sample in conf/ says."""

    def start(self, **blocks):
        super().start(**blocks)
        self.dovecot = self.stop_later(dovecot.Dovecot(self.directory, self.port, m.ACCOUNTS))

    def wait_for_figures(self, **wanted):
        harness.wait_for(lambda: wanted.items() <= self.figures().items(), f"{wanted} in {self.figures()}")

    def test_an_access_and_a_failure_are_reported(self):
        self.start()
        self.assertTrue(self.dovecot.sign_in(USER, PASSWORD))
        self.wait_for_figures(asked=1, refused=0, accesses=1, failures=0)
        self.assertFalse(self.dovecot.sign_in(USER, "wrong"))
        self.wait_for_figures(asked=2, refused=0, accesses=1, failures=1)
        self.assertFalse(self.dovecot.sign_in("nobody@example.test", "wrong"))
        self.wait_for_figures(asked=3, failures=2)

    def test_who_is_suspended_reads_no_mail_with_the_right_password_either(self):
        self.start()
        made = self.msad.ctl_json("account", "suspend", USER, "--note", "a test")
        self.assertFalse(self.dovecot.sign_in(USER, PASSWORD))
        self.assertFalse(self.dovecot.sign_in(USER, "wrong"))
        self.assertTrue(self.dovecot.sign_in("hana@example.test", m.ACCOUNTS["hana@example.test"]), "others do")
        self.wait_for_figures(asked=3, refused=2, accesses=1, failures=0)
        self.assertEqual(self.msad.ctl_json("mailbox", "check", USER, "192.0.2.1")["why"], "suspended")
        self.msad.msactl("restriction", "release", made["restriction"], "--note", "it is over")
        self.assertTrue(self.dovecot.sign_in(USER, PASSWORD))

    def test_a_block_of_overseas_use_holds_for_reading(self):
        abroad = "rules { home JP; } accounts { overseas block; } geo { place US { networks 127.0.0.0/8; } } "
        self.start(more=abroad)
        self.assertFalse(self.dovecot.sign_in(USER, PASSWORD))
        self.assertEqual(self.msad.ctl_json("mailbox", "check", USER, "127.0.0.1")["why"], "overseas")

    def test_guesses_by_imap_lock_the_account_out_there(self):
        rule = """rule guess { count passwords; per account; within 1h; limit 3; then lock; lock 1h; because "guessing"; } """
        self.start(more=rule)
        for password in ["one", "two", "two", "two"]:
            self.assertFalse(self.dovecot.sign_in(USER, password))
        self.wait_for_figures(failures=4)
        self.assertTrue(self.msad.ctl_json("mailbox", "check", USER, "127.0.0.1")["allow"], "two passwords")
        self.assertFalse(self.dovecot.sign_in(USER, "three"))
        self.wait_for_figures(failures=5)
        self.assertFalse(self.dovecot.sign_in(USER, PASSWORD))
        self.wait_for_figures(refused=1)

    def test_mail_can_be_read_while_policy_is_away(self):
        self.start()
        os.kill(self.msad.role_pids("policy")[-1], 19)  # SIGSTOP: it does not answer
        self.addCleanup(os.kill, self.msad.role_pids("policy")[-1], 18)
        self.assertTrue(self.dovecot.sign_in(USER, PASSWORD))
        self.msad.wait_for_event("auth-policy-unanswered")
