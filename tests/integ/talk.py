"""A dialogue with an SMTP server, octet by octet: what smtplib is too polite for."""

import base64
import socket
import ssl

import harness


def dot_stuff(message):
    """A message in CRLF lines as it stands between 354 and the final dot, with the dot."""
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"


class Talk:
    """Bytes out, replies in. tls: a context to speak TLS from the first byte. source: the address to come from.
    before: what to send ahead of everything, such as a PROXY header."""

    def __init__(self, port, tls=None, timeout_s=harness.WAIT_S, source=None, before=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s,
                                               source_address=source and (source, 0))
        self.socket.sendall(before)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="submit.test")
        self.file = self.socket.makefile("rb")
        self.capabilities = {}

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def lines(self):
        """The lines of a whole reply, without CRLF; [] at the end of the connection."""
        found = []
        while True:
            line = self.file.readline(200000).decode("latin-1")
            if not line:
                return found
            found.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                return found

    def reply(self):
        """(code, last line) of a whole reply; (0, "") at the end of the connection."""
        lines = self.lines()
        last = lines[-1] if lines else ""
        return (int(last[:3]) if last[:3].isdigit() else 0), last

    def ask(self, line):
        """The code of the reply to a command."""
        return self.say(line)[0]

    def say(self, line):
        """(code, last line) of the reply to a command."""
        self.send(line + "\r\n")
        return self.reply()

    def expect(self, line, code):
        """Sends a command (none, if empty) that must be answered with `code`; the last line of the reply."""
        found, text = self.say(line) if line else self.reply()
        if found != code:
            raise AssertionError(f"{line or 'connected'}: wanted {code}, got {found} {text}")
        return text

    def hello(self, name="client.test"):
        self.send(f"EHLO {name}\r\n")
        lines = self.lines()
        if not lines or lines[-1][:3] != "250":
            raise AssertionError(f"EHLO: {lines}")
        words = [line[4:].split(" ") for line in lines[1:]]
        self.capabilities = {word[0].upper(): word[1:] for word in words}

    def starttls(self, context):
        self.expect("STARTTLS", 220)
        self.file.close()
        self.socket = context.wrap_socket(self.socket, server_hostname="submit.test")
        self.file = self.socket.makefile("rb")

    def auth_plain(self, user, password):
        """(code, last line) of the reply."""
        return self.say("AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())

    def sign_in(self, user, password):
        code, text = self.auth_plain(user, password)
        if code != 235:
            raise AssertionError(f"AUTH PLAIN as {user}: got {code} {text}")

    def begin(self, sender, *recipients, parameters=""):
        self.expect(f"MAIL FROM:<{sender}>{parameters}", 250)
        for recipient in recipients:
            self.expect(f"RCPT TO:<{recipient}>", 250)

    def submit(self, sender, recipients, message):
        """One whole message; (code, last line) of the last reply."""
        self.begin(sender, *recipients)
        self.expect("DATA", 354)
        self.send(dot_stuff(message))
        return self.reply()

    def is_over(self):
        """True if nothing comes but the end of the connection."""
        try:
            return self.file.read(1) == b""
        except (ConnectionResetError, ssl.SSLError):
            return True

    def close(self):
        self.file.close()
        self.socket.close()
