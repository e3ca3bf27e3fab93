"""A stand-in identity provider: RFC 7662's introspection over TLS on a loopback address, with an authority of its own."""

import base64
import contextlib
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import harness

CLIENT, SECRET = "msad", "s3cret/with:marks"


def make_authority(directory, name):
    """A CA, and a certificate by it for the name: paths of the CA, the certificate, the key."""
    def path(what):
        return os.path.join(directory, f"{name}.{what}.pem")
    run = dict(check=True, capture_output=True, timeout=harness.WAIT_S)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", f"/CN=authority of {name}", "-keyout", path("ca-key"), "-out", path("ca")],
                   **run)
    with open(path("ext"), "w", encoding="ascii") as file:
        file.write(f"subjectAltName=DNS:{name}\n")
    subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", f"/CN={name}", "-keyout", path("key"), "-out", path("csr")], **run)
    subprocess.run(["openssl", "x509", "-req", "-in", path("csr"), "-CA", path("ca"), "-CAkey", path("ca-key"),
                    "-CAcreateserial", "-days", "2", "-extfile", path("ext"), "-out", path("cert")], **run)
    return path("ca"), path("cert"), path("key")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.provider.connections.append(self.connection)

    def do_GET(self):
        self.server.provider.strays.append(self.path)
        self.send_error(404)

    def do_POST(self):
        provider = self.server.provider
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        pair = ":".join(urllib.parse.quote(word, safe="") for word in (CLIENT, SECRET))
        is_client = self.headers["Authorization"] == "Basic " + base64.b64encode(pair.encode()).decode()
        token = form["token"][0]
        provider.asked.append((self.path, token))
        if not is_client:
            self.answer(401, b'{"error":"invalid_client"}')
            return
        what = provider.tokens.get(token, {"active": False})
        if what == "hang":
            provider.let_go.wait(harness.WAIT_S)
            self.close_connection = True
        elif what == "redirect":
            self.answer(307, b"", f"https://id.test:{provider.port}/elsewhere")
        elif what == "huge":
            self.answer(200, json.dumps({"active": True, "username": "taro@example.test"}).encode() + b" " * (1 << 20))
        elif isinstance(what, bytes):
            self.answer(200, what)
        elif isinstance(what, int):
            self.answer(what, b"{}")
        else:
            self.answer(200, json.dumps(what).encode())

    def answer(self, status, body, location=None):
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True  # whoever asked has heard enough

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that breaks off the handshake


class Provider:
    """tokens: what is said of each: an object, bytes as they are, a status, "hang", "redirect" or "huge". asked: (path,
    token) so far. Other tokens are not active."""

    def __init__(self, directory, name="id.test", port=0):
        self.ca, cert, key = make_authority(directory, name)
        self.tokens, self.asked, self.strays, self.connections, self.let_go = {}, [], [], [], threading.Event()
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.provider, self.port = self, self.server.server_address[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.secret_file = os.path.join(directory, "introspection.secret")
        with open(self.secret_file, "w", encoding="ascii", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(SECRET + "\n")

    def good(self, login, **more):
        """What is said of a token that is good for an hour."""
        return {"active": True, "username": login, "aud": ["mail", "web"], "iss": "https://id.test/",
                "scope": "openid smtp", "exp": int(time.time()) + 3600, **more}

    def block(self, more="", ca=None, name="id.test"):
        return (f"identity_provider {{ introspection https://{name}:{self.port}/introspect; address 127.0.0.1; "
                f"client_id {CLIENT}; client_secret_file {self.secret_file}; ca_file {ca or self.ca}; "
                f"issuer https://id.test/; audience mail; scope smtp; {more} }}")

    def close(self):
        if self.let_go.is_set():
            return
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        for connection in self.connections:  # msad keeps them open
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
