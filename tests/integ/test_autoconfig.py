"""Mail programs set themselves up: the URLs that Thunderbird, Outlook and Apple's ask for, read by an XML parser."""

import http.client
import plistlib
import urllib.parse
import xml.etree.ElementTree as tree

import harness
import msad as m

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
