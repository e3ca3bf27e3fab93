"""The customer's own page, in a real browser."""

import smtplib

from api import TARO
from pages import ABROAD, HOME, PageCase


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
