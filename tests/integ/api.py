"""A client of the API, and a msad that serves it."""

import http.client
import json
import socket

import harness
import msad as m

TARO, HANA = "taro@example.test", "hana@example.test"


class Browser:
    """Requests of one client; keeps its cookie and the token of its session as a page does."""

    def __init__(self, port, tls=None, source=None):
        self.port, self.tls, self.source = port, tls, source
        self.cookie = self.csrf = self.token = None
        self.set_cookie = None

    @property
    def origin(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def connect(self):
        source = (self.source, 0) if self.source else None
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=harness.WAIT_S, context=self.tls,
                                               source_address=source)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=harness.WAIT_S, source_address=source)

    def raw(self, method, path, body=None, headers=None):
        """(status, headers, bytes)"""
        connection = self.connect()
        sent = {"Origin": self.origin}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if self.csrf:
            sent["X-CSRF-Token"] = self.csrf
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        sent.update(headers or {})
        sent = {k: v for k, v in sent.items() if v is not None}
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            is_endless = answer.headers["Content-Type"] == "text/event-stream"
            return answer.status, answer.headers, b"" if is_endless else answer.read()
        finally:
            connection.close()

    def call(self, method, path, body=None, headers=None):
        """(status, parsed body) of a path below /api/v1."""
        status, found, data = self.raw(method, "/api/v1" + path, body, headers)
        self.set_cookie = found.get("Set-Cookie") or self.set_cookie
        return status, json.loads(data) if data else None

    def sign_in(self, **body):
        status, answer = self.call("POST", "/session", body)
        if status == 201:
            self.csrf = answer["csrf_token"]
            self.cookie = self.set_cookie.split(";")[0]
        return status


class ApiCase(harness.Case):
    def start(self, **blocks):
        self.smarthost = self.sink()
        self.http, self.https = harness.free_port(), harness.free_port()
        more = (f"console {{ http 127.0.0.1:{self.http}; https 127.0.0.1:{self.https}; "
                f"{blocks.pop('console', '')} }} {blocks.pop('more', '')}")
        self.msad = self.stop_later(m.Msad(self.directory, self.smarthost.port, more=more, **blocks))

    def browser(self, source=None):
        return Browser(self.http, source=source)

    def tls_browser(self):
        return Browser(self.https, tls=self.msad.trust())

    def customer(self, login=TARO, source=None):
        browser = self.browser(source)
        self.assertEqual(browser.sign_in(login=login, password=self.msad.accounts[login]), 201)
        return browser

    def token(self, role, *options):
        return self.msad.ctl_json("token", "add", "--role", role, "--note", "test", *options)["token"]

    def bearer(self, role, *options):
        browser = self.browser()
        browser.token = self.token(role, *options)
        return browser

    def send(self, data, until_close=True):
        """What comes back for raw bytes."""
        with socket.create_connection(("127.0.0.1", self.http), timeout=harness.WAIT_S) as s:
            s.sendall(data)
            found = b""
            while True:
                try:
                    piece = s.recv(65536)
                except ConnectionResetError:
                    break
                if not piece:
                    break
                found += piece
                if not until_close and b"\r\n\r\n" in found:
                    break
            return found
