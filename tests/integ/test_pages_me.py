"""The customer's own page, in a real browser."""

import base64
import hmac
import os
import smtplib
import time

from api import TARO
from pages import ABROAD, HOME, SCREENS, PageCase


class Me(PageCase):
    def submit(self, source):
        """Whether a mail program at `source` can send."""
        client = smtplib.SMTP("127.0.0.1", self.msad.port, timeout=20, source_address=(source, 0))
        try:
            client.starttls(context=self.msad.trust())
            client.login(TARO, self.msad.accounts[TARO])
            client.sendmail(TARO, ["friend@elsewhere.test"], f"From: {TARO}\r\nSubject: hello\r\n\r\nhello\r\n")
            return True
        except smtplib.SMTPAuthenticationError:
            return False
        finally:
            client.close()

    def test_the_block_is_switched_on_and_obeyed(self):
        self.start(auth="failure_delay 0s;")
        self.assertTrue(self.submit(ABROAD))
        b = self.open("ja")
        self.sign_in(b)
        b.has_text("海外送受信拒否")
        b.click("#overseas")
        b.has_text("海外からの送受信を拒否します。", ".said")
        self.assertFalse(self.submit(ABROAD))
        self.assertTrue(self.submit(HOME))
        # a journey: the same country works again
        b.press("追加")
        b.choose("dialog select", "BR")
        b.press("追加", "dialog button")
        b.gone("dialog")
        b.has_text("ブラジル", "#journeys-card")
        self.assertTrue(self.submit(ABROAD))
        self.check(b, "me")
        self.picture(b, "me-ja")
        b.press("ブラジルを削除")
        b.has_text("削除しました。", ".said")
        self.assertFalse(self.submit(ABROAD))

    def test_it_speaks_english_and_works_by_keyboard_alone(self):
        self.start()
        b = self.open("en")
        b.go(f"https://127.0.0.1:{self.https}/")
        self.picture(b, "sign-in-en")
        b.find("#login")
        b.keys(*TARO, "\ue004", *self.msad.accounts[TARO], "\ue007")  # Tab, Enter
        b.settle()
        b.has_text("Block from overseas")
        for _ in range(12):  # Tab to the switch
            if b.run("return document.activeElement.id") == "overseas":
                break
            b.keys("\ue004")
        b.keys(" ")
        b.has_text("Mail from overseas is blocked now.", ".said")
        self.check(b, "me")
        self.picture(b, "me-en")
        b.press("Sign out")
        b.has_text("Mail address")

    def test_a_wrong_password_is_said_and_what_a_page_says_is_text(self):
        self.start(auth="failure_delay 0s;")
        b = self.open("ja")
        b.go(f"https://127.0.0.1:{self.https}/")
        b.type("#login", TARO)
        b.type("#password", "<img src=x onerror=alert(1)>")
        b.click("#sign-in button")
        b.has_text("サインインできません", "#wrong")
        self.picture(b, "sign-in-ja")
        self.assertEqual([c for c in b.complaints() if "401" not in c], [])

    def test_who_signed_in_is_shown_as_text_and_not_me_ends_it(self):
        self.start(auth="failure_delay 0s;")
        evil = "<script>alert(1)</script>"
        thief = smtplib.SMTP("127.0.0.1", self.msad.port, timeout=20, source_address=(ABROAD, 0), local_hostname="x")
        thief.starttls(context=self.msad.trust())
        thief.ehlo(evil)
        thief.login(TARO, self.msad.accounts[TARO])
        b = self.open("ja")
        self.sign_in(b)
        b.has_text("ブラジル", "#sign-ins")
        self.assertEqual(b.run("return document.querySelectorAll('main script').length"), 0)
        self.picture(b, "me-sign-ins-ja")
        b.press("心当たりがない")
        b.press("今すぐロックする", "dialog button")
        b.has_text("アカウントをロックしました", ".said")
        self.assertEqual(thief.noop()[0], 421)
        thief.close()
        b.type("dialog input[name=current]", self.msad.accounts[TARO])
        b.type("dialog input[name=password]", "a better password 42")
        b.type("dialog input[name=again]", "a better password 42")
        b.click("dialog button.main")
        b.gone("dialog")
        self.assertFalse(self.submit(HOME), "the old password")
        self.msad.accounts[TARO] = "a better password 42"
        self.assertTrue(self.submit(HOME))

    def test_a_device_gets_a_password_of_its_own(self):
        self.start(auth="failure_delay 0s;")
        b = self.open("en")
        self.sign_in(b)
        b.press("Make one")
        b.type("dialog input[name=name]", "office printer")
        b.click("dialog button.main")
        made = b.text("#made")
        b.press("I have entered it", "dialog button")
        b.has_text("office printer", "#devices")
        main, self.msad.accounts[TARO] = self.msad.accounts[TARO], made
        self.assertTrue(self.submit(HOME))
        self.picture(b, "me-devices-en")
        self.msad.accounts[TARO] = main
        b.click("#only-apps")
        b.has_text("Saved.", ".said")
        self.assertFalse(self.submit(HOME), "the main password in a mail program")
        b.press("Remove the app password for office printer?")
        b.press("Remove", "dialog button")
        b.has_text("no longer works", ".said")
        self.msad.accounts[TARO] = made
        self.assertFalse(self.submit(HOME), "the password of a device that is gone")
        self.check_access(b, "me")

    def test_a_code_is_asked_for_when_the_second_factor_is_on(self):
        self.start(auth="failure_delay 0s;")
        b = self.open("en")
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
