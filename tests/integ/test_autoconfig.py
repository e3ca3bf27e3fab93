"""Mail programs set themselves up: the URLs that Thunderbird, Outlook and Apple's ask for, read by an XML parser."""

import http.client
import plistlib
import subprocess
import urllib.parse
import xml.etree.ElementTree as tree

import dovecot
import harness
import msad as m
from api import ApiCase, TARO

BLOCK = ('autoconfig { domain example.jp example.com; name "A & B <mail>"; smtp_host smtp.example.jp; smtp_port 587; '
         'imap_host imap.example.jp; pop_host pop.example.jp; } ')
WELL_KNOWN = "/.well-known/autoconfig/mail/config-v1.1.xml"
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/"
REQUEST = (f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{OUTLOOK}outlook/requestschema/2006"><Request>'
           "<EMailAddress>%s</EMailAddress><AcceptableResponseSchema>"
           f"{OUTLOOK}outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>")


class Autoconfig(harness.Case):
    def start(self, block=BLOCK):
        self.port = harness.free_port()
        smarthost = self.sink()
        self.stop_later(m.Msad(self.directory, smarthost.port,
                               more=f"{block} console {{ http 127.0.0.1:{self.port}; }}"))

    def ask(self, method, path, body=None, host="autoconfig.example.jp"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=harness.WAIT_S)
        connection.request(method, path, body, {"Host": host})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, answer.headers["Content-Type"], text

    def test_thunderbird_finds_the_servers(self):
        self.start()
        for path in (WELL_KNOWN, WELL_KNOWN + "?emailaddress=taro@example.jp",
                     "/mail/config-v1.1.xml?emailaddress=taro%40example.com"):
            status, kind, text = self.ask("GET", path)
            self.assertEqual((status, kind), (200, "text/xml; charset=utf-8"), path)
            provider = tree.fromstring(text).find("emailProvider")
            self.assertEqual([d.text for d in provider.findall("domain")], ["example.jp", "example.com"])
            self.assertEqual(provider.findtext("displayName"), "A & B <mail>")
            servers = [(s.get("type"), s.findtext("hostname"), s.findtext("port"), s.findtext("socketType"),
                        s.findtext("username")) for s in provider if s.tag.endswith("Server")]
            self.assertEqual(servers, [("imap", "imap.example.jp", "993", "SSL", "%EMAILADDRESS%"),
                                       ("pop3", "pop.example.jp", "995", "SSL", "%EMAILADDRESS%"),
                                       ("smtp", "smtp.example.jp", "587", "STARTTLS", "%EMAILADDRESS%")])

    def test_outlook_finds_them(self):
        self.start()
        for path in ("/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"):
            status, _, text = self.ask("POST", path, REQUEST % "o&apos;neil@example.jp", "autodiscover.example.jp")
            self.assertEqual(status, 200)
            space = {"r": f"{OUTLOOK}outlook/responseschema/2006a"}
            account = tree.fromstring(text).find("r:Response/r:Account", space)
            found = [tuple(p.findtext(f"r:{key}", namespaces=space) for key in ("Type", "Server", "Port", "LoginName"))
                     for p in account.findall("r:Protocol", space)]
            self.assertEqual(found, [("IMAP", "imap.example.jp", "993", "o'neil@example.jp"),
                                     ("POP3", "pop.example.jp", "995", "o'neil@example.jp"),
                                     ("SMTP", "smtp.example.jp", "587", "o'neil@example.jp")])

    def test_apple_gets_a_profile_and_the_same_again(self):
        self.start()
        path = "/email.mobileconfig?email=" + urllib.parse.quote("taro+x@example.jp")
        status, kind, text = self.ask("GET", path)
        self.assertEqual((status, kind), (200, "application/x-apple-aspen-config"))
        profile = plistlib.loads(text)
        account, = profile["PayloadContent"]
        self.assertEqual((account["EmailAddress"], account["IncomingMailServerHostName"],
                          account["OutgoingMailServerPortNumber"], account["EmailAccountType"]),
                         ("taro+x@example.jp", "imap.example.jp", 587, "EmailTypeIMAP"))
        self.assertNotEqual(profile["PayloadUUID"], account["PayloadUUID"])
        self.assertEqual(self.ask("GET", path)[2], text)

    def test_what_is_no_question_of_ours_is_refused(self):
        self.start()
        for method, path, body, code in [
                ("GET", "/email.mobileconfig", None, 400), ("GET", "/email.mobileconfig?email=x@example.org", None, 404),
                ("GET", "/email.mobileconfig?email=%3Cb%3E@example.jp", None, 404),
                ("GET", "/email.mobileconfig?email=a%00@example.jp", None, 400),
                ("GET", WELL_KNOWN + "?emailaddress=taro@example.org", None, 404),
                ("GET", "/autodiscover/autodiscover.xml", None, 405), ("POST", WELL_KNOWN, "", 405),
                ("POST", "/autodiscover/autodiscover.xml", "", 400),
                ("POST", "/autodiscover/autodiscover.xml", REQUEST % "&xxe;", 400),
                ("POST", "/autodiscover/autodiscover.xml", REQUEST % "taro@example.org", 404),
                ("POST", "/autodiscover/autodiscover.xml", "<" * 9000, 413)]:
            with self.subTest(method=method, path=path, body=(body or "")[-120:]):
                status, kind, text = self.ask(method, path, body)
                self.assertEqual(status, code)
                self.assertEqual(kind, "application/problem+json")
                self.assertNotIn(b"<", text)
        self.assertEqual(self.ask("GET", "/", host="evil.test")[0], 421, "other paths know their hosts")

    def test_without_the_block_there_is_nothing(self):
        self.start(block="")
        self.assertEqual(self.ask("GET", WELL_KNOWN)[0], 404)


