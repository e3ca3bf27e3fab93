"""Sign-in by token: OAUTHBEARER and XOAUTH2 against a stand-in identity provider over TLS."""

import base64
import json
import subprocess
import time

import harness
import msad as m
import provider

TARO, HANA = "taro@example.test", "hana@example.test"
GUESSES = "rule guess { count failures; per account-network; within 1h; limit 3; then lock; lock 1h; }"


def oauthbearer(token, login=TARO):
    gs2 = f"n,a={login}," if login else "n,,"
    return f"{gs2}\x01host=submit.test\x01port=587\x01auth=Bearer {token}\x01\x01"


def xoauth2(token, login=TARO):
    return f"user={login}\x01auth=Bearer {token}\x01\x01"


class TokenCase(harness.Case):
    AUTH = "mechanisms PLAIN OAUTHBEARER XOAUTH2;"

    def setUp(self):
        super().setUp()
        self.smarthost = self.sink()
        self.provider = provider.Provider(self.directory)
        self.addCleanup(self.provider.close)

    def start(self, block=None, more="", **blocks):
        server = m.Msad(self.directory, self.smarthost.port, auth=self.AUTH,
                        more=(block or self.provider.block()) + more, **blocks)
        self.addCleanup(self.end, server)
        return server

    def end(self, server):
        """No secret may have reached the log."""
        server.stop()
        log = server.child.log()
        for _, token in self.provider.asked:
            self.assertNotIn(token, log)
        self.assertNotIn(provider.SECRET, log)

    def sign_in(self, server, message, mechanism="OAUTHBEARER"):
        """(code of the end, JSON of the refusal or None)."""
        talk = server.talk()
        code, text = talk.say(f"AUTH {mechanism} {base64.b64encode(message.encode()).decode()}")
        refusal = None
        if code == 334:
            refusal = json.loads(base64.b64decode(text[4:]))
            code, text = talk.say("AQ==")
        talk.close()
        return code, refusal


class Tokens(TokenCase):
    def test_good_ones_open_mail_and_are_asked_about_once(self):
        server = self.start()
        self.provider.tokens = {"token-of-taro": self.provider.good(TARO)}
        self.assertEqual(self.sign_in(server, oauthbearer("token-of-taro")), (235, None))
        self.assertEqual(self.sign_in(server, oauthbearer("token-of-taro", login="")), (235, None))
        self.assertEqual(self.sign_in(server, xoauth2("token-of-taro"), "XOAUTH2"), (235, None))
        self.assertEqual(self.provider.asked, [("/introspect", "token-of-taro")])
        self.assertEqual({line["mechanism"] for line in server.wait_for_event("auth-ok", count=3, user=TARO)},
                         {"OAUTHBEARER", "XOAUTH2"})

    def test_others_are_refused_alike(self):
        server = self.start()
        good, now = self.provider.good, int(time.time())
        self.provider.tokens = {
            "token-expired": good(TARO, exp=now - 1), "token-early": good(TARO, nbf=now + 3600),
            "token-audience": good(TARO, aud="web"), "token-issuer": good(TARO, iss="https://other.test/"),
            "token-scope": good(TARO, scope="openid"), "token-nobody": good("nobody@example.test"),
            "token-inactive": {"active": False}, "token-of-hana": good(HANA)}
        for token in [*self.provider.tokens, "token-unheard-of"]:
            with self.subTest(token=token):
                code, refusal = self.sign_in(server, oauthbearer(token))
                self.assertEqual((code, refusal["status"], refusal["scope"]), (535, "invalid_token", "smtp"))
        self.assertEqual(self.sign_in(server, xoauth2("token-expired"), "XOAUTH2"),
                         (535, {"status": "401", "schemes": "bearer", "scope": "smtp"}))
        self.assertEqual({line["why"] for line in server.wait_for_event("auth-failed", count=10)}, {"credentials"})

    def test_refused_ones_count_as_failures(self):
        server = self.start(more=GUESSES)
        self.provider.tokens = {"token-of-taro": self.provider.good(TARO)}
        for i in range(3):
            self.assertEqual(self.sign_in(server, oauthbearer(f"token-guess-{i}"))[0], 535)
        # Locked: the right one is refused now, in the same words.
        code, refusal = self.sign_in(server, oauthbearer("token-of-taro"))
        self.assertEqual((code, refusal["status"]), (535, "invalid_token"))

    def test_a_locked_account_is_not_opened_by_what_is_remembered(self):
        server = self.start()
        self.provider.tokens = {"token-of-taro": self.provider.good(TARO)}
        self.assertEqual(self.sign_in(server, oauthbearer("token-of-taro"))[0], 235)
        server.msactl("account", "disable", TARO)
        self.assertEqual(self.sign_in(server, oauthbearer("token-of-taro"))[0], 535)
        self.assertEqual(len(self.provider.asked), 1)

    def test_malformed_ones_are_501_and_asked_about_nowhere(self):
        server = self.start()
        for message in ("\x01", "n,,\x01auth=Bearer \x01\x01", oauthbearer("a b"), oauthbearer("abc") + "x"):
            self.assertEqual(self.sign_in(server, message), (501, None), message)
        self.assertEqual(self.provider.asked, [])

    def test_curl_signs_in_with_both(self):
        server = self.start()
        self.provider.tokens = {"token-of-taro": self.provider.good(TARO)}
        for mechanism in ("OAUTHBEARER", "XOAUTH2"):
            for token, code in (("token-of-taro", 0), ("token-unheard-of", 67)):  # 67: login denied
                with self.subTest(mechanism=mechanism, token=token):
                    done = subprocess.run(
                        ["curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", server.cert,
                         "--url", f"smtp://submit.test:{server.port}/curl.test",
                         "--resolve", f"submit.test:{server.port}:127.0.0.1", "--user", f"{TARO}:",
                         "--oauth2-bearer", token, "--login-options", f"AUTH={mechanism}", "--mail-from", TARO,
                         "--mail-rcpt", "hana@elsewhere.test", "--upload-file", "-"],
                        input=b"Subject: by token\r\n\r\nhello\r\n", capture_output=True, timeout=harness.WAIT_S,
                        check=False)
                    self.assertEqual(done.returncode, code, done.stderr)


