"""SASL EXTERNAL: clients that sign in by a certificate, and those whose certificate is not good."""

import base64
import os
import socket
import ssl
import subprocess

import harness
import msad as m
from talk import Talk

TARO = "taro@example.test"
CA_CONFIG = """\
[ca]
default_ca = this
[this]
database = {folder}/index
serial = {folder}/serial
crlnumber = {folder}/crlnumber
new_certs_dir = {folder}
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


class Authority:
    """One of openssl's own, in a folder, with an index of what it has signed."""

    def __init__(self, directory, name):
        self.folder = os.path.join(directory, name)
        os.mkdir(self.folder)
        for file, text in (("index", ""), ("serial", "01\n"), ("crlnumber", "01\n"),
                           ("ca.cnf", CA_CONFIG.format(folder=self.folder))):
            with open(self.path(file), "w", encoding="ascii") as out:
                out.write(text)
        self.openssl("req", "-x509", *self.new_key("ca.key"), "-days", "2", "-subj", f"/CN={name}", "-out",
                     self.path("ca.pem"))
        self.ca = self.path("ca.pem")

    def path(self, name):
        return os.path.join(self.folder, name)

    def new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.path(name))

    def openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=harness.WAIT_S)

    def sign(self, name, mail=(), ends=None):
        """(certificate, key) of a client with that common name and those mail addresses; `ends`: YYMMDDHHMMSSZ."""
        alternatives = ",".join(f"email:{address}" for address in mail) or "DNS:client.test"
        with open(self.path("ext"), "w", encoding="ascii") as out:
            out.write(f"subjectAltName={alternatives}\nextendedKeyUsage=clientAuth\n")
        cert, key = f"{name}.pem", f"{name}.key"
        self.openssl("req", *self.new_key(key), "-subj", f"/CN={name}", "-out", self.path("csr"))
        self.openssl("ca", "-batch", "-config", self.path("ca.cnf"), "-in", self.path("csr"), "-out", self.path(cert),
                     "-extfile", self.path("ext"), "-startdate", "200101000000Z", "-enddate", ends or "450101000000Z",
                     "-notext")
        return self.path(cert), self.path(key)

    def revoke(self, cert):
        self.openssl("ca", "-config", self.path("ca.cnf"), "-revoke", cert)

    def list_revoked(self):
        self.openssl("ca", "-config", self.path("ca.cnf"), "-gencrl", "-crldays", "2", "-out", self.path("crl.pem"))
        return self.path("crl.pem")


