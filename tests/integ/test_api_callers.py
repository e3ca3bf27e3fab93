"""Who asks: tokens that are none, proxies that say so, user ids of the socket."""

import grp
import json
import os
import pwd
import subprocess
import sys
import unittest

import harness
from api import ApiCase, TARO

TRIES = 10


class BadTokens(ApiCase):
    def try_tokens(self, browser, count):
        return [browser.call("GET", "/pools", headers={"Authorization": f"Bearer msad_{i}"})[0] for i in range(count)]

    def test_who_brings_too_many_tokens_that_are_none_has_to_wait(self):
        self.start()
        here, there = self.browser("127.0.0.1"), self.browser("127.0.0.2")
        good = self.bearer("operator")
        good.source = "127.0.0.1"
        self.assertEqual(good.call("GET", "/pools")[0], 200)
        self.assertEqual(self.try_tokens(here, TRIES), [401] * TRIES)
        status, headers, body = here.raw("GET", "/api/v1/pools", headers={"Authorization": "Bearer another"})
        self.assertEqual((status, json.loads(body)["type"]), (429, "urn:msad:problem:too-many"))
        self.assertIn(int(headers["Retry-After"]), range(1, 61))
        self.assertEqual(here.sign_in(token="another"), 429)
        self.assertEqual(good.call("GET", "/pools")[0], 200, "a token that is known goes on")
        self.assertEqual(self.try_tokens(there, 1), [401], "others go on")
        self.assertEqual(here.sign_in(login=TARO, password=self.msad.accounts[TARO]), 201, "passwords have their own limits")
        self.assertEqual(self.msad.wait_for_event("console-bad-tokens")[0]["ip"], "127.0.0.1")


class Proxies(ApiCase):
    def seen(self, browser, **headers):
        """The address that a sign-in which fails is put down to."""
        before = len(self.msad.events("console-sign-in-refused"))
        status, _, _ = browser.raw("POST", "/api/v1/session", {"login": TARO, "password": "wrong"},
                                   {k.replace("_", "-"): v for k, v in headers.items()})
        self.assertEqual(status, 401)
        return self.msad.wait_for_event("console-sign-in-refused", before + 1)[-1]["ip"]

    def test_only_a_listed_proxy_says_whose_request_it_is(self):
        self.start(console="trusted_proxies 127.0.0.1 10.0.0.0/8;", policy="", auth="failure_delay 0s;")
        proxy, stranger = self.browser("127.0.0.1"), self.browser("127.0.0.2")
        self.assertEqual(self.seen(proxy, X_Forwarded_For="192.0.2.1"), "192.0.2.1")
        self.assertEqual(self.seen(stranger, X_Forwarded_For="192.0.2.1"), "127.0.0.2")
        self.assertEqual(self.seen(proxy), "127.0.0.1")

    def test_what_a_client_wrote_itself_counts_for_nothing(self):
        self.start(console="trusted_proxies 127.0.0.1 10.0.0.0/8;", auth="failure_delay 0s;")
        proxy = self.browser("127.0.0.1")
        self.assertEqual(self.seen(proxy, X_Forwarded_For="203.0.113.9, 192.0.2.1, 10.0.0.7"), "192.0.2.1")
        self.assertEqual(self.seen(proxy, X_Forwarded_For="203.0.113.9, rubbish"), "127.0.0.1")
        self.assertEqual(self.seen(proxy, Forwarded="for=203.0.113.9"), "127.0.0.1")
        # in a field of its own, before that of the proxy
        host = f"Host: 127.0.0.1:{self.http}\r\n".encode()
        self.send(b"POST /api/v1/session HTTP/1.1\r\n" + host + b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.7\r\n"
                  b'Content-Type: application/json\r\nConnection: close\r\nContent-Length: 17\r\n\r\n{"token":"wrong"}')
        self.assertEqual(self.msad.wait_for_event("console-sign-in-refused", ip="192.0.2.7")[0]["ip"], "192.0.2.7")

    def test_the_limits_of_addresses_hold_for_whom_a_proxy_brings(self):
        self.start(console="trusted_proxies 127.0.0.1;")
        proxy = self.browser("127.0.0.1")

        def ask(client):
            return proxy.call("GET", "/pools", headers={"Authorization": "Bearer x", "X-Forwarded-For": client})[0]
        self.assertEqual([ask("192.0.2.1") for _ in range(TRIES + 1)], [401] * TRIES + [429])
        self.assertEqual(ask("192.0.2.2"), 401)
        self.assertEqual(ask("198.51.100.1, 192.0.2.1"), 429, "and no word before the proxy's own changes it")

    def test_the_standards_field_is_read_where_it_is_configured(self):
        self.start(console="trusted_proxies 127.0.0.1; proxy_header forwarded;", auth="failure_delay 0s;")
        proxy = self.browser("127.0.0.1")
        self.assertEqual(self.seen(proxy, Forwarded='for="192.0.2.1:80";proto=https'), "192.0.2.1")
        self.assertEqual(self.seen(proxy, X_Forwarded_For="192.0.2.1"), "127.0.0.1")


