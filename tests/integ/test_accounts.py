"""The support desk: settings of accounts, who looked at them, what they change for a session."""

import http.client
import json
import os
import shutil
import smtplib
import socket

import harness
import msad as m
import shared_data

TARO, HANA = "taro@example.test", "hana@example.test"
ABROAD = "rules { home JP; } geo { place US { networks 127.0.0.0/8; } } "
BUSINESS = """rule busy { count messages; per account; within 1h; limit 2; when { classes business; } then defer; } """


class AccountCase(harness.Case):
    def start(self, **blocks):
        self.smarthost = self.sink()
        self.msad = self.stop_later(m.Msad(self.directory, self.smarthost.port, **blocks))

    def set(self, login, *options):
        return self.msad.ctl_json("account", "set", login, *options)

    def settings(self, login):
        return self.msad.ctl_json("account", "show", login)["settings"]

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def post(self, op, arguments):
        """(status, answer) of an operation, without msactl."""
        body = json.dumps(arguments).encode()
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(harness.WAIT_S)
            s.connect(os.path.join(self.msad.directory, "run/console.sock"))
            s.sendall(f"POST /api/v1/{op} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = http.client.HTTPResponse(s)
            answer.begin()
            return answer.status, json.loads(answer.read())

    def refused(self, *arguments, code=1):
        run = self.msad.msactl(*arguments, check=False)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run.stderr

    def can_sign_in(self, user, password=None):
        """True, or the reply."""
        try:
            self.msad.client(user, password).quit()
        except smtplib.SMTPAuthenticationError as error:
            return error.smtp_code, error.smtp_error
        return True


class Settings(AccountCase):
    def test_what_is_set_is_shown_and_outlives_a_crash(self):
        self.start(more=BUSINESS)
        now = self.set("TARO@example.test", "--class", "business", "--overseas", "block", "--home", "JP,US",
                       "--travel", "FR:2026-12-01..2026-12-10", "--limit", "busy=7", "--sender", "@alias.test",
                       "--consent", "no", "--language", "en", "--note", "asked on the telephone")
        self.msad.kill()
        self.msad.start()
        shown = self.settings(TARO)
        self.assertEqual(shown, now)
        self.assertEqual((shown["login"], shown["class"], shown["overseas"], shown["home"], shown["limits"],
                          shown["senders"], shown["consent"], shown["notice_language"], shown["note"]),
                         (TARO, "business", "block", ["JP", "US"], {"busy": 7}, ["@alias.test"], "no", "en",
                          "asked on the telephone"))
        self.assertEqual([e["country"] for e in shown["exceptions"]], ["FR"])
        self.set(TARO, "--no-travel", "all", "--limit", "busy=default", "--no-sender", "@alias.test",
                 "--overseas", "default", "--class", "")
        shown = self.settings(TARO)
        self.assertEqual((shown["exceptions"], shown["limits"], shown["senders"], shown["class"]), ([], {}, [], ""))

    def test_mistakes_are_told_and_change_nothing(self):
        self.start(more=BUSINESS)
        self.assertIn("did you mean 'business'", self.refused("account", "set", TARO, "--class", "busines"))
        self.assertIn("busy", self.refused("account", "set", TARO, "--limit", "bussy=1"))
        self.assertIn("country", self.refused("account", "set", TARO, "--home", "Japan"))
        self.refused("account", "set", "nobody@example.test", "--note", "x")
        self.refused("account", "set", TARO, "--travel", "FR:tomorrow", code=2)
        self.refused("account", "set", TARO, code=2)
        self.assertEqual(self.settings(TARO)["changed_ms"], 0)

    def test_nobody_brings_an_account_along_that_is_not_of_the_login(self):
        self.start()
        hana = self.msad.ctl_json("account", "show", HANA)["id"]
        forged = {"account": hana, "created_ms": 1, "accounts": [{"account": hana, "login": HANA}], "missing": []}
        self.assertEqual(self.post("settings.set", {**forged, "login": TARO, "note": "x"})[1]["login"], TARO)
        self.assertEqual(self.post("settings.show", {**forged, "login": TARO})[1]["login"], TARO)
        self.assertEqual(self.post("settings.show", forged)[0], 400)
        self.assertEqual(self.post("settings.set-many", {**forged, "set": {"note": "x"}})[0], 400)
        code, done = self.post("settings.set-many", {**forged, "logins": [TARO, "x"], "set": {"note": "y"}})
        self.assertEqual((code, done["logins"], done["missing"]), (200, [TARO], ["x"]))
        self.assertEqual(self.post("settings.set-many", {"logins": "taro", "set": {}})[0], 400)
        self.assertEqual(self.settings(HANA)["note"], "")

    def test_a_class_brings_its_rules_and_an_own_limit_lifts_them(self):
        self.start(more=BUSINESS)
        self.set(TARO, "--class", "business")
        with self.msad.client(TARO) as client:
            for _ in range(2):
                client.sendmail(TARO, ["a@example.com"], "Subject: x\n\nx\n")
            with self.assertRaises(smtplib.SMTPException):
                client.sendmail(TARO, ["a@example.com"], "Subject: x\n\nx\n")
        self.set(TARO, "--limit", "busy=3")
        with self.msad.client(TARO) as client:
            client.sendmail(TARO, ["a@example.com"], "Subject: x\n\nx\n")

    def test_whoever_looks_is_noted(self):
        self.start()
        self.msad.msactl("account", "show", TARO)
        made = self.msad.ctl_json("account", "suspend", TARO, "--note", "a test")
        self.assertEqual([r["id"] for r in self.msad.ctl_json("account", "show", TARO)["restrictions"]],
                         [made["restriction"]])
        self.assertEqual(len(self.msad.ctl_json("restriction", "list", TARO)["restrictions"]), 1)
        self.assertEqual(self.msad.ctl_json("restriction", "list", HANA)["restrictions"], [])
        self.msad.msactl("restriction", "release", made["restriction"], "--note", "over")
        ops = [a["op"] for a in self.msad.ctl_json("access", "list", TARO)["access"]]
        self.assertEqual(ops, ["restriction.release", "restriction.list", "restriction.list", "settings.show",
                               "restriction.suspend", "restriction.list", "settings.show"])
        self.assertIn("settings.show", self.msad.msactl("access", "list", TARO).stdout)


class Many(AccountCase):
    def test_a_list_is_tried_and_then_done(self):
        self.start(more=BUSINESS)
        logins = self.write("logins", f"# ours\n{TARO}\n\n{HANA.upper()}\nnobody@example.test\n")
        change = ["account", "set-many", logins, "--class", "business"]
        run = self.msad.msactl("--json", *change, "--dry-run", check=False)
        tried = json.loads(run.stdout)
        self.assertEqual((run.returncode, tried["changed"], tried["logins"], tried["missing"]),
                         (1, 2, [TARO, HANA], ["nobody@example.test"]), run.stderr)
        self.assertEqual(self.settings(TARO)["class"], "")
        self.assertIn("nobody@example.test", self.msad.msactl(*change, check=False).stdout)
        self.assertEqual(self.settings(HANA)["class"], "business")
        all_of_class = ["account", "set-many", "--all-of-class", "business"]
        self.assertEqual(self.msad.ctl_json(*all_of_class, "--note", "one of them")["changed"], 2)
        self.assertEqual(self.msad.ctl_json(*all_of_class, "--note", "one of them")["changed"], 0)
        self.assertEqual(self.settings(TARO)["note"], "one of them")
        self.refused(*all_of_class, code=2)
        self.refused("account", "set-many", "--note", "whose?", code=2)

    def test_senders_of_postfix_may_be_used(self):
        self.start(more="align all { check envelope; null_sender yes; } ")
        with self.msad.client(TARO) as client:
            self.assertGreaterEqual(client.mail("sales@shop.test")[0], 500)
        maps = self.write("maps", f"sales@shop.test {TARO}, {HANA}\n@hana.test {HANA}\n")
        self.assertEqual(self.msad.ctl_json("account", "import-senders", maps, "--dry-run")["changed"], 2)
        self.assertEqual(self.settings(HANA)["senders"], [])
        self.msad.msactl("account", "import-senders", maps)
        self.assertEqual(sorted(self.settings(HANA)["senders"]), ["@hana.test", "sales@shop.test"])
        with self.msad.client(TARO) as client:
            self.assertEqual(client.mail("sales@shop.test")[0], 250)
        with self.msad.client(TARO) as client:
            self.assertGreaterEqual(client.mail("x@hana.test")[0], 500)
        self.assertIn(f"{maps}:2: ", self.refused("account", "import-senders",
                                                  self.write("maps", f"a@shop.test {TARO}\nalone\n")))


class Overseas(AccountCase):
    def test_block_holds_for_the_right_password_as_for_a_wrong_one(self):
        self.start(more=ABROAD)
        self.assertIs(self.can_sign_in(TARO), True)
        self.set(TARO, "--overseas", "block")
        refused = self.can_sign_in(TARO)
        self.assertEqual(refused, self.can_sign_in(TARO, "wrong"))
        self.assertEqual(refused[0], 535)
        self.assertIs(self.can_sign_in(HANA), True)
        self.set(TARO, "--travel", "US")
        self.assertIs(self.can_sign_in(TARO), True)

    def test_block_cuts_who_is_signed_in_abroad(self):
        self.start(more=ABROAD)
        taro, hana = self.msad.talk(TARO), self.msad.talk(HANA)
        self.set(TARO, "--overseas", "block")
        code, text = taro.reply()
        self.assertEqual(code, 421, text)
        self.assertEqual(hana.ask("NOOP"), 250)

    def test_addresses_are_looked_up_in_a_real_database(self):
        database = shared_data.path("mmdb/loopback-country.mmdb")
        here = os.path.join(self.directory, "country.mmdb")
        shutil.copyfile(database, here)
        os.chmod(here, 0o644)
        self.start(more=f"geo {{ country {here}; }} ")
        found = self.msad.ctl_json("geo", "lookup", "127.1.0.1")
        self.assertEqual((found["country"], found["home"]), ("US", False), found)
        self.assertIn("country: JP", self.msad.msactl("geo", "lookup", "2001:db8::1").stdout)
        self.refused("geo", "lookup", "nowhere")
