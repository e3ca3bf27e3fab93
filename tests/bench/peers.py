"""The servers that bench.py compares, each set up for the same job: STARTTLS, AUTH PLAIN, everything to one
smarthost on loopback without TLS."""

import os
import shutil
import subprocess

import harness
import msad
import postfix

USERS = {f"user{n}@bench.test": f"password-{n}" for n in range(100)}
CHECK_BENCH = os.path.join(harness.BUILD, "tests/check_bench")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def stat_of(pid):
    """(parent, CPU ticks of the process and of its children that it has waited for), or None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            rest = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return int(rest[1]), sum(int(rest[n]) for n in (11, 12, 13, 14))


def tree_of(root):
    """{pid: ticks} of a process and all below it."""
    stats = {int(entry): stat_of(entry) for entry in os.listdir("/proc") if entry.isdigit()}
    stats = {pid: stat for pid, stat in stats.items() if stat}
    children = {}
    for pid, (parent, _) in stats.items():
        children.setdefault(parent, []).append(pid)
    found, queue = {}, [root]
    while queue:
        pid = queue.pop()
        if pid in stats:
            found[pid] = stats[pid][1]
            queue += children.get(pid, [])
    return found


class Server:
    """What the bench asks of a server; `program` has pid, port and stop()."""

    idle_max = 1 << 30

    def __init__(self, name, program):
        self.name, self.program, self.port = name, program, program.port

    def cpu_s(self):
        return sum(tree_of(self.program.pid).values()) / TICKS_PER_S

    def pss_kib(self):
        total = 0
        for pid in tree_of(self.program.pid):
            try:
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                    total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
            except OSError:
                pass  # ended meanwhile
        return total

    def check_ms(self):
        """CPU of one check of a password; Postfix's SASL compares it as it is stored, in plain text."""
        return 0.0

    def settle(self):
        """After a smarthost's failure: until nothing of it is left in the queue, as far as the server can tell."""

    def stop(self):
        self.program.stop()


class PostfixServer(Server):
    idle_max = 500  # one process each

    def __init__(self, directory, smarthost, cpus):
        cert, key = harness.make_certificate(directory, "postfix.test")
        settings = {
            "smtpd_tls_security_level": "may", "smtpd_tls_auth_only": "yes",
            "smtpd_tls_cert_file": cert, "smtpd_tls_key_file": key,
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_security_options": "noanonymous", "smtpd_sasl_local_domain": "bench.test",
            # the generator is not trusted for its address: it has to sign in
            "mynetworks": "", "default_process_limit": "600", "smtpd_error_sleep_time": "0",
            "smtpd_soft_error_limit": "1000", "smtpd_hard_error_limit": "1000", "message_size_limit": "52428800",
            "default_destination_concurrency_limit": "100", "initial_destination_concurrency": "100",
            "smtp_connection_cache_on_demand": "yes", "smtp_connection_cache_destinations": f"[127.0.0.1]:{smarthost}",
            "qmgr_message_active_limit": "200000", "qmgr_message_recipient_limit": "200000",
        }
        program = postfix.Postfix(directory, relayhost=f"[127.0.0.1]:{smarthost}", settings=settings, cpus=cpus)
        for user, password in USERS.items():
            program.add_sasl_user(*user.split("@"), password)
        super().__init__("postfix", program)

    def flush(self):
        subprocess.run(["postqueue", "-c", self.program.path("etc"), "-f"], check=True)


class MsadServer(Server):
    def __init__(self, name, directory, smarthost, cpus, handover, content_scoring):
        program = msad.Msad(
            directory, smarthost, accounts=USERS, name=name, cpus=cpus, log="level info;",
            top="workers 2;", pool=f"handover {handover};", auth="failure_delay 0s;",
            limits="message_size 50M; sessions 100000; preauth_sessions 100000; sessions_per_address 100000; "
                   "preauth_sessions_per_address 100000; messages_per_session 100000;",
            policy="messages off; recipients off;", more=f"accounts {{ content_scoring {content_scoring}; }}")
        super().__init__(name, program)
        self.cpus = cpus

    def check_ms(self):
        command = [CHECK_BENCH]
        if self.cpus:
            command = ["taskset", "-c", ",".join(map(str, self.cpus)), *command]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def flush(self):
        self.program.msactl("queue", "flush")

    def settle(self):
        self.flush()
        self.program.wait_for_empty_queue(timeout_s=120)


# What Postfix does with a message has no look at its content in it; the third shows what that look costs.
MSAD_SETTINGS = {"msad": ("immediate", "no"), "msad-queue": ("queue", "no"), "msad-score": ("immediate", "yes")}


class PolicyServer:
    """msad with the rules as it ships them, asked by mail servers about accounts that read and send there."""

    account_count = 20000
    # of the password "bench"; nobody signs in here
    secret = "$5$rounds=1000$benchbenchbench$NzxhvEFj3op5FcZObPZMIY5ulb2E0CDnVM71bIZoDrD"

    def __init__(self, directory, smarthost, cpus):
        self.auth_policy, self.postfix_policy = harness.free_port(), harness.free_port()
        doors = f"auth_policy 127.0.0.1:{self.auth_policy}; postfix_policy 127.0.0.1:{self.postfix_policy};"
        rules = os.path.join(harness.ROOT, "conf/rules.conf")
        self.msad = msad.Msad(directory, smarthost, accounts={}, name="policy", cpus=cpus, log="level info;",
                              more=f'console {{ {doors} }} include "{rules}";')
        path = os.path.join(directory, "accounts")
        with open(path, "w", encoding="ascii") as file:
            file.writelines(f"user{n}@bench.test:{self.secret}\n" for n in range(self.account_count))
        self.msad.msactl("account", "import", path)

    def cpu_s(self):
        """Seconds of CPU so far, by role."""
        used = {}
        for role, pid in self.msad.processes():
            used[role] = used.get(role, 0) + stat_of(pid)[1] / TICKS_PER_S
        return used

    def asked(self):
        """How many questions have come to policy itself, by door."""
        policy, = self.msad.ctl_json("status")["policy"]
        questions = policy["questions"]
        return {"mailbox": policy["mailbox"]["asked"],
                "postfix": questions["mail"]["asked"] + questions["quota"]["asked"]}

    def stop(self):
        self.msad.stop()


def make(name, directory, smarthost, cpus):
    if name == "postfix":
        return PostfixServer(directory, smarthost, cpus)
    return MsadServer(name, directory, smarthost, cpus, *MSAD_SETTINGS[name])


def available():
    found = list(MSAD_SETTINGS)
    if os.geteuid() == 0 and os.path.exists(postfix.MASTER) and shutil.which("saslpasswd2"):
        found.append("postfix")
    return found
