"""The configuration in force, as the supervisor has it."""

from api import ApiCase


class ConfigInForce(ApiCase):
    def settings(self, caller, path="/config"):
        status, answer = caller.call("GET", path)
        self.assertEqual(status, 200, answer)
        return answer, {(s["block"], s["key"]): s for s in answer["settings"]}

    def line_of(self, text):
        with open(self.msad.config_path, encoding="utf-8") as file:
            return next(number for number, line in enumerate(file, 1) if text in line)

    def test_each_setting_says_where_it_stands(self):
        self.start(limits="message_size 77M;")
        operator = self.bearer("operator")
        answer, found = self.settings(operator)
        self.assertEqual((answer["file"], answer["generation"]), (self.msad.config_path, 1))
        self.assertEqual(found["limits", "message_size"],
                         {"block": "limits", "key": "message_size", "value": "77M", "file": self.msad.config_path,
                          "line": self.line_of("message_size 77M")})
        self.assertIn(("tls / certificate", "cert_file"), found)
        self.assertTrue(all("file" in s for s in answer["settings"]))
        _, everything = self.settings(operator, "/config?all=true")
        self.assertGreater(len(everything), len(found))
        self.assertNotIn("file", everything["limits", "long_lines"])

    def test_it_is_what_is_in_force_and_not_what_the_file_says(self):
        self.start(limits="message_size 77M;")
        operator = self.bearer("operator")
        self.msad.write_config(limits="message_size 78M;")
        self.assertEqual(self.settings(operator)[1]["limits", "message_size"]["value"], "77M")
        self.msad.msactl("reload")
        answer, found = self.settings(operator)
        self.assertEqual((answer["generation"], found["limits", "message_size"]["value"]), (2, "78M"))

    def test_no_secret_is_told(self):
        self.start()
        secret = self.msad.directory + "/password"
        with open(secret, "w", encoding="utf-8") as file:
            file.write("a-word-that-nobody-hears\n")
        self.msad.write_config(pool=f"auth {{ user me; password_file {secret}; }}", smarthost_tls="require")
        self.msad.msactl("reload", check=False)
        with open(self.msad.key, encoding="ascii") as file:
            key = file.read().splitlines()[1]
        told = self.bearer("operator").raw("GET", "/api/v1/config?all=true")[2].decode()
        self.assertNotIn("a-word-that-nobody-hears", told)
        self.assertNotIn(key, told)
        self.assertIn("key_file", told)

    def test_only_operators_are_told(self):
        self.start()
        self.assertEqual(self.bearer("support").call("GET", "/config")[0], 403)
        self.assertEqual(self.bearer("operator", "--scope", "status.read").call("GET", "/config")[0], 403)
        shown = self.msad.msactl("config", "show").stdout
        self.assertRegex(shown, r'(?m)^pool "main" +smarthost +"127.0.0.1:')
        self.assertIn(self.msad.config_path, shown)
