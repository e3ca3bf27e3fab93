"""The whole story, as people live it: a customer guards his mail at his page, in a real browser; his mail programs send
through msad and read from a real Dovecot, at home and abroad; a thief comes; the desk helps who was shut out."""

import smtplib

import dovecot
import harness
from api import HANA, TARO
from pages import ABROAD, HOME, PageCase

ELSEWHERE = "127.1.0.1"  # the United States of the loopback country database
RULES = ("rule roaming { count countries; per account; within 1d; limit 3; then suspend; "
         'because "signed in from three countries within a day"; } ')
NEW_PASSWORD = "a better password 42"


class Story(PageCase):
    def start(self):
        policy_port = harness.free_port()
        super().start(more=RULES, auth="failure_delay 0s;", console=f"auth_policy 127.0.0.1:{policy_port};")
        self.mailbox = self.stop_later(dovecot.Dovecot(self.directory, policy_port, None))

    def check_mail(self, source, works, login=TARO, password=None):
        """Sending, IMAP and POP3 from there: all of them, or none."""
        password = password or self.msad.accounts[login]
        self.assertEqual((self.sends(source, login, password), self.mailbox.sign_in(login, password, source),
                          self.mailbox.sign_in_pop(login, password, source)), (works,) * 3, source)

    def at_his_page(self):
        b = self.open("ja")
        self.sign_in(b)
        return b

    def test_a_customer_blocks_overseas_use_and_travels(self):
        self.start()
        self.check_mail(ABROAD, True)
        b = self.at_his_page()
        b.has_text("海外送受信拒否")
        b.click("#overseas")
        b.has_text("海外からの送受信を拒否します。", ".said")
        self.check_mail(ABROAD, False)
        self.check_mail(HOME, True)
        b.press("追加")  # a journey
        b.choose("dialog select", "BR")
        b.press("追加", "dialog button")
        b.gone("dialog")
        b.has_text("ブラジル", "#journeys-card")
        self.check_mail(ABROAD, True)
        self.check_mail(ELSEWHERE, False)
        self.check(b, "me")
        self.picture(b, "me-ja")
        b.press("ブラジルを削除")
        b.has_text("削除しました。", ".said")
        self.check_mail(ABROAD, False)

    def test_that_was_not_me_ends_the_thief_and_a_new_password_brings_the_owner_back(self):
        self.start()
        thief = smtplib.SMTP("127.0.0.1", self.msad.port, timeout=harness.WAIT_S, source_address=(ABROAD, 0))
        self.addCleanup(thief.close)
        thief.starttls(context=self.msad.trust())
        thief.login(TARO, self.msad.accounts[TARO])
        b = self.at_his_page()
        b.has_text("ブラジル", "#sign-ins")
        b.press("心当たりがない")
        b.press("今すぐロックする", "dialog button")
        b.has_text("アカウントをロックしました", ".said")
        self.assertEqual(thief.noop()[0], 421)
        self.check_mail(HOME, False)
        b.type("dialog input[name=current]", self.msad.accounts[TARO])
        b.type("dialog input[name=password]", NEW_PASSWORD)
        b.type("dialog input[name=again]", NEW_PASSWORD)
        b.click("dialog button.main")
        b.gone("dialog")
        self.check_mail(HOME, False, password=self.msad.accounts[TARO])
        self.check_mail(HOME, True, password=NEW_PASSWORD)

    def test_a_mail_program_uses_an_app_password_and_the_page_shows_from_where(self):
        self.start()
        b = self.at_his_page()
        phone = self.make_app_password(b, "スマートフォン", "作成", "入力しました")
        b.has_text("なし", "#devices")
        for use, place in ((self.sends, HOME), (self.reads, ABROAD)):
            self.assertTrue(use(place, TARO, phone))
            self.wait_for_use({HOME: "JP", ABROAD: "BR"}[place])
        b.go(b.url())
        b.settle()
        b.has_text("ブラジル", "#devices")
        self.check_mail(HOME, True, password=phone)
        session = smtplib.SMTP("127.0.0.1", self.msad.port, timeout=harness.WAIT_S)
        self.addCleanup(session.close)
        session.starttls(context=self.msad.trust())
        session.login(TARO, phone)
        b.press("スマートフォン のアプリ パスワードを削除しますか")
        b.press("削除", "dialog button")
        b.has_text("使えなくなりました", ".said")
        self.assertEqual(session.noop()[0], 421)
        self.check_mail(HOME, False, password=phone)

    def reads(self, source, login, password):
        return self.mailbox.sign_in(login, password, source)

    def wait_for_use(self, country):
        """It is written behind the answer."""
        def last():
            found, = self.msad.ctl_json("app-password", "list", TARO)["app_passwords"]
            return found["used_from"] == country
        harness.wait_for(last, f"the use from {country} to be written")

    def test_the_desk_lets_in_whom_a_rule_shut_out(self):
        self.start()
        for source in (HOME, ABROAD, ELSEWHERE):
            self.sends(source, HANA)
        self.check_mail(HOME, False, HANA)
        b = self.open("ja")
        self.sign_in_as(b, "support")
        b.has_text(HANA, "#standing")
        b.click("#standing .list a")
        for word in ("roaming", "日本", "ブラジル", "アメリカ"):
            b.has_text(word, "#chosen")
        b.click("#release")
        b.type("dialog textarea", "本人に確認")
        b.click("dialog button.main")
        b.has_text("解除しました", ".said")
        self.check_mail(HOME, True, HANA)
