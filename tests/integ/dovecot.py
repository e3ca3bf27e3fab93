"""A real Dovecot, with an instance of its own in the test's directory, as users have it who read mail by IMAP or POP3."""

import grp
import imaplib
import os
import poplib
import pwd
import re
import socket

import harness

DOVECOT = "/usr/sbin/dovecot"

# No waiting after failures: msad is to be seen at work, not Dovecot. The internal users are whoever runs the test: nothing here is shared with the system's own Dovecot.
CONFIG = """\
base_dir = {home}/run
state_dir = {home}/state
log_path = /dev/stderr
info_log_path = /dev/stderr
protocols = imap pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_verbose = yes
auth_failure_delay = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{home}/mail/%u
first_valid_uid = 0
first_valid_gid = 0
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    address = 127.0.0.1
    port = {pop_port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
{passwords}
{last}
"""

# Dovecot has the passwords, and asks msad who may sign in.
OWN_PASSWORDS = """\
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {home}/passwd
}}
!include {sample}
auth_policy_server_url = http://127.0.0.1:{policy_port}/
auth_policy_hash_nonce = of-the-test
"""


def from_somewhere(client, source):
    """The same client of imaplib or poplib, at home at the address `source`."""
    class Client(client):
        def _create_socket(self, timeout):
            return socket.create_connection((self.host, self.port), timeout, source_address=(source, 0))
    return Client


class Dovecot:
    """policy_port: msad's auth-policy door on 127.0.0.1. accounts: name -> password, which Dovecot then has itself; None:
    msad has them. Settings as in the samples that the project ships, then `settings`."""

    def __init__(self, directory, policy_port, accounts, settings="", token=""):
        self.home = os.path.join(directory, "dovecot")
        os.mkdir(self.home, 0o755)
        os.mkdir(os.path.join(self.home, "mail"), 0o777)
        self.policy_port, self.token = policy_port, token
        self.port, self.pop_port = harness.free_port(), harness.free_port()
        user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        os.chown(os.path.join(self.home, "mail"), user.pw_uid, user.pw_gid)
        passwords = self.passwords_of_msad() if accounts is None else self.own_passwords(accounts)
        config = self.write("dovecot.conf", CONFIG.format(
            home=self.home, user=user.pw_name, group=grp.getgrgid(user.pw_gid).gr_name, uid=user.pw_uid,
            gid=user.pw_gid, port=self.port, pop_port=self.pop_port, passwords=passwords, last=settings))
        self.child = harness.Child([DOVECOT, "-F", "-c", config], directory, "dovecot")
        harness.wait_for(lambda: self.is_up() and harness.can_connect(self.port) and harness.can_connect(self.pop_port),
                         "Dovecot to listen")

    def write(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        return path

    def own_passwords(self, accounts):
        self.write("passwd", "".join(f"{name}:{password}\n" for name, password in accounts.items()))
        return OWN_PASSWORDS.format(home=self.home, policy_port=self.policy_port,
                                    sample=os.path.join(harness.ROOT, "conf/dovecot-auth-policy.conf.ext"))

    def passwords_of_msad(self):
        """The samples, with the places that an installation has to fill in."""
        with open(os.path.join(harness.ROOT, "conf/dovecot-msad.lua"), encoding="utf-8") as file:
            script = file.read()
        script = re.sub('^local url = .*$', f'local url = "http://127.0.0.1:{self.policy_port}/verify"', script, flags=re.M)
        script = re.sub('^local token = .*$', f'local token = "{self.token}"', script, flags=re.M)
        path = self.write("dovecot-msad.lua", script)
        with open(os.path.join(harness.ROOT, "conf/dovecot-msad.conf.ext"), encoding="utf-8") as file:
            return file.read().replace("/etc/dovecot/dovecot-msad.lua", path)

    def is_up(self):
        if self.child.process.poll() is not None:
            raise AssertionError(f"dovecot ended:\n{self.child.log()}")
        return True

    def sign_in(self, name, password, source="127.0.0.1"):
        """True if the user gets in by IMAP."""
        with from_somewhere(imaplib.IMAP4, source)("127.0.0.1", self.port, timeout=harness.WAIT_S) as client:
            try:
                client.authenticate("PLAIN", lambda _: f"\0{name}\0{password}".encode())
                return True
            except imaplib.IMAP4.error as error:
                assert "AUTHENTICATIONFAILED" in str(error), error
                return False

    def sign_in_pop(self, name, password, source="127.0.0.1"):
        """True if the user gets in by POP3."""
        client = from_somewhere(poplib.POP3, source)("127.0.0.1", self.pop_port, timeout=harness.WAIT_S)
        try:
            client.user(name)
            client.pass_(password)
            client.quit()
            return True
        except poplib.error_proto as error:
            assert "[AUTH]" in str(error), error
            client.close()
            return False

    def stop(self):
        return self.child.stop()