class Certificates(harness.Case):
    def setUp(self):
        super().setUp()
        self.smarthost = self.sink()
        self.authority = Authority(self.directory, "people")

    def start(self, more="", **blocks):
        self.msad = self.stop_later(m.Msad(
            self.directory, self.smarthost.port, auth="mechanisms PLAIN EXTERNAL;",
            listener=f"client_certificates {{ ca_file {self.authority.ca}; {more} }}", **blocks))

    def talk(self, pair=None, version=None):
        """A dialogue within TLS behind EHLO; None when the handshake, or what comes behind it, is refused."""
        context = self.msad.trust()
        if version:
            context.maximum_version = version
        if pair:
            context.load_cert_chain(*pair)
        try:
            talk = Talk(self.msad.tls_port, tls=context)
            talk.expect("", 220)
        except (ssl.SSLError, ConnectionError, AssertionError):
            return None
        talk.hello()
        return talk

    def external(self, pair, authzid=""):
        """(offered, code)."""
        talk = self.talk(pair)
        offered = "EXTERNAL" in talk.capabilities["AUTH"]
        code = talk.ask("AUTH EXTERNAL " + (base64.b64encode(authzid.encode()).decode() or "="))
        talk.close()
        return offered, code

    def test_a_good_one_signs_in_for_its_owner_and_nobody_else(self):
        self.start()
        pair = self.authority.sign("taro", mail=[TARO])
        self.assertEqual(self.external(pair), (True, 235))
        self.assertEqual(self.external(pair, "Taro@EXAMPLE.test"), (True, 235))
        self.assertEqual(self.external(pair, "hana@example.test"), (True, 535))
        self.assertEqual(self.external(pair, "\0"), (True, 501))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            talk = self.talk(pair, version)
            talk.expect("AUTH EXTERNAL", 334)
            self.assertEqual(talk.ask(""), 235)
            talk.close()
        self.msad.msactl("account", "disable", TARO)
        self.assertEqual(self.external(pair), (True, 535))

    def test_who_shows_none_or_nobodys_uses_a_password(self):
        self.start()
        two = self.authority.sign("two", mail=[TARO, "hana@example.test"])
        for pair in (None, self.authority.sign("nobody"), two):
            self.assertEqual(self.external(pair), (False, 504), pair)
        stranger = self.authority.sign("stranger", mail=["stranger@example.test"])
        self.assertEqual(self.external(stranger), (True, 535))
        talk = self.talk()
        talk.sign_in(TARO, m.ACCOUNTS[TARO])
        talk.close()

    def test_foreign_expired_and_revoked_ones_end_the_handshake(self):
        good = self.authority.sign("taro", mail=[TARO])
        revoked = self.authority.sign("revoked", mail=[TARO])
        expired = self.authority.sign("expired", mail=[TARO], ends="240101000000Z")
        foreign = Authority(self.directory, "people2").sign("taro", mail=[TARO])
        self.authority.revoke(revoked[0])
        self.start(f"crl_file {self.authority.list_revoked()};")
        for pair in (revoked, expired, foreign):
            self.assertIsNone(self.talk(pair), pair)
        self.assertEqual(self.external(good), (True, 235))
        self.authority.revoke(good[0])
        self.authority.list_revoked()
        self.msad.reload()
        self.assertIsNone(self.talk(good))

    def test_required_ones_are_required(self):
        self.start("required yes;")
        self.assertIsNone(self.talk())
        self.assertEqual(self.external(self.authority.sign("taro", mail=[TARO])), (True, 235))

    def test_a_map_says_whose_a_subject_is(self):
        path = os.path.join(self.directory, "map")
        with open(path, "w", encoding="ascii") as out:
            out.write(f"# who\n{TARO}  Taro Yamada\nhana@example.test both\n{TARO} both\n")
        self.start(f"map_file {path};")
        self.assertEqual(self.external(self.authority.sign("Taro Yamada", mail=["hana@example.test"])), (True, 235))
        self.assertEqual(self.msad.wait_for_event("auth-ok")[0]["user"], TARO)
        for name in ("both", "Taro", "who"):
            self.assertEqual(self.external(self.authority.sign(name, mail=[TARO])), (False, 504), name)

    def test_under_another_name_of_the_server_the_same_holds(self):
        """SNI moves a handshake to another context, which must keep whom it trusts."""
        cert, key = harness.make_certificate(self.directory, "other.test", ("other.test",))
        self.start(tls=f"certificate {{ cert_file {cert}; key_file {key}; }}")
        foreign = Authority(self.directory, "people2").sign("taro", mail=[TARO])
        for pair, want in ((self.authority.sign("taro", mail=[TARO]), b"EXTERNAL"), (foreign, None)):
            context = ssl.create_default_context(cafile=cert)
            context.load_cert_chain(*pair)
            heard = b""
            try:
                with socket.create_connection(("127.0.0.1", self.msad.tls_port), timeout=harness.WAIT_S) as plain, \
                        context.wrap_socket(plain, server_hostname="other.test") as tls:
                    tls.recv(1000)  # the greeting
                    tls.sendall(b"EHLO client.test\r\n")
                    while b"250 " not in heard:
                        heard += tls.recv(4096) or b"250 gone"
            except (ssl.SSLError, ConnectionError):
                heard = b""
            self.assertEqual(b"EXTERNAL" in heard, want is not None)

    def test_each_handshake_shows_it_anew(self):
        self.start()
        context = self.msad.trust()
        context.load_cert_chain(*self.authority.sign("taro", mail=[TARO]))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context.minimum_version = context.maximum_version = version
            first = Talk(self.msad.tls_port, tls=context)
            first.expect("", 220)
            session = first.socket.session
            first.close()
            self.assertFalse(session and session.has_ticket, version)

    def test_curl_signs_in_by_certificate(self):
        self.start()
        cert, key = self.authority.sign("taro", mail=[TARO])
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", self.msad.cert, "--cert", cert, "--key", key,
             "--url", f"smtp://submit.test:{self.msad.port}/curl.test", "--resolve",
             f"submit.test:{self.msad.port}:127.0.0.1", "--user", f"{TARO}:", "--login-options", "AUTH=EXTERNAL",
             "--mail-from", TARO, "--mail-rcpt", "hana@elsewhere.test", "--upload-file", "-"],
            input=b"Subject: by certificate\r\n\r\nhello\r\n", capture_output=True, timeout=harness.WAIT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.msad.wait_for_event("auth-ok")[0]["mechanism"], "EXTERNAL")
