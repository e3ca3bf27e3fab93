"""The processes: supervision, privileges, sandboxes, sockets from systemd, log, command lines, msactl."""

import json
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import time
import unittest

import harness
from msad import Msad, fields

ROLES = ("auth", "policy", "score", "relay", "smtp", "console")
IS_ROOT = os.geteuid() == 0
MESSAGE = "Subject: {}\n\nA line.\n"


def status_of(pid):
    """/proc/PID/status as a dict."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def supervisor_of(msad):
    """What the supervisor says of itself and the processes."""
    (answer,) = msad.ctl_json("status")["supervisor"]
    return answer


def submit(msad, subject, timeout_s=harness.WAIT_S):
    """Submits until it is taken: a role that is just being started again makes for an honest 4xx or a lost session."""
    def once():
        try:
            with msad.client("taro@example.test") as client:
                client.sendmail("taro@example.test", ["friend@example.com"], MESSAGE.format(subject))
            return True
        except (smtplib.SMTPServerDisconnected, OSError):
            return False  # smtplib's refusals are OSErrors, too
    harness.wait_for(once, f"a message to be taken: {subject}", timeout_s)


class Wrapped(Msad):
    """msad started by another program, which gets its command line behind its own."""
    wrapper = ()

    def prepare(self):
        pass

    def start(self):
        self.prepare()
        self.child = harness.Child([*self.wrapper, os.path.join(harness.BUILD, "msad"), "-f", self.config_path],
                                   self.directory, self.name)
        self.wait_for_event("serving")


class Supervision(harness.SharedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sink = cls.stop_later(harness.Sink(cls.directory, store=True))
        cls.msad = cls.stop_later(Msad(cls.directory, cls.sink.port))

    def test_nothing_to_send_opens_no_connection_to_the_smarthost(self):
        sink = self.stop_later(harness.Sink(self.directory, name="idle-sink"))
        msad = self.stop_later(Msad(self.directory, sink.port, name="idle"))
        msad.reload(queue="retry 3s;")
        harness.wait_for(lambda: msad.ctl_json("status")["relay"], "an answer of relay")
        self.assertEqual(sink.counts()["sessions"], 0)
        submit(msad, "one")
        self.assertGreater(sink.counts()["sessions"], 0, "the count counts")

    def test_each_role_that_is_killed_is_back_within_a_second_and_service_goes_on(self):
        for role in ROLES:
            with self.subTest(role=role):
                starts = len(self.msad.role_pids(role))
                victim = self.msad.role_pids(role)[-1]
                killed_s = time.monotonic()
                os.kill(victim, signal.SIGKILL)
                self.msad.wait_for_event("role-ready", count=starts + 1, role=role)
                took_s = time.monotonic() - killed_s
                self.assertLess(took_s, 5 if harness.IS_SANITIZED else 1)
                (end,) = self.msad.events("role-ended", role=role, pid=str(victim))
                self.assertEqual(end["signal"], str(int(signal.SIGKILL)))
                submit(self.msad, f"behind the death of {role}")
                harness.wait_for(lambda: any(f"behind the death of {role}".encode() in text
                                             for _, text in self.sink.stored()), "the message to arrive")
                harness.wait_for(lambda: self.msad.msactl("status", check=False).returncode == 0, "msactl to work")

    def test_role_that_cannot_start_is_tried_again_and_left_alone_once_it_can(self):
        folder = os.path.join(self.msad.directory, "state", "auth")
        starts = len(self.msad.role_pids("auth"))
        os.rename(folder, folder + ".away")
        os.kill(self.msad.role_pids("auth")[-1], signal.SIGKILL)
        try:
            self.msad.wait_for_event("role-ended", count=3, role="auth", status="1")
        finally:
            os.rename(folder + ".away", folder)
        self.msad.wait_for_event("role-ready", count=starts + 1, role="auth")
        submit(self.msad, "behind the starts that failed")
        self.assertEqual(self.msad.events("role-killed"), [])
        self.assertEqual(len(self.msad.role_pids("auth")), starts + 1)

    def test_each_role_is_walled_in(self):
        self.msad.wait_for_event("sandbox-closed")
        is_filtered = not harness.IS_SANITIZED  # a sanitizer makes calls of its own
        for process in supervisor_of(self.msad)["processes"]:
            with self.subTest(role=process["role"]):
                status = status_of(process["pid"])
                self.assertEqual(status["NoNewPrivs"], "1")
                if is_filtered:
                    self.assertEqual(status["Seccomp"], "2")
                for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
                    self.assertEqual(int(status[kind], 16), 0, kind)
                wanted = pwd.getpwnam("nobody").pw_uid if IS_ROOT else os.geteuid()
                self.assertEqual(set(status["Uid"].split()), {str(wanted)})
                if IS_ROOT:
                    self.assertNotIn("0", status["Gid"].split() + status["Groups"].split())

    def test_roles_end_with_a_supervisor_that_is_killed(self):
        msad = Msad(self.directory, self.sink.port, name="orphans")
        pids = [pid for role in ROLES for pid in msad.role_pids(role)]
        self.assertGreaterEqual(len(pids), len(ROLES))
        msad.kill()
        harness.wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "the roles to end")


class Starts(harness.Case):
    @unittest.skipUnless(IS_ROOT, "only root can become somebody else")
    def test_without_root_no_role_keeps_the_capability_of_the_supervisor(self):
        class Unprivileged(Wrapped):
            wrapper = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                       "--inh-caps=-all,+net_bind_service", "--ambient-caps=-all,+net_bind_service")

            def prepare(self):
                for folder, _, files in os.walk(self.directory):
                    for name in (folder, *(os.path.join(folder, file) for file in files)):
                        shutil.chown(name, "nobody", "nogroup")

        msad = self.stop_later(Unprivileged(self.directory, self.sink().port))
        nobody = str(pwd.getpwnam("nobody").pw_uid)
        supervisor = status_of(msad.pid)
        self.assertEqual(int(supervisor["CapEff"], 16), 1 << 10, "CAP_NET_BIND_SERVICE was really given")
        for role in ROLES:
            for pid in msad.role_pids(role):
                status = status_of(pid)
                self.assertEqual(set(status["Uid"].split()), {nobody})
                for kind in ("CapEff", "CapPrm", "CapAmb"):
                    self.assertEqual(int(status[kind], 16), 0, f"{kind} of {role}")
        submit(msad, "without root")

    def test_takes_the_sockets_that_systemd_opened(self):
        port = harness.free_port()
        code = ("import os, socket, sys\n"
                "s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen()\n"
                "os.dup2(s.fileno(), 3); os.set_inheritable(3, True)\n"
                "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='submission')\n"
                "os.execv(sys.argv[2], sys.argv[2:])\n")

        class Activated(Wrapped):
            wrapper = (sys.executable, "-c", code, str(port))

        sink = self.sink()
        msad = self.stop_later(Activated(self.directory, sink.port))
        self.assertFalse(harness.can_connect(msad.port), "the address in the configuration is not used")
        self.assertTrue(harness.can_connect(msad.tls_port), "what systemd did not give is opened as ever")
        msad.port = port
        submit(msad, "over a given socket")
        msad.reload(queue="retry 3s;")
        submit(msad, "behind a reload")
        self.assertEqual(len(sink.wait_for_messages(2)), 2)

    def test_leaves_the_control_socket_that_systemd_made_where_it_is(self):
        code = ("import os, socket, sys\n"
                "os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)\n"
                "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()\n"
                "os.dup2(s.fileno(), 3); os.set_inheritable(3, True)\n"
                "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='console')\n"
                "os.execv(sys.argv[2], sys.argv[2:])\n")
        path = os.path.join(self.directory, "msad", "run", "console.sock")

        class Activated(Wrapped):
            wrapper = (sys.executable, "-c", code, path)

        msad = Activated(self.directory, harness.free_port())  # msactl has added accounts over it
        self.addCleanup(msad.kill)
        self.assertEqual(msad.stop(), 0)
        self.assertTrue(os.path.exists(path))

    def test_log_that_was_renamed_is_opened_again_by_every_process(self):
        class Logged(Msad):
            def write_config(self, **changes):
                super().write_config(**changes)
                with open(self.config_path, encoding="utf-8") as file:
                    text = file.read()
                with open(self.config_path, "w", encoding="utf-8") as file:
                    file.write(text.replace("target stderr;", f"target file; file {self.directory}/log;"))

            def start(self):
                self.log_path = self.directory + "/log"
                self.child = harness.Child([os.path.join(harness.BUILD, "msad"), "-f", self.config_path],
                                           self.directory, self.name)
                self.wait_for_event("serving")

            def events(self, event=None, **wanted):
                if not os.path.exists(self.log_path):
                    return []
                with open(self.log_path, encoding="utf-8") as file:
                    found = [line for line in map(fields, file) if line]
                return [line for line in found if event in (None, line["event"]) and
                        all(line.get(k) == v for k, v in wanted.items())]

        msad = self.stop_later(Logged(self.directory, self.sink().port))
        os.rename(msad.log_path, msad.log_path + ".1")
        msad.child.send_signal(signal.SIGUSR1)
        harness.wait_for(lambda: os.path.exists(msad.log_path), "a new log")

        def all_write_there():
            submit(msad, "logged")
            return {"smtp", "relay"} <= {line["by"] for line in msad.events()}
        harness.wait_for(all_write_there, "lines of the roles in the new log")
        size = os.path.getsize(msad.log_path + ".1")
        submit(msad, "logged in the new one")
        self.assertEqual(os.path.getsize(msad.log_path + ".1"), size, "nobody writes to the old one")

    def test_systemd_is_told_how_long_the_end_may_take(self):
        path = os.path.join(self.directory, "notify")
        systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(systemd.close)
        systemd.bind(path)
        os.chmod(path, 0o666)
        systemd.settimeout(harness.WAIT_S)

        class Notifying(Wrapped):
            wrapper = ("env", f"NOTIFY_SOCKET={path}")

        msad = self.stop_later(Notifying(self.directory, harness.free_port(), deadlines="drain 5m;"))
        self.assertIn(b"READY=1", systemd.recv(1024))
        msad.child.send_signal(signal.SIGTERM)
        stopping = dict(line.split("=") for line in systemd.recv(1024).decode().split("\n"))
        self.assertEqual(stopping["STOPPING"], "1")
        self.assertGreater(int(stopping["EXTEND_TIMEOUT_USEC"]), 5 * 60 * 1000000)

    def test_told_to_end_before_it_serves_it_ends_well(self):
        class Hasty(Wrapped):
            def wait_for_event(self, event, count=1, **wanted):
                while not self.processes():
                    pass
                self.child.send_signal(signal.SIGTERM)

        msad = Hasty(self.directory, harness.free_port(), accounts={})
        self.addCleanup(msad.kill)
        self.assertEqual(msad.child.process.wait(harness.WAIT_S), 0, msad.child.log())
        self.assertEqual(msad.events("serving"), [])
        self.assertEqual(msad.events("role-cannot-start"), [])

    def test_second_msad_on_the_same_state_is_refused(self):
        msad = self.stop_later(Msad(self.directory, self.sink().port))
        second = subprocess.run([os.path.join(harness.BUILD, "msad"), "-f", msad.config_path], capture_output=True,
                                text=True, timeout=harness.WAIT_S, check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another msad is running", second.stderr)
        submit(msad, "the first one serves on")


class CommandLine(harness.Case):
    def msad(self, *arguments):
        return subprocess.run([os.path.join(harness.BUILD, "msad"), *arguments], capture_output=True, text=True,
                              timeout=harness.WAIT_S, cwd=self.directory, check=False)

    def write(self, text):
        with open(os.path.join(self.directory, "t.conf"), "w", encoding="utf-8") as file:
            file.write(text)

    def test_check_prints_every_mistake_in_one_pass(self):
        self.write("hostnam a.test;\n"
                   "listener submission { adress 127.0.0.1:2999; auth_without_tls yes; }\n"
                   "limits { recipients 0; }\n"
                   "pool main { smarthost 127.0.0.1:25;\n    tls maybe; }\n")
        run = self.msad("-t", "-f", "t.conf")
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        for pattern in (r"^t\.conf:1:1: unknown setting 'hostnam'.*\(did you mean 'hostname'\?\)$",
                        r"^t\.conf:2:23: unknown setting 'adress'.*did you mean 'address'",
                        r"^t\.conf:3:21: '0' is out of range for 'recipients', use \d+ to \d+$",
                        r"^t\.conf:5:9: 'maybe' is no value of 'tls', use required, opportunistic or off$"):
            self.assertRegex(run.stderr, re.compile(pattern, re.M))

    def test_check_loads_every_certificate_and_key(self):
        cert, _ = harness.make_certificate(self.directory, "a.test", ("a.test",))
        _, other = harness.make_certificate(self.directory, "b.test", ("b.test",))
        with open(os.path.join(self.directory, "junk"), "w", encoding="ascii") as file:
            file.write("junk\n")
        self.write("hostname a.test;\nlistener submission { address 127.0.0.1:2999; }\n"
                   "pool main { smarthost 127.0.0.1:25; }\ntls {\n"
                   f"certificate {{ cert_file {cert}; key_file {other}; }}\n"
                   f"certificate {{ cert_file {self.directory}/gone; key_file {other}; }}\n"
                   f"certificate {{ cert_file {self.directory}/junk; key_file {other}; }}\n}}\n")
        run = self.msad("-t", "-f", "t.conf")
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        for pattern in (rf"^t\.conf:5:\d+: {cert}: the key belongs to another certificate",
                        r"^t\.conf:6:\d+: \S+/gone: cannot read it: No such file or directory$",
                        r"^t\.conf:7:\d+: \S+/junk: the chain does not begin with a certificate in PEM"):
            self.assertRegex(run.stderr, re.compile(pattern, re.M))

    def test_dump_shows_origins_and_is_itself_a_configuration(self):
        self.write("hostname a.test;\nlistener l { address 127.0.0.1:2999; auth_without_tls yes; }\n"
                   "pool main { smarthost 127.0.0.1:25; }\n")
        run = self.msad("-T", "-f", "t.conf")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertRegex(run.stdout, re.compile(r'^hostname "a\.test"; +# t\.conf:1$', re.M))
        self.assertRegex(run.stdout, re.compile(r"^sandbox yes; +# default$", re.M))
        self.write(run.stdout)
        self.assertEqual(self.msad("-t", "-f", "t.conf").returncode, 0)

    def test_version_help_and_nonsense(self):
        with open(os.path.join(harness.ROOT, "conf/VERSION"), encoding="ascii") as file:
            self.assertEqual(self.msad("-V").stdout, f"msad {file.read().strip()}\n")
        self.assertEqual(self.msad("-h").returncode, 0)
        for nonsense in (["-x"], ["-f"], ["file"], ["--role", "nobody"]):
            with self.subTest(nonsense):
                run = self.msad(*nonsense)
                self.assertEqual((run.returncode, run.stdout), (2, ""))
                self.assertIn("usage:", run.stderr)
        self.assertEqual(self.msad("-t", "-f", "gone").returncode, 1)


class Msactl(harness.SharedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # nobody is there: what is submitted waits
        cls.msad = cls.stop_later(Msad(cls.directory, harness.free_port(), queue="retry 1h;"))

    def status(self, *arguments, **settings):
        return self.msad.msactl(*arguments, check=False, **settings).returncode

    def refusal(self, *arguments):
        """The problem document of a refused command."""
        run = self.msad.msactl("--json", *arguments, check=False)
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        problem = json.loads(run.stdout)
        self.assertIn(problem["detail"], run.stderr)
        return problem

    def queue(self):
        return self.msad.ctl_json("queue", "list")["messages"]

    def test_exit_status_says_who_is_to_blame(self):
        self.assertEqual(self.status("status"), 0)
        self.assertEqual(self.status("account", "show", "nobody@example.test"), 1)
        self.assertEqual(self.status("nonsense"), 2)
        self.assertEqual(self.status("-s", self.directory + "/gone", "status"), 3)
        self.assertEqual(self.status("-f", self.directory + "/gone", "status"), 4)

    def test_accounts(self):
        self.msad.msactl("account", "add", "new@example.test", "--stdin", stdin="first secret\n")
        self.assertEqual(self.refusal("account", "show", "gone@example.test")["status"], 404)
        self.assertEqual(self.status("account", "add", "new@example.test", "--stdin", stdin="x y z secret\n"), 1)
        self.msad.client("new@example.test", "first secret").quit()
        self.msad.msactl("account", "passwd", "new@example.test", "--stdin", stdin="second secret\n")
        self.assertRaises(smtplib.SMTPAuthenticationError, self.msad.client, "new@example.test", "first secret")
        self.msad.client("new@example.test", "second secret").quit()
        shown = self.msad.ctl_json("account", "show", "new@example.test")
        self.assertEqual((shown["login"], shown["enabled"]), ("new@example.test", True))
        self.msad.msactl("account", "disable", "new@example.test")
        self.assertRaises(smtplib.SMTPAuthenticationError, self.msad.client, "new@example.test", "second secret")
        self.assertIn("new@example.test", [a["login"] for a in self.msad.ctl_json("account", "list")["accounts"]])
        self.msad.msactl("account", "remove", "new@example.test")
        self.assertEqual(self.status("account", "show", "new@example.test"), 1)

    def test_password_is_no_argument(self):
        run = self.msad.msactl("account", "add", "x@example.test", "a secret", check=False)
        self.assertEqual(run.returncode, 2)
        self.assertEqual(self.status("account", "show", "x@example.test"), 1, "and nothing was added")

    def test_queue(self):
        submit(self.msad, "waits")
        (message,) = self.queue()
        name = message["id"]
        self.assertEqual((message["state"], message["recipient_count"]), ("ready", 1))
        row = self.msad.msactl("queue", "list").stdout.splitlines()[1]
        self.assertRegex(row, rf"^{name} +ready +\d+ +\d+\.\d +\S+Z +(\S+Z|-) +0 .* taro@example\.test +1 ")
        shown = self.msad.ctl_json("queue", "show", name)
        self.assertEqual([r["address"] for r in shown["recipients"]], ["friend@example.com"])
        self.assertIn("Subject: waits", self.msad.msactl("queue", "cat", name).stdout)
        self.assertEqual(self.msad.ctl_json("queue", "hold", name)["message_count"], 1)
        self.assertEqual(self.queue()[0]["state"], "held")
        self.msad.msactl("queue", "flush")
        self.assertEqual(self.queue()[0]["state"], "held", "what is held is not flushed")
        self.assertEqual(self.msad.ctl_json("queue", "release", name)["message_count"], 1)
        self.assertNotEqual(self.queue()[0]["state"], "held")
        self.assertEqual(self.msad.ctl_json("queue", "delete", name)["message_count"], 1)
        self.assertEqual(self.queue(), [])
        self.assertEqual(self.refusal("queue", "show", name)["status"], 404)

    def test_cat_shows_mail_that_is_no_utf8_as_it_is(self):
        with self.msad.client("taro@example.test") as client:
            client.sendmail("taro@example.test", ["friend@example.com"], b"Subject: latin\r\n\r\ncaf\xe9\r\n",
                            mail_options=["BODY=8BITMIME"])
        (message,) = self.queue()
        run = subprocess.run([os.path.join(harness.BUILD, "msactl"), "-f", self.msad.config_path, "queue", "cat",
                              message["id"]], capture_output=True, timeout=harness.WAIT_S, check=True)
        self.msad.msactl("queue", "delete", message["id"])
        self.assertTrue(run.stdout.endswith(b"\r\n\r\ncaf\xe9\r\n"), run.stdout)

    def test_status_names_every_process(self):
        processes = supervisor_of(self.msad)["processes"]
        self.assertEqual({p["role"] for p in processes}, set(ROLES))
        self.assertEqual({p["state"] for p in processes}, {"ready"})
        self.assertIn(str(processes[0]["pid"]), self.msad.msactl("status").stdout)

    def test_reload_of_a_broken_file_is_refused_with_its_mistakes_and_changes_nothing(self):
        before = supervisor_of(self.msad)["generation"]
        with open(self.msad.config_path, encoding="utf-8") as file:
            good = file.read()
        lines = good.count("\n")
        try:
            with open(self.msad.config_path, "a", encoding="utf-8") as file:
                file.write("brokn yes;\nsandbox perhaps;\n")
            run = self.msad.msactl("reload", check=False)
            self.assertEqual(run.returncode, 1)
            for mistake in (rf":{lines + 1}:1: unknown setting 'brokn'", rf":{lines + 2}:9: 'perhaps'"):
                self.assertRegex(run.stderr, mistake)
            self.assertEqual(len(self.refusal("reload")["errors"]), 2)
            self.assertEqual(supervisor_of(self.msad)["generation"], before)
            self.msad.client("taro@example.test").quit()
        finally:
            with open(self.msad.config_path, "w", encoding="utf-8") as file:
                file.write(good)
        self.assertEqual(self.msad.ctl_json("reload")["generation"], before + 1)

    def test_control_socket_is_for_its_owner_and_group(self):
        path = os.path.join(self.msad.directory, "run/console.sock")
        mode = os.stat(path).st_mode & 0o777
        self.assertEqual(mode, 0o660 if IS_ROOT else 0o600)
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            s.sendall(b"GARBAGE\r\n\r\n")
            s.settimeout(harness.WAIT_S)
            while s.recv(1000):
                pass  # until it is closed
        self.assertEqual(self.status("status"), 0, "garbage does no harm")
