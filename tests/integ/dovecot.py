"""A real Dovecot, with an instance of its own in the test's directory, as a user has it who reads mail by IMAP."""

import grp
import imaplib
import os
import pwd

import harness

DOVECOT = "/usr/sbin/dovecot"

# No waiting after failures: msad is to be seen at work, not Dovecot. The internal users are whoever runs the test: nothing here is shared with the system's own Dovecot.
CONFIG = """\
base_dir = {home}/run
state_dir = {home}/state
log_path = /dev/stderr
info_log_path = /dev/stderr
protocols = imap
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
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {home}/passwd
}}
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
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
!include {sample}
auth_policy_server_url = http://127.0.0.1:{policy_port}/
auth_policy_hash_nonce = {nonce}
{last}
"""


class Dovecot:
    """accounts: name -> password. policy_port: msad's auth-policy door on 127.0.0.1. Settings as in the sample that the
    project ships, then `settings`."""

    def __init__(self, directory, policy_port, accounts, settings=""):
        self.home = os.path.join(directory, "dovecot")
        os.mkdir(self.home, 0o755)
        os.mkdir(os.path.join(self.home, "mail"), 0o777)
        self.port = harness.free_port()
        user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        with open(os.path.join(self.home, "passwd"), "w", encoding="utf-8") as file:
            file.write("".join(f"{name}:{password}\n" for name, password in accounts.items()))
        os.chmod(os.path.join(self.home, "passwd"), 0o644)
        os.chown(os.path.join(self.home, "mail"), user.pw_uid, user.pw_gid)
        config = os.path.join(self.home, "dovecot.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(home=self.home, user=user.pw_name, group=grp.getgrgid(user.pw_gid).gr_name,
                                     uid=user.pw_uid, gid=user.pw_gid, port=self.port, policy_port=policy_port,
                                     sample=os.path.join(harness.ROOT, "conf/dovecot-auth-policy.conf.ext"),
                                     nonce="of-the-test", last=settings))
        self.child = harness.Child([DOVECOT, "-F", "-c", config], directory, "dovecot")
        harness.wait_for(lambda: self.is_up() and harness.can_connect(self.port), "Dovecot to listen")

    def is_up(self):
        if self.child.process.poll() is not None:
            raise AssertionError(f"dovecot ended:\n{self.child.log()}")
        return True

    def sign_in(self, name, password):
        """True if the user gets in by IMAP."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=harness.WAIT_S) as client:
            try:
                client.login(name, password)
                return True
            except imaplib.IMAP4.error as error:
                assert "AUTHENTICATIONFAILED" in str(error), error
                return False

    def stop(self):
        return self.child.stop()
