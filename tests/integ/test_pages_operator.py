"""The operator's page, in a real browser."""

import harness
from api import TARO
from pages import PageCase


class Operator(PageCase):
    def send(self):
        client = self.msad.client(TARO)
        client.sendmail(TARO, ["friend@elsewhere.test"], f"From: {TARO}\r\nSubject: hello\r\n\r\nhello\r\n")
        client.quit()

    def test_it_shows_what_the_server_does(self):
        self.start()
        self.send()
        for language, word in (("ja", "運用"), ("en", "Operation")):
            b = self.open(language)
            self.sign_in_as(b, "operator")
            b.go(f"https://127.0.0.1:{self.https}/operator/")
            b.settle()
            b.has_text(word, "h1")
            b.has_text("main", "#pools")
            b.has_text("relay 0", "#processes")
            for count in range(1, 6):  # a page that is looked at again asks at once
                for _ in range(count):
                    self.send()
                turns = b.run("return window.performance.getEntriesByName(location.origin + '/api/v1/status').length")
                b.run("document.dispatchEvent(new Event('visibilitychange'))")
                harness.wait_for(lambda: b.run("return performance.getEntriesByName(location.origin + '/api/v1/status').length")
                                 > turns, "another status")
            b.find("#charts svg.chart path.one")
            b.has_text({"ja": "1日あたりの検出アカウント数", "en": "Accounts detected per day"}[language])
            self.msad.msactl("account", "suspend", TARO, "--note", "asked for by telephone")
            b.has_text("asked for by telephone", "#events")
            found = self.msad.ctl_json("restriction", "list")["restrictions"][0]["id"]
            self.msad.msactl("restriction", "release", found, "--note", "called, password changed")
            b.has_text("called, password changed", "#events")
            b.click("#config-show")
            b.has_text("msad.conf:1", "#config")
            self.check(b, "operator")
            self.picture(b, f"operator-{language}")

    def test_a_reload_is_asked_for_with_a_reason(self):
        self.start()
        b = self.open("en")
        self.sign_in_as(b, "operator")
        b.go(f"https://127.0.0.1:{self.https}/operator/")
        b.click("#reload")
        b.type("dialog input", "a new certificate")
        b.click("dialog button.main")
        b.has_text("The new configuration is in force.", ".said")
        self.msad.wait_for_event("reload-taken")

    def test_support_is_not_let_in(self):
        self.start()
        b = self.open("en")
        self.sign_in_as(b, "support")
        b.go(f"https://127.0.0.1:{self.https}/operator/")
        b.has_text("Support desk", "h1")
