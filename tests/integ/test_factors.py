"""App passwords and the second factor, from the API to SMTP."""

import base64
import glob
import hashlib
import hmac
import struct

import clock
import harness
import msad as m
from api import ApiCase, HANA, TARO

PHONE = {"name": "スマホ <script>", "scopes": ["smtp"]}
RIGHT = m.ACCOUNTS[TARO]
GUESSES = "rule guess { count failures; per account-network; within 1h; limit 4; then lock; lock 1h; }"


class Factors(ApiCase):
    def mail_code(self, login, password, mechanism="PLAIN"):
        """The reply to AUTH over SMTP."""
        talk = self.msad.talk()
        if mechanism == "LOGIN":
            talk.expect("AUTH LOGIN", 334)
            talk.expect(base64.b64encode(login.encode()).decode(), 334)
            code, text = talk.say(base64.b64encode(password.encode()).decode())
        else:
            code, text = talk.auth_plain(login, password)
        talk.close()
        return code, text

    def scopes_and_names(self, browser):
        status, answer = browser.call("GET", "/accounts/me/app-passwords")
        self.assertEqual(status, 200)
        return [(a["name"], a["scopes"]) for a in answer["app_passwords"]]


class AppPasswords(Factors):
    def test_one_is_shown_once_and_opens_smtp_until_it_is_taken_back(self):
        self.start()
        taro = self.customer()
        status, made = taro.call("POST", "/accounts/me/app-passwords", PHONE)
        self.assertEqual(status, 201, made)
        self.assertRegex(made["password"], r"^[a-z3467]{4}(-[a-z3467]{4}){3}$")
        self.assertEqual((made["name"], made["scopes"]), (PHONE["name"], ["smtp"]))
        listed = taro.call("GET", "/accounts/me/app-passwords")[1]["app_passwords"]
        self.assertEqual([(a["id"], a["used_ms"], a["used_from"]) for a in listed], [(made["id"], 0, "")])
        self.assertNotIn("password", listed[0])

        for typed in (made["password"], made["password"].replace("-", ""), made["password"].replace("-", " ").upper()):
            for mechanism in ("PLAIN", "LOGIN"):
                self.assertEqual(self.mail_code(TARO, typed, mechanism)[0], 235, typed)
        self.assertEqual(self.mail_code(TARO, RIGHT)[0], 235)
        self.assertEqual(self.mail_code(HANA, made["password"])[0], 535)
        self.assertEqual(self.browser().sign_in(login=TARO, password=made["password"]), 401)

        def used():
            return taro.call("GET", "/accounts/me/app-passwords")[1]["app_passwords"][0]["used_ms"] > 0
        harness.wait_for(used, "the use is noted")

        self.assertEqual(taro.call("DELETE", f"/accounts/me/app-passwords/{made['id']}")[0], 200)
        self.assertEqual(self.mail_code(TARO, made["password"])[0], 535)
        self.assertEqual(self.scopes_and_names(taro), [])
        self.assertEqual(taro.call("DELETE", f"/accounts/me/app-passwords/{made['id']}")[0], 404)

    def test_what_it_is_for_is_obeyed_and_names_are_any_text(self):
        self.start()
        taro = self.customer()
        _, made = taro.call("POST", "/accounts/me/app-passwords", {"name": "x" * 64, "scopes": ["imap", "pop"]})
        self.assertEqual(self.mail_code(TARO, made["password"]), self.mail_code(TARO, "wrong"))
        for bad in ({"name": "", "scopes": ["smtp"]}, {"name": "x" * 65, "scopes": ["smtp"]},
                    {"name": "a\nb", "scopes": ["smtp"]}, {"name": "a", "scopes": []}, {"name": "a", "scopes": ["web"]},
                    {"name": "a"}, {"scopes": ["smtp"]}):
            status, _ = taro.call("POST", "/accounts/me/app-passwords", bad)
            self.assertEqual(status, 422, bad)
        for i in range(19):
            self.assertEqual(taro.call("POST", "/accounts/me/app-passwords", {**PHONE, "name": f"{i}"})[0], 201)
        self.assertEqual(taro.call("POST", "/accounts/me/app-passwords", PHONE)[0], 409)
        self.assertEqual(self.scopes_and_names(taro)[0], ("x" * 64, ["imap", "pop"]))

    def test_nobody_has_those_of_another(self):
        self.start()
        taro, hana, desk, portal = self.customer(), self.customer(HANA), self.bearer("support"), self.bearer("portal")
        _, made = taro.call("POST", "/accounts/me/app-passwords", PHONE)
        for method, path, body in (("GET", "app-passwords", None), ("POST", "app-passwords", PHONE),
                                   ("DELETE", f"app-passwords/{made['id']}", None), ("POST", "totp", None),
                                   ("PUT", "totp", {"code": "000000"}), ("DELETE", "totp?code=000000", None),
                                   ("PUT", "sign-in-rules", {"app_passwords_only": True})):
            self.assertEqual(hana.call(method, f"/accounts/{TARO}/{path}", body)[0], 404, path)
            self.assertEqual(portal.call(method, f"/accounts/{TARO}/{path}", body)[0], 403, path)
        # One's own account, another's app password.
        self.assertEqual(hana.call("DELETE", f"/accounts/me/app-passwords/{made['id']}")[0], 404)
        self.assertEqual(self.mail_code(TARO, made["password"])[0], 235)
        self.assertEqual(desk.call("DELETE", f"/accounts/{TARO}/app-passwords/{made['id']}")[0], 422)  # why?
        self.assertEqual(desk.call("DELETE", f"/accounts/{TARO}/app-passwords/{made['id']}?why=lost")[0], 200)
        self.assertEqual(self.mail_code(TARO, made["password"])[0], 535)

    def test_the_main_password_may_be_for_pages_alone(self):
        self.start(more=GUESSES)
        taro = self.customer()
        _, made = taro.call("POST", "/accounts/me/app-passwords", PHONE)
        self.assertEqual(taro.call("GET", "/accounts/me")[1]["app_passwords_only"], False)
        status, _ = taro.call("PUT", "/accounts/me/sign-in-rules", {"app_passwords_only": True})
        self.assertEqual(status, 200)
        self.assertEqual(taro.call("GET", "/accounts/me")[1]["app_passwords_only"], True)
        refused = self.mail_code(TARO, RIGHT)
        self.assertEqual(refused[0], 535)
        self.assertEqual(refused, self.mail_code(HANA, "wrong"))
        for _ in range(8):  # more than the rule has patience for: nobody guesses here
            self.assertEqual(self.mail_code(TARO, RIGHT)[0], 535)
        self.assertEqual(self.mail_code(TARO, made["password"])[0], 235)
        self.customer()
        taro.call("PUT", "/accounts/me/sign-in-rules", {"app_passwords_only": False})
        self.assertEqual(self.mail_code(TARO, RIGHT)[0], 235)

    def test_they_end_with_the_password_that_could_make_them(self):
        self.start()
        _, made = self.customer().call("POST", "/accounts/me/app-passwords", PHONE)
        self.msad.msactl("account", "passwd", TARO, "--stdin", stdin="another one\n")
        self.assertEqual(self.mail_code(TARO, made["password"])[0], 535)

    def session(self, password):
        talk = self.msad.talk()
        self.assertEqual(talk.auth_plain(TARO, password)[0], 235)
        return talk

    def check_cut(self, *talks):
        for talk in talks:
            code, text = talk.reply()
            self.assertEqual(code, 421, text)
            self.assertTrue(talk.is_over())

    def test_one_that_is_taken_back_cuts_the_sessions_that_it_opened(self):
        self.start()
        taro = self.customer()
        phone, printer = (taro.call("POST", "/accounts/me/app-passwords", PHONE)[1] for _ in range(2))
        sessions = [self.session(password) for password in (phone["password"], printer["password"], RIGHT)]
        sessions[0].begin(TARO, "x@example.com")  # also in the middle of something
        self.assertEqual(taro.call("DELETE", f"/accounts/me/app-passwords/{phone['id']}")[0], 200)
        self.check_cut(sessions[0])
        self.assertEqual([s.ask("NOOP") for s in sessions[1:]], [250, 250])
        taro.call("PUT", "/accounts/me/sign-in-rules", {"app_passwords_only": True})
        self.check_cut(sessions[2])
        self.assertEqual(sessions[1].ask("NOOP"), 250)
        self.msad.msactl("account", "passwd", TARO, "--stdin", stdin="another one\n")
        self.check_cut(sessions[1])

    def test_a_new_main_password_or_none_cuts_every_session_of_the_account(self):
        self.start()
        hana = self.msad.talk(HANA)
        talk = self.session(RIGHT)
        status, answer = self.customer().call("PUT", "/accounts/me/password", {"current": RIGHT, "password": "another one 7"})
        self.assertEqual(status, 200, answer)
        self.check_cut(talk)
        talk = self.session("another one 7")
        self.msad.msactl("account", "import", "-", "--replace", stdin=f"{TARO}:{{PLAIN}}another one 8\n")
        self.check_cut(talk)
        talk = self.session("another one 8")
        self.msad.msactl("account", "disable", TARO)
        self.check_cut(talk)
        self.msad.msactl("account", "enable", TARO)
        talk = self.session("another one 8")
        self.msad.msactl("account", "remove", TARO)
        self.check_cut(talk)
        self.assertEqual(hana.ask("NOOP"), 250)

    def test_msactl_makes_lists_and_takes_back(self):
        self.start()
        made = self.msad.ctl_json("app-password", "add", TARO, "phone", "--scope", "smtp,pop")
        self.assertEqual(self.mail_code(TARO, made["password"])[0], 235)
        listed = self.msad.msactl("app-password", "list", TARO).stdout
        self.assertIn("phone", listed)
        self.assertIn("smtp,pop", listed)
        self.msad.msactl("app-password", "remove", TARO, made["id"], "--why", "lost")
        self.assertEqual(self.mail_code(TARO, made["password"])[0], 535)


