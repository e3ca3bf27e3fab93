"""POP and IMAP servers ask msad and tell it: the auth-policy door."""

import base64
import http.client
import json
import os
import select
import signal
import statistics
import time

import dovecot
import harness
import msad as m
from api import ApiCase

USER = "taro@example.test"
PASSWORD = m.ACCOUNTS[USER]
DOOR_CONNECTIONS = 512


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

    def begin_to_ask(self):
        """What answer() waits for."""
        self.connection.request("POST", "/?command=allow", json.dumps({"login": USER, "remote": "127.0.0.1"}), self.headers)

    def answer(self):
        return json.loads(self.connection.getresponse().read())["status"]

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
        line, = self.msad.wait_for_event("auth-policy-refused")
        self.assertEqual(line["ip"], "127.0.0.1")

    def test_a_slow_policy_piles_up_no_more_questions_than_there_are_connections(self):
        """Of each connection one question is under way, and the door has 512: the next one waits outside until one
        of them goes. Whoever is inside is let through while policy says nothing."""
        self.start()
        policy = self.msad.role_pids("policy")[-1]
        os.kill(policy, 19)  # SIGSTOP: it does not answer
        self.addCleanup(os.kill, policy, 18)
        inside = [Door(self.port) for _ in range(DOOR_CONNECTIONS)]
        for door in inside:
            door.begin_to_ask()
            self.addCleanup(door.connection.close)
        self.assertEqual({door.answer() for door in inside}, {0}, "mail can be read")
        outside = Door(self.port)
        outside.begin_to_ask()
        for door in inside[:3]:
            self.assertEqual(door.ask("allow", USER), 0, "others go on")
        self.assertEqual(select.select([outside.connection.sock], [], [], 0)[0], [], "there is no room")
        inside[0].connection.close()
        self.assertEqual(outside.answer(), 0)
        os.kill(policy, 18)
        harness.wait_for(lambda: self.figures()["asked"] > 0, "policy to answer again")
        self.assertLessEqual(self.figures()["asked"], DOOR_CONNECTIONS + 4)

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


class Passwords(ApiCase):
    """With a real Dovecot that keeps no password: msad checks them, as the samples in conf/ say."""

    def start(self, **blocks):
        self.port = harness.free_port()
        super().start(console=f"auth_policy 127.0.0.1:{self.port};", auth="failure_delay 300ms;", **blocks)
        self.dovecot = self.stop_later(dovecot.Dovecot(self.directory, self.port, None))

    def enters(self, password, login=USER, **more):
        """By IMAP, by POP3."""
        return self.dovecot.sign_in(login, password, **more), self.dovecot.sign_in_pop(login, password, **more)

    def make(self, *scopes):
        return self.customer().call("POST", "/accounts/me/app-passwords", {"name": "device", "scopes": scopes})[1]

    def uses(self):
        """When and where from each was used."""
        listed = self.customer().call("GET", "/accounts/me/app-passwords")[1]["app_passwords"]
        return {a["id"]: (a["used_ms"] > 0, a["used_from"]) for a in listed}

    def test_the_main_password_opens_both_and_a_wrong_one_neither(self):
        self.start()
        self.assertEqual(self.enters(PASSWORD), (True, True))
        self.assertEqual(self.enters(PASSWORD, "TARO@Example.TEST"), (True, True), "in any spelling")
        self.assertEqual(self.enters('no " \\ \x7f 合言葉'), (False, False))
        self.assertEqual(self.enters(PASSWORD, "nobody@example.test"), (False, False))
        figures = self.msad.ctl_json("status")["policy"][0]["mailbox"]
        self.assertEqual((figures["accesses"], figures["failures"]), (4, 4))
        with open(self.msad.child.log_path, encoding="utf-8") as log:
            self.assertNotIn(PASSWORD, log.read())

    def test_an_app_password_opens_what_it_is_for_until_it_is_taken_back(self):
        self.start(more="geo { place JP { networks 127.0.0.0/8; } } ")
        imap, pop, smtp = self.make("imap"), self.make("pop"), self.make("smtp")
        self.assertEqual(self.uses(), {made["id"]: (False, "") for made in (imap, pop, smtp)})
        self.assertEqual(self.enters(imap["password"]), (True, False))
        self.assertEqual(self.enters(pop["password"]), (False, True))
        self.assertEqual(self.enters(smtp["password"]), (False, False))
        used = {imap["id"]: (True, "JP"), pop["id"]: (True, "JP"), smtp["id"]: (False, "")}
        harness.wait_for(lambda: self.uses() == used, "their last use to be written")
        self.msad.msactl("app-password", "remove", USER, imap["id"])
        self.assertEqual(self.enters(imap["password"]), (False, False))
        self.assertEqual(self.enters(pop["password"]), (False, True), "the other one goes on")

    def test_the_main_password_is_refused_where_its_owner_says_so_and_counts_for_nothing(self):
        self.start(more="rule guess { count failures; per account; within 1h; limit 3; then lock; lock 1h; } ")
        app = self.make("imap", "pop")
        self.assertEqual(self.customer().call("PUT", "/accounts/me/sign-in-rules", {"app_passwords_only": True})[0], 200)
        for _ in range(3):
            self.assertEqual(self.enters(PASSWORD), (False, False))
        self.assertEqual(self.enters(app["password"]), (True, True), "no lockout by it")

    def test_wrong_passwords_lock_mail_programs_out_of_reading_and_sending_alike(self):
        self.start(more="rule guess { count passwords; per account; within 1h; limit 3; then lock; lock 1h; } ")
        self.assertEqual(self.msad.talk().auth_plain(USER, "one")[0], 535)
        for _ in range(3):
            self.assertEqual(self.enters("one"), (False, False))
        self.assertEqual(self.enters("two"), (False, False))
        self.assertEqual(self.enters(PASSWORD), (True, True), "two are not three, however often")
        self.assertFalse(self.dovecot.sign_in(USER, "three"))
        self.assertEqual(self.enters(PASSWORD), (False, False))
        self.assertEqual(self.msad.talk().auth_plain(USER, PASSWORD)[0], 535)

    def test_who_is_shut_out_reads_no_mail_either(self):
        self.start()
        made = self.msad.ctl_json("account", "suspend", USER, "--note", "a test")
        self.assertEqual(self.enters(PASSWORD), (False, False))
        self.msad.msactl("restriction", "release", made["restriction"], "--note", "it is over")
        self.assertEqual(self.enters(PASSWORD), (True, True))
        self.msad.msactl("account", "disable", USER)
        self.assertEqual(self.enters(PASSWORD), (False, False))

    def test_mail_can_be_read_while_policy_is_away_and_none_while_auth_is(self):
        self.start()
        policy, auth = self.msad.role_pids("policy")[-1], self.msad.role_pids("auth")[-1]
        os.kill(policy, signal.SIGSTOP)
        self.addCleanup(os.kill, policy, signal.SIGCONT)
        self.assertTrue(self.dovecot.sign_in(USER, PASSWORD))
        self.assertFalse(self.dovecot.sign_in(USER, "wrong"))
        self.msad.wait_for_event("auth-policy-unanswered")
        os.kill(auth, signal.SIGSTOP)
        self.addCleanup(os.kill, auth, signal.SIGCONT)
        status, answer = Door(self.port).post("/verify", {"login": USER, "password": PASSWORD, "protocol": "imap"})
        self.assertEqual((status, answer["title"]), (503, "Service Unavailable"))


