"""The API over real sockets: who may what."""

import base64
import json
import os
import re
import subprocess

import msad as m
from api import ApiCase, HANA, TARO

WHY = {"why": "asked for by telephone"}


class Document(ApiCase):
    def test_the_document_has_every_route_and_is_openapi(self):
        self.start()
        status, document = self.browser().call("GET", "/openapi.json")
        self.assertEqual(status, 200)
        self.assertEqual(document["openapi"], "3.1.0")
        ids = []
        for path, methods in document["paths"].items():
            named = re.findall(r"{(\w+)}", path)
            for method, operation in methods.items():
                ids.append(operation["operationId"])
                self.assertEqual([p["name"] for p in operation["parameters"] if p["in"] == "path"], named, path)
                self.assertIn("default", operation["responses"])
                self.assertTrue(operation["summary"])
                self.assertTrue(operation["x-msad-roles"])
                if method in ("get", "delete"):
                    self.assertNotIn("requestBody", operation)
        self.assertEqual(len(ids), len(set(ids)))
        # A path of the document is served, and nothing else is: without a session that is a 401, or it is open.
        for path, methods in document["paths"].items():
            url = re.sub(r"{\w+}", "x", path)
            for method in methods:
                status, _, _ = self.browser().raw(method.upper(), url)
                self.assertIn(status, (200, 401, 422), f"{method} {path}")
            status, headers, _ = self.browser().raw("PUT" if "put" not in methods else "PATCH", url)
            if status == 405:
                self.assertLessEqual(set(methods), {w.lower() for w in headers["Allow"].split(", ")}, path)

    def test_every_schema_of_it_is_a_json_schema(self):
        try:
            import jsonschema  # pylint: disable=import-outside-toplevel
        except ImportError:
            self.skipTest("NOT TESTED: python3-jsonschema is not installed")
        self.start()
        _, document = self.browser().call("GET", "/openapi.json")
        found = []

        def walk(node, path):
            if isinstance(node, list):
                for i, one in enumerate(node):
                    walk(one, f"{path}/{i}")
            elif isinstance(node, dict):
                reference = node.get("$ref")
                if isinstance(reference, str):
                    at = document
                    for part in reference.removeprefix("#/").split("/"):
                        at = at[part]  # a reference that leads nowhere fails here
                if isinstance(node.get("schema"), dict):
                    jsonschema.Draft202012Validator.check_schema(node["schema"])
                    found.append(path)
                for key, one in node.items():
                    walk(one, f"{path}/{key}")
        walk(document, "#")
        self.assertGreater(len(found), 50)
        jsonschema.validate(document, OPENAPI, jsonschema.Draft202012Validator)


# What OpenAPI 3.1 asks of a document, as far as ours uses it.
OPENAPI = {
    "type": "object",
    "required": ["openapi", "info", "paths"],
    "properties": {
        "openapi": {"pattern": r"^3\.1\.\d+$"},
        "info": {"required": ["title", "version"]},
        "paths": {
            "patternProperties": {"^/": {
                "patternProperties": {"^(get|post|put|patch|delete)$": {
                    "required": ["operationId", "responses"],
                    "properties": {
                        "tags": {"type": "array", "items": {"type": "string"}},
                        "parameters": {"type": "array", "items": {
                            "required": ["name", "in", "schema"],
                            "properties": {"in": {"enum": ["path", "query"]}, "required": {"type": "boolean"}},
                            "if": {"properties": {"in": {"const": "path"}}},
                            "then": {"required": ["required"], "properties": {"required": {"const": True}}}}},
                        "requestBody": {"required": ["content"]},
                        "responses": {"type": "object", "minProperties": 1,
                                      "patternProperties": {"^([1-5][0-9X]{2}|default)$": {
                                          "anyOf": [{"required": ["description"]}, {"required": ["$ref"]}]}},
                                      "additionalProperties": False},
                        "security": {"type": "array"}},
                    "patternProperties": {"^x-": {}},
                }},
                "additionalProperties": False,
            }},
            "additionalProperties": False,
        },
    },
}


