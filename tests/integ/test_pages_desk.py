"""The support desk's page, in a real browser: who is shut out, why, and the way back."""

import guarded
from pages import PageCase, SCREENS
import harness
import os

VICTIM = "victim@example.test"


class Desk(PageCase):
    def start_guarded(self):
        self.smarthost = self.sink()
        self.http, self.https = harness.free_port(), harness.free_port()
        self.msad = self.stop_later(guarded.Guarded(
            self.directory, self.smarthost.port, logins=[VICTIM, "hana@example.test"],
            console=f"http 127.0.0.1:{self.http}; https 127.0.0.1:{self.https};"))

    def get_suspended(self):
        for country in ("JP", "US", "BR", "RU"):
            talk, code = self.msad.sign_in(VICTIM, guarded.address(country))
            if code == 235:
                guarded.send(talk, VICTIM, guarded.recipients(2))
            talk.close()
        self.assertTrue(self.msad.suspension(VICTIM))

    def test_support_finds_who_is_suspended_reads_why_and_releases(self):
        self.start_guarded()
        self.get_suspended()
        for language, words in (("en", ("Support desk", "Release", "Why", "is released")), ("ja", ("サポート窓口", "解除", "理由", "解除しました"))):
            title, release, why, said = words
            b = self.open(language)
            self.sign_in_as(b, "support")
            b.has_text(title)
            b.has_text(VICTIM, "#standing")
            b.click("#standing .list a")
            b.has_text("four-countries", "#chosen")
            b.find("#chosen svg.map")
            b.find("#chosen ol.timeline")
            self.check(b, "desk")
            self.picture(b, f"desk-{language}")
            if language == "en":
                self.press_cancel(b)
                continue
            b.click("#release")
            b.has_text(why, "dialog")
            b.type("dialog textarea", "本人に確認、パスワード変更済み")
            b.picture(os.path.join(SCREENS, "desk-release-ja-desktop.png"), whole=False)
            b.click("dialog button.main")
            b.has_text(said, ".said")
            b.gone("#release")
            b.has_text("本人に確認、パスワード変更済み", "#chosen")
        self.assertIsNone(self.msad.suspension(VICTIM))
        talk, code = self.msad.sign_in(VICTIM, guarded.address("JP"))
        self.assertEqual(code, 235)
        talk.close()

    def press_cancel(self, b):
        """A dialog that is left changes nothing, by the keyboard, too."""
        b.click("#release")
        b.find("dialog")
        b.keys("\ue00c")  # Escape
        b.gone("dialog")
        self.assertTrue(self.msad.suspension(VICTIM))

    def test_an_account_is_found_and_suspended_by_hand(self):
        self.start_guarded()
        b = self.open("ja", expects=("404",))
        self.sign_in_as(b, "support")
        b.type("#find", "nobody@example.test")
        b.click("form[role=search] button")
        b.has_text("nobody@example.test というアカウントはありません", "#chosen")
        b.type("#find", "hana@example.test")
        b.click("form[role=search] button")
        b.has_text("hana@example.test", "#chosen h2")
        b.click("#suspend")
        b.type("dialog textarea", "<script>alert(1)</script>")
        b.click("dialog button.bad")
        b.has_text("停止しました", ".said")
        b.has_text("<script>alert(1)</script>", "#chosen")  # as text
        self.picture(b, "desk-account-ja")
        talk, code = self.msad.sign_in("hana@example.test", guarded.address("JP"))
        self.assertEqual(code, 535)
        talk.close()

    def test_every_kind_of_restriction_has_words_in_both_languages(self):
        self.start_guarded()
        b = self.open("ja")
        self.sign_in_as(b, "support")
        kinds = ["suspended", "locked", "held", "limited", "overseas", "locked-by-owner"]
        missing = b.run_async("import('/desk/texts.js').then((m) => done(%r.filter((k) => !Object.values(m.default).every("
                              "(words) => words[`kind_${k}`]))))" % kinds)
        self.assertEqual(missing, [])