TLS = """ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
service imap-login {{
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imap}
    ssl = yes
  }}
}}
service pop3-login {{
  inet_listener pop3s {{
    address = 127.0.0.1
    port = {pop}
    ssl = yes
  }}
}}
"""


class Used(ApiCase):
    """With nothing but an address and a password curl finds the servers as each mail program does, reads by IMAP and
    POP3 from a real Dovecot, and sends."""

    def start(self):
        self.policy, self.imap, self.pop = (harness.free_port() for _ in range(3))
        super().start(console=f"auth_policy 127.0.0.1:{self.policy};")
        self.msad.reload(more=self.msad.blocks["more"] + "autoconfig { domain example.test; "
                         f"smtp_host submit.test; smtp_port {self.msad.tls_port}; imap_host submit.test; "
                         f"imap_port {self.imap}; pop_host submit.test; pop_port {self.pop}; }} ")
        self.stop_later(dovecot.Dovecot(self.directory, self.policy, None, settings=TLS.format(
            cert=self.msad.cert, key=self.msad.key, imap=self.imap, pop=self.pop)))

    def curl(self, url, *options, host="submit.test", stdin=b""):
        """`host` leads to 127.0.0.1; what came."""
        port = urllib.parse.urlsplit(url).port
        run = subprocess.run(["curl", "--silent", "--show-error", "--fail-with-body", "--cacert", self.msad.cert,
                              "--resolve", f"{host}:{port}:127.0.0.1", *options, url],
                             input=stdin, capture_output=True, timeout=harness.WAIT_S, check=False)
        self.assertEqual(run.returncode, 0, (url, run.stderr, run.stdout))
        return run.stdout

    def use(self, servers, login):
        """servers: (IMAP, POP3 or SMTP, host, port), all inside TLS."""
        password = ["--user", f"{login}:{self.msad.accounts[TARO]}"]
        before = len(self.smarthost.messages())
        for kind, host, port in servers:
            if kind == "IMAP":
                self.assertIn(b"INBOX", self.curl(f"imaps://{host}:{port}/", *password))
            elif kind == "POP3":
                self.curl(f"pop3s://{host}:{port}/", *password)
            else:
                self.curl(f"smtps://{host}:{port}", *password, "--mail-from", login, "--mail-rcpt", "x@elsewhere.test",
                          "--upload-file", "-", stdin=b"Subject: found\r\n\r\nhello\r\n")
        self.assertEqual(len(self.smarthost.messages()), before + 1)

    def test_what_thunderbird_finds_works(self):
        self.start()
        for url, host in ((f"http://autoconfig.example.test:{self.http}/mail/config-v1.1.xml?emailaddress={TARO}",
                           "autoconfig.example.test"),
                          (f"https://submit.test:{self.https}{WELL_KNOWN}", "submit.test")):
            provider = tree.fromstring(self.curl(url, host=host)).find("emailProvider")
            servers = [s for s in provider if s.tag.endswith("Server")]
            self.assertEqual({s.findtext("socketType") for s in servers}, {"SSL"})
            login, = {s.findtext("username").replace("%EMAILADDRESS%", TARO) for s in servers}
            self.use([(s.get("type").upper(), s.findtext("hostname"), s.findtext("port")) for s in servers], login)

    def test_what_outlook_finds_works(self):
        self.start()
        text = self.curl(f"https://submit.test:{self.https}/autodiscover/autodiscover.xml", "--data-binary", REQUEST % TARO,
                         "--header", "Content-Type: text/xml")
        space = {"r": f"{OUTLOOK}outlook/responseschema/2006a"}
        found = tree.fromstring(text).findall("r:Response/r:Account/r:Protocol", space)
        servers = [{e.tag.partition("}")[2]: e.text for e in protocol} for protocol in found]
        for server in servers:
            self.assertEqual((server["SSL"], server["Encryption"], server["AuthRequired"]), ("on", "SSL", "on"))
        self.use([(s["Type"], s["Server"], s["Port"]) for s in servers], servers[0]["LoginName"])

    def test_what_an_iphone_finds_works(self):
        self.start()
        profile = plistlib.loads(self.curl(f"https://submit.test:{self.https}/email.mobileconfig?email={TARO}"))
        account, = profile["PayloadContent"]
        self.assertTrue(account["IncomingMailServerUseSSL"] and account["OutgoingMailServerUseSSL"])
        self.assertEqual(account["IncomingMailServerUsername"], account["OutgoingMailServerUsername"])
        self.use([("IMAP", account["IncomingMailServerHostName"], account["IncomingMailServerPortNumber"]),
                  ("SMTP", account["OutgoingMailServerHostName"], account["OutgoingMailServerPortNumber"])],
                 account["OutgoingMailServerUsername"])