class Roles(ApiCase):
    def test_every_route_knows_its_roles(self):
        self.start()
        _, document = self.browser().call("GET", "/openapi.json")
        callers = {"operator": self.bearer("operator"), "support": self.bearer("support"),
                   "portal": self.bearer("portal"), "customer": self.customer()}
        for path, methods in document["paths"].items():
            if path.endswith(("/session", "/reload", "/tokens/{id}")):
                continue
            for method, operation in methods.items():
                roles = operation["x-msad-roles"]
                url = path.replace("{login}", HANA).replace("{ip}", "192.0.2.1").replace("{id}", "none")
                for role, caller in callers.items():
                    status, _, body = caller.raw(method.upper(), url)
                    what = f"{role}: {method} {url}: {status} {body[:200]}"
                    if "anybody" in roles:
                        self.assertEqual(status, 200, what)
                    elif role not in roles:
                        self.assertEqual(status, 403, what)
                        self.assertEqual(json.loads(body)["type"], "urn:msad:problem:role", what)
                    elif role == "customer":  # another's account, whatever stands in the request
                        self.assertEqual(status, 404, what)
                    else:
                        self.assertNotIn(status, (401, 403), what)

    def test_a_customer_reaches_nobody_elses_account(self):
        self.start()
        taro = self.customer()
        for method, path, body in (("GET", "", None), ("GET", "/settings", None), ("GET", "/restrictions", None),
                                   ("PATCH", "/settings", {"overseas": "block"})):
            for name in (HANA, "nobody@example.test", TARO.upper(), TARO + "%00", TARO + "/", "me/../" + HANA):
                status, _ = taro.call(method, f"/accounts/{name}{path}", body)
                self.assertEqual(status, 404, name)
            other = taro.call(method, f"/accounts/{HANA}{path}", body)
            nobody = taro.call(method, f"/accounts/nobody@example.test{path}", body)
            self.assertEqual(other, nobody)
            for name in (TARO, "me", TARO.replace("@", "%40")):
                self.assertEqual(taro.call(method, f"/accounts/{name}{path}", body)[0], 200, name)
        self.assertEqual(self.msad.ctl_json("account", "show", HANA)["settings"]["overseas"], "default")

    def test_a_customer_sets_and_sees_only_what_is_his(self):
        self.start()
        self.msad.msactl("account", "set", TARO, "--note", "difficult on the telephone", "--sender", "x@example.test")
        taro = self.customer()
        for member in ({"class": "vip"}, {"limits": {}}, {"senders": []}, {"note": "x"}, {"normalize_newlines": True},
                       {"why": "x"}):
            status, problem = taro.call("PATCH", "/accounts/me/settings", member)
            self.assertEqual((status, problem["member"]), (403, list(member)[0]))
        status, shown = taro.call("PATCH", "/accounts/me/settings", {"overseas": "block", "home": ["JP"]})
        self.assertEqual((status, shown["overseas"], shown["home"]), (200, "block", ["JP"]))
        self.assertEqual({"note", "senders", "class", "limits", "id"} & set(shown), set())
        self.assertNotIn("id", taro.call("GET", "/accounts/me")[1])

    def test_scopes_narrow_a_token(self):
        self.start()
        narrow = self.bearer("operator", "--scope", "accounts.read,geo.read")
        self.assertEqual(narrow.call("GET", "/accounts")[0], 200)
        self.assertEqual(narrow.call("GET", "/geo/192.0.2.1")[0], 200)
        for method, path in (("GET", "/queue"), ("GET", "/audit"), ("POST", "/tokens"), ("GET", "/status")):
            status, problem = narrow.call(method, path)
            self.assertEqual((status, problem["type"]), (403, "urn:msad:problem:scope"))
        refused = self.msad.msactl("token", "add", "--role", "support", "--note", "x", "--scope", "accounts.raed",
                                   check=False)
        self.assertEqual(refused.returncode, 1)


