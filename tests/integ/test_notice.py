"""What happened to an account is told: to the customer and the desk by mail, to a program by a signed call."""

import email
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import ssl
import threading

import harness
import msad as m

USER = "taro@example.test"
SECRET = "a secret of the operator"

RULES = """
notice { from abuse@example.test; desk desk@example.test; customer yes; }
rule loud { count failures; per account; within 1h; limit 3; then suspend notify; because "three failures, a test"; }
"""


class Hook:
    """A program that is called: keeps what it hears, answers with `codes` in turn, then with 200."""

    def __init__(self, codes=(), tls=None):
        self.codes, self.calls, self.lock = list(codes), [], threading.Lock()
        self.tls = tls
        self.port = harness.free_port()
        self.server = None

    def start(self):
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = harness.WAIT_S

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with hook.lock:
                    hook.calls.append((self.path, dict(self.headers), body))
                    code = hook.codes.pop(0) if hook.codes else 200
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.thread.join(harness.WAIT_S)
            self.server = None

    def wait_for_calls(self, count):
        harness.wait_for(lambda: len(self.calls) >= count, f"{count} calls of the webhook")
        return self.calls[:count]


class Notice(harness.Case):
    def start(self, codes=(), is_up=True, url="http://127.0.0.1", tls=None, more="", rules=RULES):
        self.hook = Hook(codes, tls)
        self.addCleanup(self.hook.stop)
        if is_up:
            self.hook.start()
        secret = os.path.join(self.directory, "hook.secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write(SECRET + "\n")
        os.chmod(secret, 0o600)
        hook = f"webhook crm {{ url {url}:{self.hook.port}/msad; secret_file {secret}; {more} }}"
        self.smarthost = self.sink(store=True)
        self.msad = self.stop_later(m.Msad(self.directory, self.smarthost.port, more=rules + hook))

    def suspend(self):
        for password in ("one", "two", "three"):
            with self.assertRaises(Exception):
                self.msad.client(USER, password)
        self.msad.wait_for_event("restricted", kind="suspended")

    def letters(self, count):
        """The mails of our own by recipient; a list where there are several."""
        self.smarthost.wait_for_messages(count)
        found = {}
        for envelope, text in self.smarthost.stored():
            letter = email.message_from_bytes(text, policy=email.policy.default)
            found.setdefault(letter["To"], []).append(letter)
        return found

    def check_signature(self, call):
        path, headers, body = call
        self.assertEqual(path, "/msad")
        at, signature = (part.split("=", 1)[1] for part in headers["Msad-Signature"].split(","))
        want = hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        self.assertEqual(signature, want)
        self.assertEqual(headers["Content-Type"], "application/json")
        return json.loads(body)

    def test_suspension_is_told_to_customer_desk_and_program(self):
        self.start()
        self.suspend()
        letters = self.letters(2)
        self.assertEqual(set(letters), {USER, "desk@example.test"})
        customer, = letters[USER]
        text = customer.get_content()
        self.assertEqual(customer["Subject"], "メール送信を停止しました")
        self.assertEqual(customer["From"], "abuse@example.test")
        self.assertEqual(customer["Auto-Submitted"], "auto-generated")
        self.assertIn(f"アカウント: {USER}", text)
        self.assertIn("パスワードを変更", text)
        self.assertIn("+0900", text)
        self.assertNotIn("loud", text, "the rule is not the customer's to know")
        desk, = letters["desk@example.test"]
        self.assertIn("three failures, a test", desk.get_content())
        told = self.check_signature(self.hook.wait_for_calls(1)[0])
        self.assertEqual((told["event"], told["login"], told["rule"], told["source"]),
                         ("suspended", USER, "loud", "127.0.0.1"))
        self.assertEqual(self.hook.calls[0][1]["Msad-Event"], "suspended")

        self.msad.msactl("restriction", "release", told["id"], "--note", "password changed")
        self.assertEqual([letter["Subject"] for letter in self.letters(4)[USER]][-1], "メール送信の制限を解除しました")
        released = self.check_signature(self.hook.wait_for_calls(2)[1])
        self.assertEqual((released["event"], released["id"], released["release_note"]),
                         ("released", told["id"], "password changed"))

    def test_call_is_made_again_after_a_refusal(self):
        self.start(codes=[500, 302])
        self.suspend()
        calls = self.hook.wait_for_calls(3)
        self.assertEqual(len({headers["Msad-Delivery"] for _, headers, _ in calls}), 1)
        self.assertEqual(len({body for _, _, body in calls}), 1)
        for call in calls:
            self.check_signature(call)
        self.msad.wait_for_event("webhook-called", webhook="crm")
        self.assertEqual([line["code"] for line in self.msad.events("webhook-failed")], ["500", "302"])
        self.assertEqual(len(self.hook.calls), 3)

    def test_call_waits_for_a_program_that_is_down_and_outlives_policy(self):
        self.start(is_up=False)
        self.suspend()
        self.msad.wait_for_event("webhook-failed", code="0")
        os.kill(self.msad.role_pids("policy")[-1], 9)
        self.msad.wait_for_event("role-ready", count=2, role="policy")
        self.hook.start()
        self.check_signature(self.hook.wait_for_calls(1)[0])
        self.assertEqual(len(self.letters(2)), 2)

    def start_with_tls(self, url):
        os.chmod(self.directory, 0o755)
        cert, key = harness.make_certificate(self.directory, "localhost", ("localhost",))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.start(url=url, tls=context, more=f"ca_file {cert};")
        self.suspend()

    def test_call_inside_tls(self):
        self.start_with_tls("https://localhost")
        self.check_signature(self.hook.wait_for_calls(1)[0])

    def test_call_is_not_made_to_a_program_that_cannot_prove_its_name(self):
        self.start_with_tls("https://127.0.0.1")
        failed = self.msad.wait_for_event("webhook-failed", count=2)
        self.assertIn("127.0.0.1", failed[0]["text"])
        self.assertEqual(self.hook.calls, [])

    def test_words_of_the_operator_take_the_place_of_ours(self):
        os.chmod(self.directory, 0o755)
        path = os.path.join(self.directory, "suspended.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write("Subject: お知らせ {{login}}\n\n窓口 0120-000-000\n備考: {{note}}\n")
        template = f"notice {{ template suspended.customer.ja {{ file {path}; }}"
        self.start(rules=RULES.replace("notice {", template))
        self.suspend()
        letter, = self.letters(2)[USER]
        self.assertEqual(letter["Subject"], f"お知らせ {USER}")
        self.assertEqual(letter.get_content().splitlines(), ["窓口 0120-000-000"])

        with open(path, "a", encoding="utf-8") as file:
            file.write("{{nothing}}\n")
        refused = self.msad.msactl("reload", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(f"{path}: line 5: unknown placeholder: nothing", refused.stdout + refused.stderr)

    def test_an_owners_lock_and_its_end_have_words_of_their_own(self):
        self.start()
        self.msad.msactl("account", "lock", USER, "--note", "called: that was not me")
        self.assertEqual(self.check_signature(self.hook.wait_for_calls(1)[0])["event"], "locked-by-owner")
        letter = self.letters(2)[USER][0]
        self.assertEqual(letter["Subject"], "お申し出によりメールの認証を停止しました")
        self.assertIn("新しいパスワードに変更すると", letter.get_content())
        locked, = self.msad.ctl_json("restriction", "list")["restrictions"]
        self.msad.msactl("restriction", "release", locked["id"], "--note", "has a new password")
        self.assertEqual(self.check_signature(self.hook.wait_for_calls(2)[1])["event"], "released")

    def test_samples_are_sent_on_demand(self):
        self.start()
        self.msad.msactl("notice", "test", USER)
        kinds = {"suspended", "held", "locked", "overseas", "released", "limited", "warned", "locked-by-owner"}
        self.assertEqual({self.check_signature(c)["event"] for c in self.hook.wait_for_calls(len(kinds))}, kinds)
        letters = self.letters(2 * len(kinds))
        self.assertEqual(len(letters[USER]), len(kinds))
        self.assertTrue(all("試験" in letter.get_content() for letter in letters[USER]))