class VerifyDoor(ApiCase):
    QUESTION = {"login": USER, "password": PASSWORD, "remote": "127.0.0.1", "protocol": "imap"}

    def start(self, console="", **blocks):
        self.port = harness.free_port()
        super().start(console=f"auth_policy 127.0.0.1:{self.port}; {console}", **blocks)

    def test_what_is_no_question_gets_an_error(self):
        self.start()
        door = Door(self.port)
        self.assertEqual(door.post("/verify", self.QUESTION), (200, {"status": "ok", "login": USER}))
        for wrong in ({"password": ""}, {"password": 1}, {"password": "a\0b"}, {"password": "x" * 4097}, {"login": ""},
                      {"protocol": "ldap"}, {"protocol": None}, {"remote": 1}):
            self.assertEqual(door.post("/verify", {**self.QUESTION, **wrong})[0], 400, wrong)
        for body, code in ((b"{", 400), (b"", 400), (b" " * 8193, 413), (b'{"login":"\xff"}', 400)):
            self.assertEqual(door.post("/verify", body)[0], code, body[:20])
        self.assertEqual(door.post("/verify", {**self.QUESTION, "remote": "here"})[0], 200, "a client without an address")
        door.connection.request("GET", "/verify")
        self.assertEqual(door.connection.getresponse().status, 405)

    def test_where_browsers_come_only_the_token_opens_it(self):
        self.start()
        for browser in (self.browser(), self.tls_browser()):
            self.assertEqual(browser.raw("POST", "/verify", self.QUESTION)[0], 403, "none is configured")

    def test_a_server_elsewhere_comes_through_tls_with_the_token(self):
        token = os.path.join(self.directory, "token")
        with open(token, "w", encoding="ascii") as file:
            file.write("s3cret\n")
        os.chmod(token, 0o600)
        self.start(console=f"auth_policy_token_file {token};")
        good = {"X-API-Key": "s3cret"}
        for headers, code in (({}, 403), ({"X-API-Key": "s3cres"}, 403), (good, 200)):
            self.assertEqual(self.tls_browser().raw("POST", "/verify", self.QUESTION, headers)[0], code)
            self.assertEqual(Door(self.port, headers).post("/verify", self.QUESTION)[0], code)

    def test_an_unknown_name_and_a_wrong_password_take_the_same_time(self):
        self.start(auth="failure_delay 0s; scram_iterations 65536;")
        door, times = Door(self.port), {}
        for number in range(40):
            # each as often behind the other: what is written behind an answer may keep the next one waiting
            for login in (USER, "nobody@example.test")[::1 if number % 2 else -1]:
                began = time.monotonic()
                answer = door.post("/verify", {**self.QUESTION, "login": login, "password": f"wrong {number}"})
                times.setdefault(login, []).append(time.monotonic() - began)
                self.assertEqual(answer, (200, {"status": "refused"}))
        known, unknown = (1000 * statistics.median(times[login]) for login in (USER, "nobody@example.test"))
        print(f"     wrong password {known:.1f} ms, unknown name {unknown:.1f} ms", flush=True)
        self.assertLess(abs(known - unknown), 0.4 * known)

    def test_a_refusal_does_not_show_by_its_time_that_the_password_was_right(self):
        self.start(auth="failure_delay 300ms;")
        door = Door(self.port)
        self.assertEqual(door.post("/verify", self.QUESTION)[1]["status"], "ok", "it is remembered now")
        self.msad.msactl("account", "suspend", USER, "--note", "a test")
        for password in (PASSWORD, "wrong"):
            began = time.monotonic()
            self.assertEqual(door.post("/verify", {**self.QUESTION, "password": password})[1]["status"], "refused")
            self.assertGreaterEqual(time.monotonic() - began, 0.3)