class Tokens(ApiCase):
    def test_a_token_is_shown_once_and_kept_as_a_hash(self):
        self.start()
        token = self.token("support")
        _, _, secret = token.split("_", 2)
        self.assertNotIn(secret, self.msad.msactl("--json", "token", "list").stdout)
        found = subprocess.run(["grep", "-rlaF", secret, self.msad.directory], capture_output=True, text=True,
                               check=False)
        self.assertEqual(found.stdout, "")

    def test_what_is_no_token_opens_nothing(self):
        self.start()
        token = self.token("support")
        for bad in ("", "x", token[:-1], token + "x", token.swapcase(), token.replace("msad_", "msaf_"),
                    "msad_" + "0" * 16 + token[21:], "é" * 40, "x" * 5000):
            browser = self.browser()
            status, headers, body = browser.raw("GET", "/api/v1/accounts",
                                                headers={"Authorization": f"Bearer {bad}".encode()})
            self.assertEqual(status, 401, bad)
            self.assertIn("Bearer", headers["WWW-Authenticate"])
            self.assertEqual(json.loads(body)["type"], "urn:msad:problem:unauthorized")

    def test_a_token_that_was_taken_back_ends_at_once_with_its_sessions(self):
        self.start()
        desk = self.bearer("support")
        page = self.browser()
        self.assertEqual(page.sign_in(token=desk.token), 201)
        self.assertEqual(desk.call("GET", "/accounts")[0], 200)
        self.assertEqual(page.call("GET", "/accounts")[0], 200)
        token_id = self.msad.ctl_json("token", "list")["tokens"][0]["id"]
        self.msad.msactl("token", "remove", token_id, "--why", "left the company")
        self.assertEqual(desk.call("GET", "/accounts")[0], 401)
        self.assertEqual(page.call("GET", "/accounts")[0], 401)

    def test_an_operator_makes_tokens_over_the_api(self):
        self.start()
        operator = self.bearer("operator")
        status, made = operator.call("POST", "/tokens", {"role": "portal", "note": "the portal",
                                                         "scopes": ["accounts.read"], "days": 3})
        self.assertEqual(status, 201)
        portal = self.browser()
        portal.token = made["token"]
        self.assertEqual(portal.call("GET", "/accounts")[0], 200)
        self.assertEqual(portal.call("POST", "/accounts", {"login": "x@example.test", "password": "y"})[0], 403)
        self.assertEqual(operator.call("DELETE", f"/tokens/{made['id']}?why=over")[0], 200)
        self.assertEqual(portal.call("GET", "/accounts")[0], 401)


