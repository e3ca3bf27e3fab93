"""What a hostile client of the API and the pages cannot do: ambiguous requests, malformed and greedy input, names of
others, slowness."""

import gzip
import os
import re
import socket
import subprocess

import harness
from api import ApiCase, Browser, HANA, TARO


class Input(ApiCase):
    def test_json_is_strict_and_bounded(self):
        self.start()
        operator = self.bearer("operator")
        path = f"/accounts/{TARO}/settings"
        bad = {b"": 422, b"{": 400, b"[]": 400, b"null": 400, b'{"why":"x","why":"y"}': 400,
               b'{"why":"x"} {}': 400, b"{'why':'x'}": 400, b'{"why":"x",}': 400, b'{"why":"\\ud800"}': 400,
               b'{"why":"\xff"}': 400, b'{"why":"\\u0000"}': 400, b'{"a":' * 9 + b"1" + b"}" * 9: 400,
               b"[" * 100000: 400, b'{"why":"x","overseas":"maybe"}': 422, b'{"why":"x","home":"JP"}': 422,
               b'{"why":"x","home":[1]}': 422, b'{"why":"x","unheard_of":1}': 422, b'{"overseas":"block"}': 422,
               b'{"why":""}': 422, b'{"why":"' + b"x" * 501 + b'"}': 422, b'{"why":1}': 422,
               b'{"why":"x","normalize_newlines":"true"}': 422, b'{"why":"x","login":"' + HANA.encode() + b'"}': 422,
               b'{"why":"x","account":1}': 422}
        for body, wanted in bad.items():
            status, problem = operator.call("PATCH", path, body)
            self.assertEqual(status, wanted, (body[:80], problem))
            self.assertTrue(problem["type"].startswith("urn:msad:problem:"), problem)
            self.assertEqual(problem["status"], status)
        status, problem = operator.call("PATCH", path, {"unheard_of": 1})
        self.assertEqual((status, problem["member"]), (422, "unheard_of"))
        announced = self.send(b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n{")
        self.assertEqual(announced[:13], b"HTTP/1.1 413 ")
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        grown = self.send(b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 16 + b"0\r\n\r\n")
        self.assertEqual(grown[:13], b"HTTP/1.1 413 ")

    def test_queries_are_strict_and_bounded(self):
        self.start()
        operator = self.bearer("operator")
        for query, wanted in (("limit=1", 200), ("limit=0", 422), ("limit=1001", 422), ("limit=-1", 422),
                              ("limit=1x", 422), ("limit=", 422), ("limit=1&limit=2", 422), ("unheard_of=1", 422),
                              ("limit=%31", 200), ("limit=%3", 400), ("limit=%zz", 400), ("cursor=%00", 400),
                              ("cursor=%ff", 400), ("cursor=" + "x" * 401, 422), ("cursor=" + "x" * 1200, 400),
                              ("limit=99999999999999999999", 422)):
            self.assertEqual(operator.call("GET", f"/accounts?{query}")[0], wanted, query)
        self.assertEqual(operator.raw("GET", "/api/v1/accounts?cursor=" + "x" * 5000)[0], 414)
        status, page = operator.call("GET", "/accounts?limit=1")
        status, rest = operator.call("GET", f"/accounts?limit=1&cursor={page['next']}")
        self.assertEqual([a["login"] for a in page["accounts"] + rest["accounts"]], [HANA, TARO])

    def test_what_a_proxy_could_read_otherwise_is_refused(self):
        self.start()
        head = b"GET /healthz HTTP/1.1\r\n"
        host = f"Host: 127.0.0.1:{self.http}\r\n".encode()
        post = b"POST /api/v1/session HTTP/1.1\r\n" + host
        smuggled = b"GET /metrics HTTP/1.1\r\n" + host + b"\r\n"
        for name, data in {
            "length and encoding": post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
            "encoding and length": post + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled,
            "two lengths": post + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + smuggled,
            "two equal lengths": post + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + smuggled,
            "a list of lengths": post + b"Content-Length: 0, 5\r\n\r\n" + smuggled,
            "a signed length": post + b"Content-Length: +5\r\n\r\nabcde" + smuggled,
            "a length below zero": post + b"Content-Length: -1\r\n\r\n" + smuggled,
            "a hexadecimal length": post + b"Content-Length: 0x5\r\n\r\nabcde" + smuggled,
            "two hosts": head + host + b"Host: evil.example\r\n\r\n",
            "no host": head + b"\r\n",
            "blank before the colon": head + host + b"Content-Length : 5\r\n\r\nabcde",
            "an encoding that is none": post + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled,
            "two encodings": post + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
            "a hundred and one fields": head + host + b"".join(b"X-%d: 1\r\n" % i for i in range(101)) + b"\r\n",
        }.items():
            with self.subTest(name):
                answer = self.send(data)
                self.assertRegex(answer[:13], rb"^HTTP/1.1 (400|413|431|501) ", name)
                self.assertNotIn(b" 200 ", answer, name)  # nothing behind it was taken for another request

    def test_other_hosts_are_not_served(self):
        self.start(console="host_names desk.example.test;")
        for host, wanted in (("evil.example", 421), (f"evil.example:{self.http}", 421), ("127.0.0.1.evil.example", 421),
                             ("localhost", 200), ("submit.test", 200), ("desk.example.test:8443", 200), ("[::1]", 200)):
            for path in ("/", "/api/v1/openapi.json"):
                self.assertEqual(self.browser().raw("GET", path, headers={"Host": host})[0], wanted, host)

    def test_only_pages_are_served(self):
        self.start()
        browser = self.browser()
        for path in ("/../etc/passwd", "/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/.%2e/", "//etc/passwd",
                     "/index.html%00.js", "/%00", "/\\..\\", "/style.css/", "/STYLE.CSS", "/pages/style.css", "/.git/config",
                     "/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/accounts/", "/api/v1//accounts",
                     "/api/v1/../v1/accounts", "/api/v1/account.list", "/api/v1/sign_in.verify", "/metrics"):
            status, _, body = browser.raw("GET", path)
            self.assertEqual(status, 404, path)
            self.assertNotIn(b"root:", body)
        self.assertEqual(browser.raw("POST", "/api/v1/account.list", {})[0], 404)

    def test_a_page_says_what_browsers_need(self):
        self.start()
        browser = self.browser()
        status, headers, body = browser.raw("GET", "/")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
        self.assertNotIn("unsafe", headers["Content-Security-Policy"])
        self.assertEqual((headers["X-Content-Type-Options"], headers["Referrer-Policy"], headers["X-Frame-Options"]),
                         ("nosniff", "no-referrer", "DENY"))
        self.assertEqual(browser.raw("GET", "/", headers={"If-None-Match": headers["ETag"]})[0], 304)
        _, packed, data = browser.raw("GET", "/base.css", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(packed["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(data), browser.raw("GET", "/base.css")[2])
        status, headers, _ = browser.raw("GET", "/api/v1/session")
        self.assertEqual((headers["Cache-Control"], headers["Content-Security-Policy"]),
                         ("no-store", "default-src 'none'; frame-ancestors 'none'"))
        self.assertEqual(self.tls_browser().raw("GET", "/")[1]["Strict-Transport-Security"], "max-age=31536000")


class Slow(ApiCase):
    def wait_until_cut(self, s, drop, part, within_s):
        """Sends `drop` every half second."""
        s.settimeout(0.5)

        def is_cut():
            try:
                s.sendall(drop)
                return s.recv(1) == b""
            except socket.timeout:
                return False
            except OSError:
                return True
        harness.wait_for(is_cut, f"the connection to be cut while its {part} trickles", within_s)

    def test_a_trickled_header_has_one_time(self):
        self.start()
        with socket.create_connection(("127.0.0.1", self.http), timeout=harness.WAIT_S) as s:
            s.sendall(b"GET / HTTP/1.1\r\n")
            self.wait_until_cut(s, b"X: y\r\n", "header", 15)
        self.assertEqual(self.browser().raw("GET", "/healthz")[0], 200)

    def open_files(self):
        return len(os.listdir(f"/proc/{self.msad.role_pids('console')[-1]}/fd"))

    def test_a_trickled_body_has_one_time(self):
        self.start()
        with socket.create_connection(("127.0.0.1", self.http), timeout=harness.WAIT_S) as s:
            s.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                      b"Content-Length: 500\r\n\r\n{")
            self.wait_until_cut(s, b" ", "body", 40)
        self.assertEqual(self.browser().raw("GET", "/healthz")[0], 200)

    def test_who_reads_no_answers_is_cut(self):
        self.start()
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(harness.WAIT_S)
        before = self.open_files()
        plain.connect(("127.0.0.1", self.https))
        with self.msad.trust().wrap_socket(plain, server_hostname="127.0.0.1") as s:
            ask = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
            s.sendall(ask * 200)  # answers of ten megabytes, more than any kernel keeps
            harness.wait_for(lambda: self.open_files() > before, "its connection")
            harness.wait_for(lambda: self.open_files() == before, "its end, though it is open at the other side", 60)
        self.assertEqual(self.browser().raw("GET", "/healthz")[0], 200)


class Lenient(ApiCase):
    """libmicrohttpd takes a bare LF for a line's end, unfolds what RFC 9112 calls obsolete, and knows a field's value up
    to a NUL. A proxy that reads them otherwise would see other requests than we do: so a connection in clear, which
    only proxies have, carries one request and no more."""

    ODD = {
        "bare LF in the header": b"X: y\nContent-Length: 0\r\n",
        "bare LF before a length": b"X: y\nContent-Length: 5\r\n",
        "bare LF before an encoding": b"X: y\nTransfer-Encoding: chunked\r\n",
        "a header that ends in bare LF": b"X: y\n\n",
        "a folded length": b"Content-Length:\r\n 0\r\n",
        "a folded field": b"X: y\r\n Content-Length: 5\r\n",
        "a NUL in a value": b"X: y\0z\r\n",
        "a NUL in a length": b"Content-Length: 0\x005\r\n",
        "a NUL in a name": b"X\0Content-Length: 5\r\n",
        "a bare CR": b"X: y\rContent-Length: 5\r\n",
    }

    def test_nothing_behind_an_odd_header_is_a_request(self):
        self.start()
        host = f"Host: 127.0.0.1:{self.http}\r\n".encode()
        for name, odd in self.ODD.items():
            for method in (b"GET", b"POST"):
                told = self.send(method + b" /healthz HTTP/1.1\r\n" + host + odd + b"\r\n"
                                 b"GET /smuggled HTTP/1.1\r\n" + host + b"\r\n")
                self.assertLessEqual(told.count(b"HTTP/1.1 "), 1, (name, told))
                self.assertNotIn(b"there is nothing at this path", told, name)
        self.assertEqual(self.browser().raw("GET", "/healthz")[0], 200)

    def test_no_guard_is_passed_by_them(self):
        self.start()
        for name, head in {"a folded host": b"Host: evil.example\r\n localhost\r\n",
                           "another host behind a bare LF": b"Host: evil.example\nHost: localhost\r\n",
                           "a host with a NUL": b"Host: evil.example\0localhost\r\n"}.items():
            told = self.send(b"GET /healthz HTTP/1.1\r\n" + head + b"\r\n")
            self.assertFalse(told.startswith(b"HTTP/1.1 200"), (name, told))

    def answers_on_one_connection(self):
        with socket.create_connection(("127.0.0.1", self.https), timeout=harness.WAIT_S) as plain, \
                self.msad.trust().wrap_socket(plain, server_hostname="127.0.0.1") as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                      b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            told = b""
            while piece := s.recv(65536):
                told += piece
        return told.count(b"HTTP/1.1 200")

    def test_a_browsers_connection_goes_on(self):
        self.start()
        self.assertEqual(self.answers_on_one_connection(), 2)

    def test_a_proxys_connection_carries_one_request(self):
        self.start(console="trusted_proxies 127.0.0.1;")
        self.assertEqual(self.answers_on_one_connection(), 1)


class Metrics(ApiCase):
    def test_promtool_takes_the_names(self):
        self.start(console=f"metrics 127.0.0.1:{harness.free_port()};")
        port = int(re.search(r"metrics 127\.0\.0\.1:(\d+)", open(self.msad.config_path, encoding="utf-8").read()).group(1))
        _, _, text = Browser(port).raw("GET", "/metrics")
        _, headers, opened = Browser(port).raw("GET", "/metrics", headers={
            "Accept": "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5"})
        self.assertTrue(headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0"))
        self.assertTrue(opened.endswith(b"# EOF\n"))
        self.assertIn(b"# TYPE msad_messages_handed_over counter\n", opened)
        self.assertIn(b"# TYPE msad_messages_handed_over_total counter\n", text)
        try:
            run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False,
                                 timeout=harness.WAIT_S)
        except FileNotFoundError:
            self.skipTest("NOT TESTED: promtool (package prometheus) is not installed")
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, b"", b""))
