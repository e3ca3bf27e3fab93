"""A real Postfix in a directory of its own, on high ports: the smarthost that msad must get along with, and
its peer in the bench. Needs root, as Postfix's master does. The system's own Postfix is neither used nor touched."""

import os
import pwd
import shutil
import subprocess
import unittest

import harness

MASTER = "/usr/lib/postfix/sbin/master"

# Directory of the queue, its group and mode; the owner is postfix. As `postfix check` would make them, which
# takes two seconds for it.
QUEUE = {
    **dict.fromkeys(("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
                     "private", "saved", "trace"), ("postfix", 0o700)),
    "maildrop": ("postdrop", 0o1730),
    "public": ("postdrop", 0o710),
}

# smtpd on one port; every service unchrooted, since the directory has no etc/resolv.conf.
MASTER_CF = """\
{address}:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {directory}/maillog
maillog_file_prefixes = {directory}
myhostname = smarthost.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
biff = no
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
"""

# Everything is delivered to one Maildir, or sent on.
TO_MAILDIR = """\
virtual_mailbox_domains = static:all
virtual_mailbox_base = {directory}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
"""


# Debian's Postfix looks for it in etc/sasl, whatever cyrus_sasl_config_path says.
SMTPD_CONF = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN
sasldb_path: {directory}/sasldb2
"""


class Postfix:
    """settings: further lines of main.cf, as a dict. relayhost: None for a Maildir, or "[host]:port".
    address: of loopback, that it listens on."""

    def __init__(self, directory, relayhost=None, settings=None, name="postfix", cpus=None,
                 address="127.0.0.1"):
        if os.geteuid() != 0:
            raise unittest.SkipTest("Postfix's master needs root")
        self.directory = os.path.join(directory, name)
        self.name, self.port, self.cpus, self.address = name, harness.free_port(), cpus, address
        os.chmod(directory, 0o755)
        self.make_directories()
        nobody = pwd.getpwnam("nobody")
        main = MAIN_CF + (f"relayhost = {relayhost}\n" if relayhost else TO_MAILDIR)
        main = main.format(directory=self.directory, uid=nobody.pw_uid, gid=nobody.pw_gid)
        values = dict(line.split(" =", 1) for line in main.splitlines())
        values.update(settings or {})
        self.write("etc/main.cf", "".join(f"{key} = {value}\n" for key, value in values.items()))
        self.write("etc/sasl/smtpd.conf", SMTPD_CONF.format(directory=self.directory))
        self.write("etc/master.cf", MASTER_CF.format(address=address, port=self.port))
        self.start()

    def make_directories(self):
        for part in ("", "etc", "etc/sasl", "queue", "queue/pid", "data", "mail"):
            os.mkdir(self.path(part), 0o755)
        shutil.chown(self.path("data"), "postfix", "postfix")
        shutil.chown(self.path("mail"), "nobody", "nogroup")
        for part, (group, mode) in QUEUE.items():
            os.mkdir(self.path("queue", part))
            shutil.chown(self.path("queue", part), "postfix", group)
            os.chmod(self.path("queue", part), mode)

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        self.child = harness.Child([MASTER, "-c", self.path("etc"), "-s"], self.directory, self.name,
                                   cpus=self.cpus)
        harness.wait_for(self.is_up, "Postfix to listen")

    def is_up(self):
        if self.child.process.poll() is not None:
            raise AssertionError(f"Postfix did not start:\n{self.child.log()}{self.maillog()}")
        return harness.can_connect(self.port, self.address)

    @property
    def pid(self):
        return self.child.pid

    def maillog(self):
        try:
            with open(self.path("maillog"), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def messages(self):
        """What has been delivered, as bytes: Return-Path, Delivered-To and Received of Postfix come first."""
        new, found = self.path("mail/all/new"), []
        for entry in sorted(os.listdir(new)) if os.path.isdir(new) else ():
            with open(os.path.join(new, entry), "rb") as file:
                found.append(file.read())
        return found

    def wait_for_messages(self, count, timeout_s=harness.WAIT_S):
        return harness.wait_for(lambda: len(found := self.messages()) >= count and found,
                                f"{count} messages in Postfix's Maildir", timeout_s)

    def add_sasl_user(self, user, realm, password):
        """An account for settings with smtpd_sasl_auth_enable."""
        subprocess.run(["saslpasswd2", "-c", "-p", "-f", self.path("sasldb2"), "-u", realm, user],
                       input=password.encode(), check=True, capture_output=True)
        shutil.chown(self.path("sasldb2"), "postfix")

    def stop(self):
        return self.child.stop()  # master takes its children with it

    def kill(self):
        if self.child.process.poll() is None:
            self.child.process.terminate()
        self.child.process.wait()