class Totp(Factors):
    """The clock stands at a time that a test sets, so that no code grows old on a slow machine."""

    def start(self, **blocks):
        self.clock = clock.Clock(self.directory)
        super().start(clock=self.clock, **blocks)

    def code(self, secret, away=0):
        step = int(self.clock.now_s() // 30) + away
        mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
        at = mac[-1] & 15
        return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1_000_000:06}"

    def fresh(self):
        """The first second of a step behind all that was used."""
        self.clock.set((self.clock.now_s() // 30 + 3) * 30 + 1)

    def switch_on(self, taro):
        self.fresh()
        status, begun = taro.call("POST", "/accounts/me/totp", {})
        self.assertEqual(status, 200, begun)
        self.assertEqual({len(row) for row in begun["qr"]}, {len(begun["qr"])})
        self.assertIn(f"secret={begun['secret']}&", begun["uri"])
        self.customer()  # not before it is confirmed
        self.assertEqual(taro.call("PUT", "/accounts/me/totp", {"code": "12345"})[0], 422)
        status, done = taro.call("PUT", "/accounts/me/totp", {"code": self.code(begun["secret"])})
        self.assertEqual((status, len(done["recovery_codes"])), (200, 8))
        return begun["secret"], done["recovery_codes"]

    def refusal(self, **body):
        status, problem = self.browser().call("POST", "/session", {"login": TARO, **body})
        self.assertEqual(status, 401)
        return problem["type"].rsplit(":", 1)[1]

    def test_a_page_asks_for_a_code_behind_the_right_password_and_takes_it_once(self):
        self.start()
        secret, recovery = self.switch_on(self.customer())
        self.fresh()
        code = self.code(secret)
        self.assertEqual(self.refusal(password=RIGHT), "code-needed")
        self.assertEqual(self.refusal(password="wrong"), "sign-in")
        self.assertEqual(self.refusal(password="wrong", code=code), "sign-in")
        browser = self.browser()
        self.assertEqual(browser.sign_in(login=TARO, password=RIGHT, code=code), 201)
        self.assertEqual(browser.call("GET", "/accounts/me")[1]["totp"], True)
        self.assertEqual(self.refusal(password=RIGHT, code=code), "code-needed")
        self.assertEqual(self.browser().sign_in(login=TARO, password=RIGHT, code=recovery[0]), 201)
        self.assertEqual(self.refusal(password=RIGHT, code=recovery[0]), "code-needed")
        self.assertEqual(self.mail_code(TARO, RIGHT)[0], 235)  # mail programs cannot be asked

    def test_a_customer_needs_a_code_to_switch_it_off_and_the_desk_a_reason(self):
        self.start()
        taro, desk = self.customer(), self.bearer("support")
        secret, recovery = self.switch_on(taro)
        self.assertEqual(taro.call("POST", "/accounts/me/totp", {})[0], 409)
        self.assertEqual(taro.call("DELETE", "/accounts/me/totp")[0], 422)
        self.assertEqual(taro.call("DELETE", "/accounts/me/totp?code=12345x")[0], 422)
        self.assertEqual(self.refusal(password=RIGHT), "code-needed")
        self.fresh()
        self.assertEqual(taro.call("DELETE", f"/accounts/me/totp?code={self.code(secret)}")[0], 200)
        self.customer()
        _, recovery = self.switch_on(taro)
        self.assertEqual(taro.call("DELETE", f"/accounts/me/totp?code={recovery[3]}")[0], 200)
        self.switch_on(taro)
        self.assertEqual(desk.call("DELETE", f"/accounts/{TARO}/totp")[0], 422)
        self.assertEqual(desk.call("DELETE", f"/accounts/{TARO}/totp?why=lost+telephone")[0], 200)
        self.customer()
        self.switch_on(taro)
        self.msad.msactl("totp", "off", TARO, "--why", "lost telephone")
        self.customer()

    def test_wrong_codes_lock_as_wrong_passwords_do(self):
        self.start(more=GUESSES)
        secret, _ = self.switch_on(self.customer())
        self.fresh()
        right = self.code(secret)
        wrong = [c for c in (f"{i:06}" for i in range(12)) if c not in {self.code(secret, i) for i in (-1, 0, 1)}]
        stranger = self.browser("127.0.77.1")
        for code in wrong[:5]:
            self.assertEqual(stranger.sign_in(login=TARO, password=RIGHT, code=code), 401)
        status, problem = stranger.call("POST", "/session", {"login": TARO, "password": RIGHT, "code": right})
        self.assertEqual((status, problem["type"]), (401, "urn:msad:problem:sign-in"))  # nor is a code asked for
        self.fresh()
        self.assertEqual(self.browser().sign_in(login=TARO, password=RIGHT, code=self.code(secret)), 201)

    def test_what_is_kept_shows_no_secret(self):
        self.start()
        taro = self.customer()
        secret, recovery = self.switch_on(taro)
        _, made = taro.call("POST", "/accounts/me/app-passwords", PHONE)
        [path] = glob.glob(f"{self.msad.directory}/**/accounts.mdb", recursive=True)
        with open(path, "rb") as file:
            kept = file.read()
        for text in (base64.b32decode(secret), secret.encode(), made["password"].encode(),
                     made["password"].replace("-", "").encode(), *(r.encode() for r in recovery),
                     *(r.replace("-", "").encode() for r in recovery)):
            self.assertNotIn(text, kept)
        self.assertIn(PHONE["name"].encode(), kept)