class Providers(TokenCase):
    """What may be wrong with whom we ask: never the client's fault, so 454."""

    def assert_away(self, server, token):
        self.assertEqual(self.sign_in(server, oauthbearer(token)), (454, None), token)

    def test_rubbish_redirects_and_floods_are_no_verdict(self):
        server = self.start()
        self.provider.tokens = {
            "token-rubbish": b"<html>hello</html>", "token-odd": {"active": "yes"}, "token-huge": "huge",
            "token-status": 500}
        for token in self.provider.tokens:
            self.assert_away(server, token)
        self.provider.tokens["token-redirect"] = "redirect"
        self.assert_away(server, "token-redirect")
        self.assertNotIn("/elsewhere", [path for path, _ in self.provider.asked])
        self.assertEqual(self.provider.strays, [])
        self.assertEqual(server.events("auth-failed"), [])  # nobody has guessed
        server.wait_for_event("identity-provider-down")
        self.assertEqual(server.client(TARO).noop()[0], 250)  # passwords go on

    def test_one_that_hangs_holds_up_nobody_else(self):
        server = self.start(self.provider.block("deadline 500ms;"))
        self.provider.tokens = {"token-hang": "hang", "token-of-taro": self.provider.good(TARO)}
        talk = server.talk()
        talk.send(f"AUTH OAUTHBEARER {base64.b64encode(oauthbearer('token-hang').encode()).decode()}\r\n")
        harness.wait_for(lambda: ("/introspect", "token-hang") in self.provider.asked, "the question")
        self.assertEqual(self.sign_in(server, oauthbearer("token-of-taro"))[0], 235)
        self.assertEqual(server.client(TARO).noop()[0], 250)
        self.assertEqual(talk.reply()[0], 454)
        talk.close()

    def test_a_client_that_leaves_while_it_hangs_leaves_nothing(self):
        server = self.start()
        self.provider.tokens = {"token-hang": "hang", "token-of-taro": self.provider.good(TARO)}
        talk = server.talk()
        talk.send(f"AUTH OAUTHBEARER {base64.b64encode(oauthbearer('token-hang').encode()).decode()}\r\n")
        harness.wait_for(lambda: ("/introspect", "token-hang") in self.provider.asked, "the question")
        talk.close()
        server.wait_for_event("disconnect")
        self.assertEqual(self.sign_in(server, oauthbearer("token-of-taro"))[0], 235)

    def test_a_foreign_authority_and_another_name_are_not_asked(self):
        other_ca = provider.make_authority(self.directory, "other.test")[0]
        self.provider.tokens = {"token-of-taro": self.provider.good(TARO)}
        for name, block in (("foreign", self.provider.block(ca=other_ca)),
                            ("elsewhere", self.provider.block(name="elsewhere.test"))):
            server = self.start(block, name=name)
            self.assert_away(server, "token-of-taro")
            self.assertEqual(self.provider.asked, [])

    def test_it_dies_and_comes_back(self):
        server = self.start(self.provider.block("cache 0s;"))
        good = self.provider.good(TARO)
        self.provider.tokens["token-of-taro"] = good
        self.assertEqual(self.sign_in(server, oauthbearer("token-of-taro"))[0], 235)
        port = self.provider.port
        self.provider.close()
        self.assert_away(server, "token-of-taro")
        self.provider = provider.Provider(self.directory, port=port)
        self.addCleanup(self.provider.close)
        server.reload(more=self.provider.block("cache 0s;"))  # its authority is a new one, too
        self.provider.tokens["token-of-taro"] = good
        self.assertEqual(self.sign_in(server, oauthbearer("token-of-taro"))[0], 235)


class Configurations(TokenCase):
    def test_a_new_provider_needs_a_restart_and_an_old_one_may_change(self):
        server = m.Msad(self.directory, self.smarthost.port)
        self.addCleanup(server.stop)
        server.write_config(auth=self.AUTH, more=self.provider.block())
        refused = server.msactl("reload", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("restart", refused.stdout + refused.stderr)
        server.stop()
        server.start()
        self.provider.tokens = {"token-of-taro": self.provider.good(TARO)}
        self.assertEqual(self.sign_in(server, oauthbearer("token-of-taro"))[0], 235)
        server.reload(more=self.provider.block("login_claim email;"))
        self.assertEqual(self.sign_in(server, oauthbearer("token-of-taro"))[0], 535)
        server.reload(auth="mechanisms PLAIN;", more="")
        self.assertEqual(self.sign_in(server, oauthbearer("token-of-taro"))[0], 504)

    def test_a_name_without_addresses_is_a_mistake(self):
        server = m.Msad(self.directory, self.smarthost.port)
        self.addCleanup(server.stop)
        server.write_config(auth=self.AUTH, more=self.provider.block().replace("address 127.0.0.1; ", ""))
        refused = server.msactl("reload", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("asks no DNS", refused.stdout + refused.stderr)