class Sessions(ApiCase):
    def test_the_cookie_is_for_this_host_and_no_script(self):
        self.start()
        browser = self.tls_browser()
        self.assertEqual(browser.sign_in(login=TARO, password=m.ACCOUNTS[TARO]), 201)
        attributes = [a.strip() for a in browser.set_cookie.split(";")]
        self.assertTrue(attributes[0].startswith("__Host-msad="))
        self.assertEqual(set(attributes[1:]), {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"})
        self.assertEqual(browser.call("GET", "/session")[1]["login"], TARO)

    def test_the_name_of_a_session_is_new_at_each_sign_in(self):
        self.start()
        planted = self.browser()
        planted.cookie = "__Host-msad=" + "A" * 43
        self.assertEqual(planted.sign_in(login=TARO, password=m.ACCOUNTS[TARO]), 201)
        self.assertNotEqual(planted.cookie, "__Host-msad=" + "A" * 43)
        first = self.customer()
        before, csrf = first.cookie, first.csrf
        self.assertEqual(first.sign_in(login=TARO, password=m.ACCOUNTS[TARO]), 201)
        self.assertNotEqual((first.cookie, first.csrf), (before, csrf))
        first.cookie = before
        self.assertEqual(first.call("GET", "/accounts/me")[0], 401)
        two = self.customer()
        two.cookie = f"{two.cookie}; {two.cookie}"  # one of them may be planted
        self.assertEqual(two.call("GET", "/accounts/me")[0], 401)

    def test_signing_out_ends_it_on_this_side(self):
        self.start()
        taro = self.customer()
        cookie = taro.cookie
        self.assertEqual(taro.call("DELETE", "/session")[0], 200)
        self.assertIn("Max-Age=0", taro.set_cookie)
        taro.cookie = cookie
        self.assertEqual(taro.call("GET", "/accounts/me")[0], 401)

    def test_another_password_and_a_suspension_end_it(self):
        self.start()
        taro, again = self.customer(), self.bearer("support")
        status, _ = again.call("PUT", f"/accounts/{TARO.upper()}/password", {"password": "another one", **WHY})
        self.assertEqual(status, 200)
        self.assertEqual(taro.call("GET", "/accounts/me")[0], 401)
        hana = self.customer(HANA)
        self.msad.msactl("account", "suspend", HANA.upper(), "--note", "spam")
        self.assertEqual(hana.call("GET", "/accounts/me")[0], 401)
        for login in (TARO, HANA):
            found = self.bearer("operator").call("GET", f"/audit?target={login}")[1]["audit"]
            self.assertEqual(len(found), 2, "how it began, and this: whatever was typed, the record has its name")
        self.assertEqual(self.browser().sign_in(login=HANA, password=m.ACCOUNTS[HANA]), 401)

    def test_what_is_done_to_an_account_is_found_by_its_name_however_it_was_typed(self):
        self.start()
        desk, typed = self.bearer("operator"), f"/accounts/{TARO.upper()}"
        status, app = desk.call("POST", f"{typed}/app-passwords", {"name": "telephone", "scopes": ["smtp"], **WHY})
        self.assertEqual(status, 201)
        self.assertEqual(desk.call("DELETE", f"{typed}/app-passwords/{app['id']}?why=lost")[0], 200)
        self.assertEqual(desk.call("POST", f"{typed}/notice-test", WHY)[0], 200)
        found = desk.call("GET", f"/audit?target={TARO}")[1]["audit"]
        self.assertEqual([e["op"] for e in found[:3]], ["notice.test", "app-password.remove", "app-password.add"])

    def test_a_change_by_cookie_comes_from_our_own_page(self):
        self.start()
        taro = self.customer()
        change = ("PATCH", "/accounts/me/settings", {"overseas": "block"})
        bad = ({"Origin": None}, {"Origin": "https://evil.example"}, {"Origin": "null"},
               {"Origin": f"http://127.0.0.1:{self.http}.evil.example"}, {"X-CSRF-Token": None},
               {"X-CSRF-Token": "A" * 43}, {"X-CSRF-Token": ""}, {"Sec-Fetch-Site": "cross-site"},
               {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"})
        for headers in bad:
            status, problem = taro.call(*change, headers=headers)
            self.assertEqual((status, problem["type"]), (403, "urn:msad:problem:cross-site"), headers)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None):
            self.assertEqual(taro.call(*change, headers={"Content-Type": kind})[0], 415, kind)
        self.assertEqual(taro.call("GET", "/accounts/me/settings")[1]["overseas"], "default")
        self.assertEqual(taro.call(*change, headers={"Sec-Fetch-Site": "same-origin"})[0], 200)

    def test_nobody_is_signed_in_by_another_site(self):
        self.start()
        browser = self.browser()
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            status, _ = browser.call("POST", "/session", {"login": TARO, "password": m.ACCOUNTS[TARO]}, headers)
            self.assertEqual(status, 403)
            self.assertIsNone(browser.set_cookie)


def plain(login, password):
    return "AUTH PLAIN " + base64.b64encode(f"\0{login}\0{password}".encode()).decode()


LOCK = ("rule guess { count failures; per account-network; within 1h; limit 4; then lock; lock 1h; } "
        "rules { home JP; } geo { place JP { networks 127.0.0.0/16; } place US { networks 127.9.0.0/16; } }")


class SignIn(ApiCase):
    def test_a_guesser_is_locked_out_and_its_failures_count_for_mail_too(self):
        self.start(more=LOCK)
        stranger = self.browser("127.0.0.77")
        for i in range(5):
            self.assertEqual(stranger.sign_in(login=TARO, password=f"wrong {i}"), 401)
        self.assertEqual(stranger.sign_in(login=TARO, password=m.ACCOUNTS[TARO]), 401)
        talk = self.msad.talk(source="127.0.0.77")
        talk.expect(plain(TARO, m.ACCOUNTS[TARO]), 535)
        self.customer(source="127.0.5.1")  # another network

    def test_failures_over_mail_lock_the_page_too(self):
        self.start(more=LOCK)
        for i in range(5):
            talk = self.msad.talk(source="127.0.0.78")
            talk.expect(plain(TARO, f"wrong {i}"), 535)
            talk.close()
        self.assertEqual(self.browser("127.0.0.78").sign_in(login=TARO, password=m.ACCOUNTS[TARO]), 401)

    def test_the_overseas_block_holds_here_too(self):
        self.start(more=LOCK)
        self.msad.msactl("account", "set", TARO, "--overseas", "block")
        self.assertEqual(self.browser("127.9.0.1").sign_in(login=TARO, password=m.ACCOUNTS[TARO]), 401)
        self.assertEqual(self.browser("127.0.0.1").sign_in(login=TARO, password=m.ACCOUNTS[TARO]), 201)

    def test_whatever_is_wrong_the_answer_is_the_same(self):
        self.start(more=LOCK)
        self.msad.msactl("account", "disable", HANA)
        self.msad.msactl("account", "set", TARO, "--overseas", "block")
        answers = []
        for source, login, password in (("127.0.0.1", TARO, "wrong"), ("127.0.0.1", "nobody@example.test", "wrong"),
                                        ("127.0.0.1", HANA, m.ACCOUNTS[HANA]), ("127.9.0.1", TARO, m.ACCOUNTS[TARO]),
                                        ("127.0.0.1", "no login at all", "x"), ("127.0.0.1", TARO, "x" * 600)):
            browser = self.browser(source)
            status, headers, body = browser.raw("POST", "/api/v1/session", {"login": login, "password": password})
            del headers["Date"]
            answers.append((status, sorted(headers.items()), body))
        self.assertEqual([answers[0]] * len(answers), answers)
        self.assertEqual(answers[0][0], 401)

    def test_the_page_server_finds_nothing_when_auth_is_away(self):
        self.start()
        os.kill(self.msad.role_pids("auth")[-1], 19)  # stopped: it does not answer
        try:
            status, problem = self.browser().call("GET", "/accounts", headers={"Authorization": "Bearer " + "x" * 65})
            self.assertIn(status, (503, 504), problem)
        finally:
            os.kill(self.msad.role_pids("auth")[-1], 18)


class Score(ApiCase):
    """What mail looks like, what follows from it, and what receivers say of it."""

    def test_the_desk_sees_a_risky_account_and_clears_it(self):
        self.start(more="pool suspect { smarthost 127.0.0.1:9; tls off; }\n"
                        "align all { check header; mismatch score; add_score 20.0; }\n"
                        "route spam { when { min_score 12.0; } then hold; to_pool suspect; stay 24h; }\n")
        support = self.bearer("support")
        risk = f"/accounts/{TARO}/risk"
        self.assertEqual(support.call("GET", risk), (200, {"risky": None}))
        self.assertEqual(support.call("DELETE", risk + "?why=x")[0], 409)
        talk = self.msad.talk(user=TARO)
        self.assertEqual(talk.submit(TARO, ["r@there.test"], b"From: <other@x.test>\r\n\r\nx\r\n")[0], 250)
        talk.close()
        status, answer = support.call("GET", risk)
        self.assertEqual((status, answer["risky"]["pool"], answer["risky"]["score"]), (200, "suspect", 20.0))
        self.assertEqual(support.call("DELETE", risk)[0], 422, "not without a reason")
        self.assertEqual(support.call("DELETE", risk + "?why=his+own+letter")[0], 200)
        self.assertEqual(support.call("GET", risk)[1], {"risky": None})
        self.assertEqual(self.recorded("risk.clear"), [(TARO, "his own letter", 200), (TARO, "x", 409)])

    def recorded(self, op):
        """(target, why, status) of what was recorded, the newest first."""
        return [(a["target"], a["why"], a["status"]) for a in self.msad.ctl_json("audit", "list")["audit"] if a["op"] == op]

    def test_outcomes_are_reported_by_login_and_by_id(self):
        self.start()
        portal = self.bearer("portal")
        talk = self.msad.talk(user=TARO)
        text = talk.submit(TARO, ["r@there.test"], b"Message-ID: <a@x.test>\r\n\r\nx\r\n")[1]
        talk.close()
        id, = re.findall(r"\b0[0-9a-z]{12}\b", text)
        for whose in ({"login": TARO}, {"id": id}, {"message_id": "<a@x.test>"}):
            status, answer = portal.call("POST", "/outcomes", {"status": "5.7.1", "recipient": "r@there.test", **whose})
            self.assertEqual((status, answer), (200, {"login": TARO, "class": "spam"}), whose)
        self.assertEqual(portal.call("POST", "/outcomes", {"status": "5.7.1", "login": "nobody@x.test"})[0], 404)
        self.assertEqual(portal.call("POST", "/outcomes", {"status": "5.7.1"})[0], 400)
        self.assertEqual(portal.call("POST", "/outcomes", {"login": TARO, "code": 55})[0], 422)
        self.assertEqual([(target, status) for target, _, status in self.recorded("outcome.report")][-3:],
                         [("", 200), (id, 200), (TARO, 200)])

    def test_a_message_is_checked_and_not_kept(self):
        self.start(more='score_rule FREE { phrases "for free"; add 2.5; describe "It is for free."; }\n')
        support = self.bearer("support")
        status, answer = support.call("GET", "/score")
        self.assertEqual((status, answer["classifier"]["state"]), (200, "untrained"))
        message = base64.b64encode(b"Subject: secret\r\n\r\nThis is for free.\r\n").decode()
        status, answer = support.call("POST", "/score/check", {"message": message})
        self.assertEqual((status, answer["score"], [f["name"] for f in answer["findings"]]), (200, 2.5, ["FREE"]))
        self.assertNotIn(message, self.msad.child.log())
        self.assertEqual(support.call("POST", "/score/check", {"message": "no base64"})[0], 400)
        self.assertEqual(support.call("POST", "/score/check", {"message": "A" * 700001})[0], 422)
        self.assertEqual(support.call("POST", "/score/check", {"message": "A" * 699_060})[0], 413)
        self.assertEqual(self.bearer("portal").call("GET", "/score")[0], 403)


class Audit(ApiCase):
    def test_every_change_is_recorded_with_who_and_why(self):
        self.start()
        support, taro = self.bearer("support"), self.customer()
        token_id = self.msad.ctl_json("token", "list")["tokens"][0]["id"]
        support.call("POST", f"/accounts/{TARO}/suspension", WHY)
        support.call("PATCH", f"/accounts/{HANA}/settings", {"class": "no such class", **WHY})
        self.customer(HANA).call("PATCH", "/accounts/me/settings", {"overseas": "block"})
        self.msad.msactl("account", "disable", HANA)
        operator = self.bearer("operator")
        status, answer = operator.call("GET", "/audit")
        self.assertEqual(status, 200)
        seen = [(a["actor"], a["from"], a["op"], a["target"], a["why"], a["status"] < 400) for a in answer["audit"]]
        uid = f"uid:{os.geteuid()}"
        self.assertIn((f"token:{token_id}", "127.0.0.1", "restriction.suspend", TARO, WHY["why"], True), seen)
        self.assertIn((f"token:{token_id}", "127.0.0.1", "settings.set", HANA, WHY["why"], False), seen)
        self.assertIn((f"customer:{HANA}", "127.0.0.1", "settings.set", HANA, "", True), seen)
        self.assertIn((uid, "", "account.disable", HANA, "", True), seen)
        self.assertEqual(seen[0][2], "token.add")  # the newest first
        self.msad.kill()
        self.msad.start()
        after = self.msad.ctl_json("audit", "list")["audit"]
        self.assertEqual(after, answer["audit"])
        self.assertEqual({a["target"] for a in self.msad.ctl_json("audit", "list", "--target", TARO)["audit"]}, {TARO})
        self.assertEqual(taro.call("GET", "/accounts/me")[0], 401)

    def test_the_desk_says_why(self):
        self.start()
        support = self.bearer("support")
        for method, path, body in (("POST", f"/accounts/{TARO}/suspension", {}), ("POST", "/restrictions/x/release", {}),
                                   ("DELETE", "/queue/x", None), ("PATCH", f"/accounts/{TARO}/settings", {"overseas": "block"}),
                                   ("POST", f"/accounts/{TARO}/disable", {})):
            status, problem = support.call(method, path, body)
            self.assertEqual((status, problem["member"]), (422, "why"), path)

    def test_records_come_in_pages(self):
        self.start()
        for _ in range(5):
            self.msad.msactl("account", "enable", TARO)
        operator = self.bearer("operator")
        found, cursor = [], ""
        while True:
            _, page = operator.call("GET", "/audit?limit=2" + cursor)
            found += page["audit"]
            if "next" not in page:
                break
            cursor = f"&cursor={page['next']}"
        self.assertEqual(found, operator.call("GET", "/audit")[1]["audit"])
        self.assertGreaterEqual(len(found), 5)
        self.assertEqual(operator.call("GET", "/audit?cursor=x")[0], 400)
