"""What the tests of pages share: a msad with pages and countries, browsers, pictures, and the check that all must pass."""

import os
import smtplib
import unittest

import browser
import harness
import shared_data
from api import ApiCase, TARO

SCREENS = os.path.join(harness.BUILD, "screens")
FIRST_LOAD_MAX = 100 * 1024
HOME, ABROAD = "127.0.0.1", "127.4.0.1"  # JP and BR of the loopback country database


class PageCase(ApiCase):
    @classmethod
    def setUpClass(cls):
        if browser.missing():
            raise unittest.SkipTest(f"NOT TESTED: {browser.missing()}")

    def start(self, more="", **blocks):
        country = os.path.join(self.directory, "country.mmdb")
        with open(shared_data.path("mmdb/loopback-country.mmdb"), "rb") as old, open(country, "wb") as new:
            new.write(old.read())
        os.chmod(country, 0o644)
        super().start(more=f"geo {{ country {country}; }} rules {{ home JP; }} {more}", **blocks)

    def open(self, language="ja", expects=(), **options):
        """expects: words of the complaints that the browser may have, each a refusal that the test asks for."""
        b = self.stop_later(browser.Browser(self.directory, language, **options))
        self.addCleanup(self.check_complaints, b, expects)
        return b

    def check_complaints(self, b, expects=()):
        self.assertEqual([c for c in b.complaints() if not any(word in c for word in expects)], [])

    def go_first(self, b):
        """To the page where everybody begins, with an empty cache: what comes over the wire now is the first load's."""
        b.go(f"https://127.0.0.1:{self.https}/")
        b.find("#login")
        b.first_bytes = b.bytes_loaded()

    def sign_in(self, b, login=TARO, password=None):
        self.go_first(b)
        b.type("#login", login)
        b.type("#password", password or self.msad.accounts[login])
        b.click("#sign-in button")
        b.settle()

    def make_app_password(self, b, name, make, noted):
        """As the page shows it, once; the last two are the words on its buttons."""
        b.press(make)
        b.type("dialog input[name=name]", name)
        b.click("dialog button.main")
        made = b.text("#made")
        b.press(noted, "dialog button")
        b.has_text(name, "#devices")
        return made

    def sends(self, source, login=TARO, password=None):
        """Whether a mail program at `source` can send."""
        client = smtplib.SMTP("127.0.0.1", self.msad.port, timeout=harness.WAIT_S, source_address=(source, 0))
        try:
            client.starttls(context=self.msad.trust())
            client.login(login, password or self.msad.accounts[login])
            client.sendmail(login, ["friend@elsewhere.test"], f"From: {login}\r\nSubject: hello\r\n\r\nhello\r\n")
            return True
        except smtplib.SMTPAuthenticationError:
            return False
        finally:
            client.close()

    def sign_in_as(self, b, role):
        self.go_first(b)
        b.click("summary")
        b.type("#token", self.token(role))
        b.click("#staff button")
        b.settle()

    def picture(self, b, name):
        """Desktop and phone."""
        b.picture(os.path.join(SCREENS, f"{name}-desktop.png"))
        b.phone()
        b.picture(os.path.join(SCREENS, f"{name}-phone.png"))
        width = b.run("return [document.documentElement.scrollWidth, innerWidth]")
        b.phone(False)
        self.assertLessEqual(width[0], width[1], f"{name}: a phone would have to scroll sideways")

    def check(self, b, name):
        """No complaint of the browser, nothing loaded from elsewhere, a small first load, nothing that shuts people out."""
        self.check_complaints(b)
        self.assertGreater(b.first_bytes, 1000, "the first page was looked at")
        self.assertLess(b.first_bytes + b.bytes_loaded(), FIRST_LOAD_MAX, name)
        elsewhere = b.run("return performance.getEntriesByType('resource').map((e) => e.name)"
                          ".filter((u) => !u.startsWith(location.origin))")
        self.assertEqual(elsewhere, [], name)
        self.check_access(b, name)

    def tab_to(self, b, words):
        """Tab until the focus is at what has this name or id; wherever it stops on the way, it is seen."""
        passed = []
        for _ in range(80):
            b.keys("\ue004")
            name, is_seen = b.run(
                "const e = document.activeElement, s = getComputedStyle(e);"
                "return [[e.id, e.getAttribute('aria-label'), e.innerText, e.name].filter(Boolean).map((n) => n.trim()),"
                " e === document.body || e.matches(':focus-visible') && "
                "(s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2)]")
            self.assertTrue(is_seen, f"the focus at {name} is seen")
            passed.append(name)
            if words in name:
                return
        self.fail(f"Tab does not lead to {words}: {passed}")

    def check_access(self, b, name):
        """axe-core finds nothing in either colour scheme."""
        path = os.path.join(harness.BUILD, "axe/node_modules/axe-core/axe.min.js")
        if not os.path.exists(path):
            self.skipTest(f"NOT TESTED: {path} is not there (make deps-test fetches it from npm)")
        with open(path, encoding="utf-8") as file:
            script = file.read()
        for scheme in ("light", "dark"):
            b.scheme(scheme)
            b.run(script + "\n;window.axe = axe;")
            found = b.run_async("axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations.map((v) => "
                                "`${v.id}: ${v.nodes.map((n) => n.target.join(' ') + ' ' + n.failureSummary).slice(0, 4).join('; ')}`)))")
            self.assertEqual(found, [], f"{name}, {scheme}")
        b.scheme("light")
