"""An account in its owner's eyes: its sign-ins, "that was not me", another password."""

import harness
import dovecot
import msad as m
from api import ApiCase, HANA, TARO

HOME, ABROAD = "127.0.0.1", "127.9.0.1"
PLACES = "rules { home JP; } geo { place JP { networks 127.0.0.0/16; } place US { networks 127.9.0.0/16; } } "
PASSWORD = m.ACCOUNTS[TARO]
NEW = "a better horse"


class SignIns(ApiCase):
    def listed(self, browser):
        status, answer = browser.call("GET", "/accounts/me/sign-ins")
        self.assertEqual(status, 200, answer)
        return answer["sign_ins"]

    def test_the_owner_sees_what_happened_over_smtp_and_at_the_page(self):
        self.start(more=PLACES)
        talk = self.msad.talk(source=ABROAD)
        talk.hello("laptop.test")
        self.assertEqual(talk.auth_plain(TARO, "wrong")[0], 535)
        talk.close()
        for _ in range(3):
            self.msad.talk(TARO).close()
        taro = self.customer()
        page, mail, wrong = sorted(self.listed(taro), key=lambda e: ("page", "smtp").index(e["protocol"]) * 2
                                   + (e["result"] != "allowed"))
        self.assertEqual((mail["result"], mail["times"], mail["country"], mail["address"], mail["program"]),
                         ("allowed", 3, "JP", HOME, "client.test"))
        self.assertEqual((wrong["result"], wrong["country"], wrong["address"], wrong["program"]),
                         ("wrong-password", "US", ABROAD, "laptop.test"))
        self.assertEqual((page["result"], page["times"]), ("allowed", 1))
        self.assertEqual(set(page), {"first_ms", "last_ms", "times", "protocol", "address", "country", "network",
                                     "program", "result"})
        self.assertLessEqual(mail["first_ms"], mail["last_ms"])
        self.assertEqual(self.msad.ctl_json("sign-in", "list", TARO)["sign_ins"], self.listed(taro))
        self.assertIn("laptop.test", self.msad.msactl("sign-in", "list", TARO).stdout)
        self.assertEqual(len(taro.call("GET", "/accounts/me/sign-ins?limit=1")[1]["sign_ins"]), 1)
        self.assertEqual(self.bearer("support").call("GET", f"/accounts/{TARO}/sign-ins")[1]["sign_ins"],
                         self.listed(taro))

    def test_they_survive_a_restart(self):
        self.start(more=PLACES)
        self.msad.talk(TARO).close()
        before = self.msad.ctl_json("sign-in", "list", TARO)["sign_ins"]
        self.assertEqual(len(before), 1)
        self.msad.stop()
        self.msad.start()
        self.assertEqual(self.msad.ctl_json("sign-in", "list", TARO)["sign_ins"], before)

    def test_a_customer_sees_only_his_own(self):
        self.start()
        self.msad.talk(HANA).close()
        taro = self.customer()
        for method, path, body in (("GET", "sign-ins", None), ("POST", "lock", {}),
                                   ("PUT", "password", {"current": PASSWORD, "password": NEW})):
            self.assertEqual(taro.call(method, f"/accounts/{HANA}/{path}", body)[0], 404, path)
        self.msad.talk(HANA).close()

    def test_a_program_cannot_write_into_the_page_or_the_terminal(self):
        self.start(console=f"auth_policy 127.0.0.1:{(port := harness.free_port())};")
        import http.client  # pylint: disable=import-outside-toplevel
        import json  # pylint: disable=import-outside-toplevel
        name = "<script>\x1b[2J\r\n\u2028" + "x" * 500
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=harness.WAIT_S)
        connection.request("POST", "/?command=report", json.dumps(
            {"login": TARO, "remote": HOME, "protocol": "imap", "success": True, "device_id": name}),
            {"Content-Type": "application/json"})
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        entry, = self.msad.ctl_json("sign-in", "list", TARO)["sign_ins"]
        self.assertTrue(entry["program"].startswith("<script> [2J"), entry)
        self.assertLessEqual(len(entry["program"].encode()), 64)
        self.assertTrue(entry["program"].isprintable())
        self.assertNotIn("\x1b", self.msad.msactl("sign-in", "list", TARO).stdout)

    def test_a_real_dovecot_is_in_the_list(self):
        port = harness.free_port()
        self.start(console=f"auth_policy 127.0.0.1:{port};")
        box = self.stop_later(dovecot.Dovecot(self.directory, port, m.ACCOUNTS))
        self.assertTrue(box.sign_in(TARO, PASSWORD))
        self.assertFalse(box.sign_in(TARO, "wrong"))
        harness.wait_for(lambda: len(self.msad.ctl_json("sign-in", "list", TARO)["sign_ins"]) == 2,
                         "both in the list")
        found = {(e["protocol"], e["result"]) for e in self.msad.ctl_json("sign-in", "list", TARO)["sign_ins"]}
        self.assertEqual(found, {("imap", "allowed"), ("imap", "wrong-password")})