@unittest.skipUnless(os.geteuid() == 0, "NOT TESTED: only root can come as somebody else")
class SocketPeers(ApiCase):
    # Stands for a program of another user: method, path, body; prints status and answer.
    PROGRAM = ("import http.client, socket, sys\n"
               "c = http.client.HTTPConnection('msad')\n"
               "c.sock = socket.socket(socket.AF_UNIX)\n"
               "c.sock.connect(sys.argv[1])\n"
               "c.request(sys.argv[2], sys.argv[3], sys.argv[4] or None, {'Content-Type': 'application/json'})\n"
               "a = c.getresponse()\n"
               "print(a.status, a.read().decode())\n")

    def ask_as(self, uid, gid, method, path, body=""):
        run = subprocess.run([sys.executable, "-c", self.PROGRAM, f"{self.msad.directory}/run/console.sock", method, path, body],
                             user=uid, group=gid, extra_groups=[], capture_output=True, text=True, cwd="/", timeout=harness.WAIT_S,
                             check=True)
        status, _, answer = run.stdout.partition(" ")
        return int(status), json.loads(answer)

    def role_of(self, uid, gid):
        return self.ask_as(uid, gid, "GET", "/api/v1/session")[1]["role"]

    def test_a_user_id_has_the_role_that_is_listed(self):
        self.start(console="support_uids 12345; portal_uids 12346; operator_uids 12347;")
        ours = pwd.getpwnam("nobody").pw_gid
        self.assertTrue(grp.getgrgid(ours))
        self.assertEqual(self.role_of(0, 0), "operator")
        self.assertEqual(self.role_of(12345, ours), "support")
        self.assertEqual(self.role_of(12346, ours), "portal")
        self.assertEqual(self.role_of(12347, ours), "operator")
        self.assertEqual(self.role_of(12348, ours), "operator", "a member of the group, as before")
        status, refused = self.ask_as(12345, ours, "POST", "/api/v1/reload", '{"why":"x"}')
        self.assertEqual((status, refused["type"]), (403, "urn:msad:problem:role"))
        # nor by the operations' own names, by which msactl goes
        for op in ("supervisor.reload", "queue.flush", "account.remove", "token.add"):
            self.assertIn(self.ask_as(12345, ours, "POST", f"/api/v1/{op}", "{}")[0], (404, 405), op)
        status, suspended = self.ask_as(12345, ours, "POST", f"/api/v1/accounts/{TARO}/suspension", '{"why":"by telephone"}')
        self.assertEqual(status, 200, suspended)
        told = self.msad.ctl_json("audit", "list")["audit"][0]
        self.assertEqual((told["actor"], told["op"]), ("uid:12345", "restriction.suspend"))

    def test_who_is_not_listed_and_no_member_is_refused(self):
        self.start()
        socket_path = f"{self.msad.directory}/run/console.sock"
        os.chmod(socket_path, 0o666)  # the mode is one lock, this the other
        os.chmod(os.path.dirname(socket_path), 0o755)
        self.assertEqual(self.ask_as(12345, 12345, "GET", "/api/v1/session")[0], 403)
        self.assertEqual(self.ask_as(12345, 12345, "POST", "/api/v1/queue.flush", "{}")[0], 403)
