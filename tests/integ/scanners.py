"""Real rspamd, clamd and opendkim, each with an instance of its own in the test's directory, on a high loopback port.
The packages start nothing by themselves here, and nothing of the system's own instances is shared. What is configured
is what conf/services.md tells an operator, but that no name is looked up and nothing is downloaded."""

import os
import pwd
import unittest

import harness

RSPAMD, CLAMD, OPENDKIM = "/usr/bin/rspamd", "/usr/sbin/clamd", "/usr/sbin/opendkim"

# What the only signature of the private database finds.
VIRUS = "MSAD-HARMLESS-TEST-VIRUS"
VIRUS_NAME = "Msad.Test"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def need(path, package):
    """Skips the test loudly without the program."""
    if not os.path.exists(path):
        raise unittest.SkipTest(f"NOT TESTED: {path} is missing (Debian package {package})")


class Service:
    """A program in `directory`/NAME that listens on `port` when it is ready."""

    def __init__(self, directory, name):
        self.name = name
        self.home = os.path.join(directory, name)
        os.mkdir(self.home)
        os.chmod(self.home, 0o777)  # as root, they become somebody else
        os.chmod(directory, 0o755)
        self.port = harness.free_port()
        self.socket = f"127.0.0.1:{self.port}"

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def run(self, *argv, timeout_s=harness.WAIT_S):
        self.argv, self.timeout_s = argv, timeout_s
        self.start()

    def start(self):
        self.child = harness.Child(list(self.argv), self.home, self.name)

        def look():
            if self.child.process.poll() is not None:
                raise AssertionError(f"{self.name} ended:\n{self.child.log()[-4000:]}")
            return harness.can_connect(self.port)
        try:
            harness.wait_for(look, f"{self.name} to listen", self.timeout_s)
        except BaseException:
            self.child.kill()
            raise

    def stop(self):
        return self.child.stop(timeout_s=60)

    def kill(self):
        self.child.kill()


class Clamd(Service):
    def __init__(self, directory, settings="StreamMaxLength 20M"):
        need(CLAMD, "clamav-daemon")
        super().__init__(directory, "clamd")
        self.write("db/test.ndb", f"{VIRUS_NAME}:0:*:{VIRUS.encode().hex()}\n")
        config = self.write("clamd.conf", f"""\
Foreground yes
DatabaseDirectory {self.home}/db
TemporaryDirectory {self.home}
TCPAddr 127.0.0.1
TCPSocket {self.port}
LocalSocket {self.home}/clamd.ctl
LocalSocketMode 666
{settings}
""")
        self.unix_socket = os.path.join(self.home, "clamd.ctl")
        self.run(CLAMD, "-c", config)


class Opendkim(Service):
    def __init__(self, directory, domain="example.test"):
        need(OPENDKIM, "opendkim")
        super().__init__(directory, "opendkim")
        self.key = os.path.join(self.home, "key.pem")
        harness.subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True, capture_output=True)
        config = self.write("opendkim.conf", f"""\
Syslog no
Mode s
Domain {domain}
Selector s1
KeyFile {self.key}
RequireSafeKeys no
Socket inet:{self.port}@127.0.0.1
Canonicalization relaxed/relaxed
OversignHeaders From
""")
        self.run(OPENDKIM, "-f", "-x", config)

    def public_key(self):
        """The TXT record of its selector."""
        pem = harness.subprocess.run(["openssl", "rsa", "-in", self.key, "-pubout"], check=True, capture_output=True,
                                     text=True).stdout
        return "v=DKIM1; k=rsa; p=" + "".join(pem.splitlines()[1:-1])


class Rspamd(Service):
    """The stock configuration, without what would ask the network, and with a small list of top-level domains: that of
    the package takes it half a minute to compile. `milter_port` is its proxy worker, which speaks the milter protocol."""

    OFF = ("rbl asn fuzzy_check spf dmarc arc phishing ratelimit replies reputation greylist history_redis mx_check "
           "neural dkim dkim_signing surbl rspamd_update hfilter").split()

    def __init__(self, directory):
        need(RSPAMD, "rspamd")
        super().__init__(directory, "rspamd")
        self.milter_port = harness.free_port()
        tlds = self.write("tld.dat", "test\nexample\ncom\nnet\norg\njp\n")
        for name, text in {
            "options.inc": f'dns {{ nameserver = ["127.0.0.1:1"]; timeout = 0.2s; retransmits = 1; }}\n'
                           f'url_tld = "{tlds}";\ncontrol_socket = "{self.home}/run/control.sock mode=0600";\n',
            "logging.inc": 'type = "console"; level = "warning";\n',
            "worker-normal.inc": f'bind_socket = "{self.socket}"; count = 1;\n',
            "worker-proxy.inc": f'bind_socket = "127.0.0.1:{self.milter_port}"; count = 1; milter = yes; '
                                f'upstream "local" {{ default = yes; hosts = "{self.socket}"; }}\n',
            "worker-controller.inc": "enabled = false;\n",
            "worker-fuzzy.inc": "enabled = false;\n",
            "milter_headers.conf": 'use = ["x-spam-status"]; extended_spam_headers = true; skip_local = false; '
                                   'skip_authenticated = false;\n',
            **{module + ".conf": "enabled = false;\n" for module in self.OFF},
        }.items():
            self.write(f"conf/override.d/{name}", text)
        for name in ("db", "run", "log"):
            os.mkdir(os.path.join(self.home, name))
            os.chmod(os.path.join(self.home, name), 0o777)
        who = ["-i"] if os.geteuid() == 0 and not self.has_user() else []
        who += ["-u", "_rspamd", "-g", "_rspamd"] if self.has_user() and os.geteuid() == 0 else []
        self.run(RSPAMD, "-f", *who, f"--var=LOCAL_CONFDIR={self.home}/conf", f"--var=DBDIR={self.home}/db",
                 f"--var=RUNDIR={self.home}/run", f"--var=LOGDIR={self.home}/log", timeout_s=100)

    @staticmethod
    def has_user():
        try:
            pwd.getpwnam("_rspamd")
            return True
        except KeyError:
            return False