class NotMe(ApiCase):
    def test_a_lock_cuts_the_thief_and_another_password_ends_it(self):
        self.start(more=PLACES)
        thief = self.msad.talk(TARO, source=ABROAD)
        thief.begin(TARO, "x@example.com")
        taro, other = self.customer(), self.customer()
        status, answer = taro.call("POST", "/accounts/me/lock", {})
        self.assertEqual(status, 200, answer)
        self.assertEqual(thief.reply()[0], 421)
        self.assertTrue(thief.is_over())
        self.assertEqual(other.call("GET", "/accounts/me")[0], 401)
        self.assertEqual(taro.call("GET", "/accounts/me")[0], 200, "the one who asked goes on")
        again = self.msad.talk()
        self.assertEqual(again.auth_plain(TARO, PASSWORD)[0], 535)
        self.assertEqual(self.browser().sign_in(login=TARO, password=PASSWORD), 401)
        restriction, = taro.call("GET", "/accounts/me/restrictions")[1]["restrictions"]
        self.assertEqual((restriction["kind"], restriction["standing"], restriction["id"]),
                         ("locked-by-owner", True, answer["restriction"]))
        status, answer = taro.call("PUT", "/accounts/me/password", {"current": PASSWORD, "password": NEW})
        self.assertEqual((status, answer), (200, {"login": TARO, "released": True, "lock_unknown": False}))
        self.assertEqual(taro.call("GET", "/accounts/me/restrictions")[1]["restrictions"], [])
        self.assertEqual(self.msad.talk().auth_plain(TARO, PASSWORD)[0], 535)
        self.assertEqual(self.msad.talk().auth_plain(TARO, NEW)[0], 235)
        story = self.msad.ctl_json("restriction", "show", restriction["id"])
        self.assertEqual((story["grounds"], story["released_by"]), (f"customer:{TARO}", f"customer:{TARO}"))
        audit = [a["op"] for a in self.msad.ctl_json("audit", "list", "--target", TARO)["audit"]]
        self.assertEqual(audit[:2], ["account.passwd", "restriction.lock"])

    def test_the_desk_locks_with_a_reason_and_lifts_it(self):
        self.start()
        desk = self.bearer("support")
        self.assertEqual(desk.call("POST", f"/accounts/{TARO}/lock", {})[0], 422)
        status, answer = desk.call("POST", f"/accounts/{TARO}/lock", {"why": "called: it was not him"})
        self.assertEqual(status, 200)
        self.assertEqual(self.msad.talk().auth_plain(TARO, PASSWORD)[0], 535)
        status, _ = desk.call("PUT", f"/accounts/{TARO}/password", {"password": NEW, "why": "asked for"})
        self.assertEqual(status, 200)
        self.assertEqual(self.msad.talk().auth_plain(TARO, NEW)[0], 535, "the desk says when it is over")
        self.assertEqual(desk.call("POST", f"/restrictions/{answer['restriction']}/release", {"why": "done"})[0], 200)
        self.assertEqual(self.msad.talk().auth_plain(TARO, NEW)[0], 235)
        self.assertEqual(self.msad.ctl_json("account", "lock", HANA)["restriction"],
                         self.msad.ctl_json("restriction", "list", HANA)["restrictions"][0]["id"])

    def test_a_lock_is_there_after_a_restart_and_holds_for_imap(self):
        port = harness.free_port()
        self.start(console=f"auth_policy 127.0.0.1:{port};")
        self.msad.msactl("account", "lock", TARO)
        self.msad.stop()
        self.msad.start()
        self.assertEqual(self.msad.talk().auth_plain(TARO, PASSWORD)[0], 535)
        box = self.stop_later(dovecot.Dovecot(self.directory, port, m.ACCOUNTS))
        self.assertFalse(box.sign_in(TARO, PASSWORD))


