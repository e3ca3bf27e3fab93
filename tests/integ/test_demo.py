"""make run: conf/demo/run.sh, in a directory of the test's own."""

import glob
import os
import re
import shutil
import signal
import subprocess
import unittest

import harness

SCRIPT = os.path.join(harness.ROOT, "conf/demo/run.sh")


def processes_of(home):
    """Command lines that name something below this directory."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                line = file.read()
        except OSError:
            continue  # gone meanwhile
        if os.fsencode(home) in line:
            found.append(line.replace(b"\0", b" "))
    return found


class Demo(harness.Case):
    def setUp(self):
        super().setUp()
        os.chmod(self.directory, 0o755)  # as root, the roles run as nobody
        self.home = os.path.join(self.directory, "demo")

    def start(self, argv=(SCRIPT,), **env):
        return harness.Child(list(argv), self.directory, "run",
                             env={"MSAD_BUILD": harness.BUILD, "MSAD_DEMO_DIR": self.home, **env})

    def run_once(self, argv=(SCRIPT,)):
        """What it says, from start to end."""
        child = self.start(argv, MSAD_DEMO_ONCE="1")
        status = child.process.wait(harness.WAIT_S)
        self.assertEqual(status, 0, child.log())
        self.assertEqual(processes_of(self.home), [])
        return child.log()

    def test_twice_in_a_row_a_message_goes_all_the_way(self):
        passwords = []
        for _ in range(2):
            said = self.run_once()
            passwords += re.findall(r"(?:taro|hana)@demo\.test +password +(\S{16})$", said, re.M)
            self.assertRegex(said, r"submission +127\.0\.0\.1:\d+ +STARTTLS")
            self.assertRegex(said, r"pages +https://localhost:\d+/")
            (path,) = glob.glob(self.home + "/arrived/*.eml")
            self.assertIn(path, said)
            with open(path, encoding="ascii") as file:
                message = file.read()
            self.assertRegex(message, r"^Received: from demo\.test \(\[127\.0\.0\.1\]\)\s+by localhost")
            self.assertIn("(TLSv1.3 TLS_", message, "Received says how it came")
            self.assertIn("Subject: The first message\n", message)
            self.assertIn("  | Subject: The first message\n", said, "it is shown")
        self.assertEqual(len(set(passwords)), 4, "fresh passwords for two accounts, each time")

    def test_serves_until_ctrl_c_and_leaves_nothing_running(self):
        child = self.start()
        self.addCleanup(child.kill)
        child.wait_for_line(r"^Serving until Ctrl-C")
        password = re.search(r"taro@demo\.test +password +(\S+)", child.log()).group(1)
        implicit = re.search(r"submissions +127\.0\.0\.1:(\d+)", child.log()).group(1)
        subprocess.run(["curl", "-sS", "--ssl-reqd", "--cacert", self.home + "/demo.crt",
                        f"smtps://127.0.0.1:{implicit}/test", "--user", "taro@demo.test:" + password,
                        "--mail-from", "taro@demo.test", "--mail-rcpt", "friend@example.com", "--crlf",
                        "--upload-file", self.home + "/first.eml"], check=True, timeout=harness.WAIT_S)
        child.wait_for_line(r"^  message from=<taro@demo\.test> to=<friend@example\.com> subject=\"The first")
        self.assertEqual(child.stop(signal.SIGINT), 0)
        self.assertEqual(processes_of(self.home), [])

    def test_commands_that_it_shows_work(self):
        child = self.start()
        self.addCleanup(child.kill)
        child.wait_for_line(r"^Serving until Ctrl-C")
        commands = re.findall(r"^    (\S*msactl -f .*)$", child.log(), re.M)
        self.assertGreaterEqual(len(commands), 4)
        events, = (command for command in commands if " events " in command)
        follower = harness.Child(events.split()[:4], self.directory, "events")
        self.addCleanup(follower.kill)
        commands.remove(events)
        for command in commands:
            with self.subTest(command=command):
                subprocess.run(command, shell=True, check=True, capture_output=True, cwd=harness.ROOT,
                               timeout=harness.WAIT_S)
        subprocess.run([*events.split()[:3], "reload"], check=True, capture_output=True, cwd=harness.ROOT,
                       timeout=harness.WAIT_S)
        follower.wait_for_line(r"config")
        self.assertEqual(child.stop(signal.SIGTERM), 0)

    def test_second_one_in_the_same_home_is_refused(self):
        child = self.start()
        self.addCleanup(child.kill)
        child.wait_for_line(r"^Serving until Ctrl-C")
        second = subprocess.run([SCRIPT], capture_output=True, text=True, timeout=harness.WAIT_S, check=False,
                                env={**os.environ, "MSAD_BUILD": harness.BUILD, "MSAD_DEMO_DIR": self.home})
        self.assertEqual(second.returncode, 1)
        self.assertIn("another demo is running", second.stderr)
        self.assertEqual(child.stop(signal.SIGINT), 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_as_a_normal_user(self):
        programs = os.path.join(self.directory, "programs")  # the checkout may be where only root can look
        os.makedirs(programs + "/build/tests")
        shutil.copytree(os.path.dirname(SCRIPT), programs + "/conf/demo")
        for name in ("rules.conf", "score.conf"):
            shutil.copy(os.path.join(harness.ROOT, "conf", name), programs + "/conf")
        for name in ("msad", "msactl", "tests/sink"):
            shutil.copy(os.path.join(harness.BUILD, name), f"{programs}/build/{name}")
        os.mkdir(self.home)
        shutil.chown(self.home, "nobody")
        self.start(["chmod", "-R", "a+rX", programs]).process.wait(harness.WAIT_S)
        user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env",
                "MSAD_BUILD=" + programs + "/build"]
        self.assertIn("  | Subject: The first message\n", self.run_once([*user, programs + "/conf/demo/run.sh"]))
