"""The customer's own page, in a real browser."""

import base64
import hmac
import os
import smtplib
import time

from api import TARO
from pages import ABROAD, HOME, SCREENS, PageCase

ENTER = "\ue007"


class Me(PageCase):
    def test_it_speaks_english_and_works_by_keyboard_alone(self):
        """Nothing but letters, Tab, Enter and Space, from signing in to signing out."""
        self.start(auth="failure_delay 0s;")
        b = self.open("en")
        self.go_first(b)
        self.picture(b, "sign-in-en")
        self.tab_to(b, "login")
        b.keys(*TARO)
        self.tab_to(b, "password")
        b.keys(*self.msad.accounts[TARO], ENTER)
        b.settle()
        b.has_text("Block from overseas")
        asked = b.run("return performance.getEntriesByType('resource').filter((e) => /\\/accounts\\/[^/]+$/.test(e.name)).length")
        self.assertEqual(asked, 1, "the account is looked at once")
        self.tab_to(b, "overseas")
        b.keys(" ")
        b.has_text("Mail from overseas is blocked now.", ".said")
        self.assertFalse(self.sends(ABROAD))
        self.tab_to(b, "Make one")
        b.keys(ENTER)
        b.find("dialog input[name=name]")
        self.tab_to(b, "name")
        b.keys(*"printer")
        self.tab_to(b, "imap")
        b.keys(" ")
        self.tab_to(b, "Make one")
        b.keys(ENTER)
        printer = b.text("#made")
        self.tab_to(b, "I have entered it")
        b.keys(ENTER)
        b.has_text("printer", "#devices")
        b.gone("dialog")
        self.assertTrue(self.sends(HOME, password=printer))
        self.assertEqual([a["scopes"] for a in self.msad.ctl_json("app-password", "list", TARO)["app_passwords"]],
                         [["smtp", "pop"]])
        self.check(b, "me")
        self.picture(b, "me-en")
        self.tab_to(b, "Sign out")
        b.keys(ENTER)
        b.has_text("Mail address")

    def test_a_wrong_password_is_said_and_what_a_page_says_is_text(self):
        self.start(auth="failure_delay 0s;")
        b = self.open("ja", expects=("401",))
        b.go(f"https://127.0.0.1:{self.https}/")
        b.type("#login", TARO)
        b.type("#password", "<img src=x onerror=alert(1)>")
        b.click("#sign-in button")
        b.has_text("サインインできません", "#wrong")
        self.picture(b, "sign-in-ja")

    def test_a_refusal_is_said_in_the_language_of_the_page(self):
        self.start(auth="failure_delay 0s;")
        b = self.open("ja", expects=("403", "422"))
        self.sign_in(b)
        b.press("パスワードを変更", "#password-card button")
        for current, chosen, words in (("wrong one", "longer than eight", "これまでのパスワードが違うか"),
                                       (self.msad.accounts[TARO], self.msad.accounts[TARO], "これまでのパスワードと同じです")):
            b.run("for (const i of document.querySelectorAll('dialog input')) i.value = ''")
            for name, text in (("current", current), ("password", chosen), ("again", chosen)):
                b.type(f"dialog input[name={name}]", text)
            b.click("dialog button.main")
            b.has_text(words, "dialog .note")
            self.assertNotIn("password", b.text("dialog .note"))

    def test_what_a_client_calls_itself_is_shown_as_text(self):
        self.start(auth="failure_delay 0s;")
        evil = "<script>alert(1)</script>"
        client = smtplib.SMTP("127.0.0.1", self.msad.port, timeout=20, source_address=(ABROAD, 0), local_hostname="x")
        client.starttls(context=self.msad.trust())
        client.ehlo(evil)
        client.login(TARO, self.msad.accounts[TARO])
        client.close()
        b = self.open("ja")
        self.sign_in(b)
        b.has_text("ブラジル", "#sign-ins")
        b.has_text("<script>", "#sign-ins")
        self.assertEqual(b.run("return document.querySelectorAll('main script').length"), 0)
        self.picture(b, "me-sign-ins-ja")

    def test_a_device_gets_a_password_of_its_own(self):
        self.start(auth="failure_delay 0s;")
        b = self.open("en")
        self.sign_in(b)
        made = self.make_app_password(b, "office printer", "Make one", "I have entered it")
        main, self.msad.accounts[TARO] = self.msad.accounts[TARO], made
        self.assertTrue(self.sends(HOME))
        self.picture(b, "me-devices-en")
        self.msad.accounts[TARO] = main
        b.click("#only-apps")
        b.has_text("Saved.", ".said")
        self.assertFalse(self.sends(HOME), "the main password in a mail program")
        b.press("Remove the app password for office printer?")
        b.press("Remove", "dialog button")
        b.has_text("no longer works", ".said")
        self.msad.accounts[TARO] = made
        self.assertFalse(self.sends(HOME), "the password of a device that is gone")
        self.check_access(b, "me")

    def test_a_code_is_asked_for_when_the_second_factor_is_on(self):
        self.start(auth="failure_delay 0s;")
        b = self.open("en", expects=("401",))
        self.sign_in(b)
        b.click("#factor button")
        key = b.text("#totp-key")
        b.find("svg.qr")
        b.picture(os.path.join(SCREENS, "me-totp-en-desktop.png"), whole=False)
        b.type("dialog input[name=code]", totp(key))
        b.click("dialog button.main")
        b.has_text("Codes for an emergency", "dialog")
        code = b.run("return document.querySelector('.codes li').textContent")
        b.press("I have kept them", "dialog button")
        b.has_text("Two-step sign-in is on.", ".said")
        b.press("Sign out")
        b.type("#login", TARO)
        b.type("#password", self.msad.accounts[TARO])
        b.click("#sign-in button")
        b.has_text("Now the code", "#wrong")
        b.type("#code", code)
        b.click("#sign-in button")
        b.settle()
        b.has_text("Security of your mail")


def totp(key, now=None):
    """RFC 6238, as an app on a phone computes it."""
    secret = base64.b32decode(key.replace(" ", "") + "=" * (-len(key.replace(" ", "")) % 8))
    digest = hmac.digest(secret, int((time.time() if now is None else now) // 30).to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7fffffff) % 1000000:06d}"