class Password(ApiCase):
    def test_it_has_to_be_another_and_no_short_one_and_the_current_one_right(self):
        self.start()
        taro = self.customer()
        cases = (({"password": NEW}, 422, "current"), ({"current": PASSWORD}, 422, "password"),
                 ({"current": PASSWORD, "password": PASSWORD}, 422, "has now"),
                 ({"current": PASSWORD, "password": "seven77"}, 422, "too short"),
                 ({"current": PASSWORD, "password": "\u96fb" * 7}, 422, "too short"),
                 ({"current": "wrong", "password": NEW}, 403, "wrong"),
                 ({"current": PASSWORD, "password": NEW, "why": "x"}, 403, "why"))
        for body, wanted, word in cases:
            status, problem = taro.call("PUT", "/accounts/me/password", body)
            self.assertEqual(status, wanted, (body, problem))
            self.assertIn(word, problem["detail"])
            self.assertNotIn(PASSWORD, str(problem))
        self.assertEqual(self.msad.talk().auth_plain(TARO, PASSWORD)[0], 235)
        desk = self.bearer("support")
        self.assertEqual(desk.call("PUT", f"/accounts/{TARO}/password",
                                   {"current": PASSWORD, "password": NEW, "why": "x"})[0], 422)
        other = self.customer()
        self.assertEqual(taro.call("PUT", "/accounts/me/password", {"current": PASSWORD, "password": NEW})[0], 200)
        self.assertEqual(other.call("GET", "/accounts/me")[0], 401)
        self.assertEqual(taro.call("GET", "/accounts/me")[0], 200)
        self.assertEqual(self.msad.talk().auth_plain(TARO, NEW)[0], 235)
        with open(self.msad.child.log_path, encoding="utf-8") as log:
            self.assertNotIn(NEW, log.read())

    def test_an_unlocked_browser_guesses_no_password(self):
        self.start(more="rule guess { count failures; per account; within 1h; limit 3; then lock; lock 1h; } ")
        taro = self.customer()
        for i in range(3):
            status, problem = taro.call("PUT", "/accounts/me/password", {"current": f"wrong {i}", "password": NEW})
            self.assertEqual((status, problem["type"]), (403, "urn:msad:problem:current-password"))
        status, _ = taro.call("PUT", "/accounts/me/password", {"current": PASSWORD, "password": NEW})
        self.assertEqual(status, 403, "the same lockout as at a sign-in")
        self.assertEqual(self.msad.ctl_json("restriction", "list", TARO)["restrictions"][0]["kind"], "locked")


class Rules(ApiCase):
    def test_what_people_see_of_the_rules(self):
        rules = ("rule day { count messages; per account; within 1d; limit 1; then defer; because \"one a day\"; } "
                 "rule tried { count messages; per account; within 1d; limit 9; then refuse; mode shadow; } ")
        self.start(more=rules)
        talk = self.msad.talk(TARO)
        self.assertEqual(talk.submit(TARO, ["x@example.com"], b"Subject: x\r\n\r\nx\r\n")[0], 250)
        talk.begin(TARO, "x@example.com")
        self.assertEqual(talk.ask("DATA") // 100, 4)
        taro, desk = self.customer(), self.bearer("support")
        status, answer = taro.call("GET", "/accounts/me/usage")
        self.assertEqual((status, answer), (200, {"usage": [
            {"rule": "day", "counts": "messages", "per": "account", "within_ms": 86400000, "limit": 1, "used": 1,
             "then": "defer", "mode": "enforce", "because": "one a day"}]}))
        self.assertEqual(taro.call("GET", f"/accounts/{HANA}/usage")[0], 404)
        self.assertEqual([u["rule"] for u in desk.call("GET", f"/accounts/{TARO}/usage")[1]["usage"]], ["day", "tried"])
        found = {r["rule"]: r["hits"] for r in desk.call("GET", "/rules")[1]["rules"]}
        self.assertEqual(found, {"day": 1, "tried": 0})
        status, answer = desk.call("GET", "/restrictions/trend?days=2")
        self.assertEqual((status, len(answer["days"]), answer["days"][0]["rules"]), (200, 2, {"day": 1}))
        self.assertEqual(desk.call("GET", "/restrictions/trend?days=91")[0], 422)
        for path in ("/rules", "/restrictions/trend"):
            self.assertEqual(taro.call("GET", path)[0], 403)
        for command, word in ((("usage", "show", TARO), "day"), (("rules", "list"), "messages per account within 1d"),
                              (("restriction", "trend", "--days", "3"), "day")):
            self.assertIn(word, self.msad.msactl(*command).stdout)
