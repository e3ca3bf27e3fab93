"""POP and IMAP servers ask msad and tell it: the auth-policy door."""

import http.client
import json
import os

import harness
import msad as m


class Door:
    """One keep-alive connection to the auth-policy door of `server`."""

    def __init__(self, port, headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=harness.WAIT_S)
        self.headers = {"Content-Type": "application/json", **(headers or {})}

    def post(self, path, body):
        self.connection.request("POST", path, body if isinstance(body, (bytes, str)) else json.dumps(body),
                                self.headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def ask(self, command, login, remote="127.0.0.1", **more):
        """The status of the answer."""
        code, answer = self.post(f"/?command={command}", {"login": login, "remote": remote, "protocol": "imap",
                                                          "pwhash": "0a3f", "device_id": "", **more})
        assert code == 200 and set(answer) == {"status", "msg"} and answer["msg"] == "", (code, answer)
        return answer["status"]


class MailboxCase(harness.Case):
    def start(self, console="", **blocks):
        self.port = harness.free_port()
        more = blocks.pop("more", "") + f"console {{ auth_policy 127.0.0.1:{self.port}; {console} }}"
        self.smarthost = self.sink()
        self.msad = self.stop_later(m.Msad(self.directory, self.smarthost.port, more=more, **blocks))


class AuthPolicyDoor(MailboxCase):
    def test_what_is_no_question_gets_an_error_and_the_connection_goes_on(self):
        self.start()
        door = Door(self.port)
        for path, body, code in [("/?command=allow", "{", 400), ("/?command=allow", "[]", 400),
                                 ("/?command=allow", {"login": 1}, 400), ("/?command=allow", "", 400),
                                 ("/?command=frob", {"login": "a"}, 400), ("/", {"login": "a"}, 400),
                                 ("/?command=report", {"login": "a"}, 400),
                                 ("/api/v1/account.list", {}, 404), ("/metrics", {}, 404),
                                 ("/?command=allow", b"[" * 8192, 400),
                                 ("/?command=allow", b" " * 8193, 413)]:
            with self.subTest(path=path, body=body[:20] if isinstance(body, (bytes, str)) else body):
                self.assertEqual(door.post(path, body)[0], code)
        self.assertEqual(door.ask("allow", ""), 0, "no name yet: nothing to say")
        door.connection.request("GET", "/?command=allow")
        self.assertEqual(door.connection.getresponse().status, 405)

    def test_token_opens_and_nothing_else_does(self):
        token = os.path.join(self.directory, "token")
        with open(token, "w", encoding="ascii") as file:
            file.write("s3cret\n")
        os.chmod(token, 0o600)
        self.start(console=f"auth_policy_token_file {token};")
        for headers in [{"X-API-Key": "s3cret"}, {"Authorization": "Bearer s3cret"},
                        {"Authorization": "Basic bXNhZDpzM2NyZXQ="}]:
            self.assertEqual(Door(self.port, headers).ask("allow", "nobody@example.test"), 0, headers)
        for headers in [{}, {"X-API-Key": "s3cres"}, {"Authorization": "Basic czNjcmV0"}]:
            self.assertEqual(Door(self.port, headers).post("/?command=allow", {"login": "a"})[0], 403, headers)
        line, = self.msad.events("auth-policy-refused")
        self.assertEqual(line["ip"], "127.0.0.1")
