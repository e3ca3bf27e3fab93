"""Programs that integration tests start, each in a directory of its own, on ports that the kernel chooses or
that were free a moment ago; all are ended by their own pid. Nothing here sleeps for luck: every wait is for a
condition, with a deadline."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
BUILD = os.path.abspath(os.environ.get("MSAD_BUILD", os.path.join(ROOT, "build")))
IS_SANITIZED = "asan" in BUILD
WAIT_S = 20  # generous: a sanitizer build on a busy machine; a wait that succeeds ends at once


def wait_for(condition, what, timeout_s=WAIT_S):
    """The first true value of condition(); an AssertionError that says `what` when time is up."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s} s in vain for {what}")
        time.sleep(0.005)


def shared_data(name):
    """The path of `name` under the project's shared data, which lives beside the repository: below $MSA_SHARED or
    ../shared, as seen from here or, in a worktree, from the main checkout. Skips the test loudly without it."""
    git = subprocess.run(["git", "rev-parse", "--path-format=absolute", "--git-common-dir"], cwd=ROOT,
                         capture_output=True, text=True, check=False).stdout.strip()
    roots = [os.environ.get("MSA_SHARED"), os.path.join(ROOT, "../shared"),
             os.path.join(git, "../../shared") if git else None]
    for root in filter(None, roots):
        path = os.path.normpath(os.path.join(root, "data", name))
        if os.path.exists(path):
            return path
    raise unittest.SkipTest(f"NOT TESTED: no shared data {name} (set MSA_SHARED)")


_given_ports = set()


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on now, and that was not given to anybody here before."""
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port not in _given_ports:
            _given_ports.add(port)
            return port


def can_connect(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), timeout=1).close()
        return True
    except OSError:
        return False


def make_certificate(directory, name="localhost", names=("localhost", "127.0.0.1"), days=2, kind="ec"):
    """Self-signed; (certificate, key) as paths."""
    cert, key = (os.path.join(directory, f"{name}.{end}") for end in ("crt", "key"))
    algorithm = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["rsa:2048"]
    alternatives = ",".join(("IP:" if n[0].isdigit() else "DNS:") + n for n in names)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-keyout", key, "-out", cert,
         "-days", str(days), "-subj", f"/CN={name}", "-addext", f"subjectAltName={alternatives}"],
        check=True, capture_output=True)
    return cert, key


class Child:
    """A program with its output, both streams, in a file. cpus: the set that it may run on."""

    def __init__(self, argv, directory, name, env=None, cpus=None):
        self.name, self.directory = name, directory
        self.log_path = os.path.join(directory, name + ".log")
        self.reports = os.path.join(directory, name + ".sanitizer")  # a program may become another user
        os.makedirs(self.reports, exist_ok=True)
        os.chmod(self.reports, 0o777)
        environment = {
            **os.environ,
            "ASAN_OPTIONS": f"log_path={self.reports}/asan:detect_leaks=1:abort_on_error=1"
                            ":verify_asan_link_order=0",  # clock.py preloads a library
            "UBSAN_OPTIONS": f"log_path={self.reports}/ubsan:print_stacktrace=1",
            "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp:print_suppressions=0",
            **(env or {}),
        }
        with open(self.log_path, "ab") as log:
            self.start_offset = log.tell()
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=directory, env=environment, start_new_session=True,
                                            preexec_fn=cpus and (lambda: os.sched_setaffinity(0, cpus)))

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        """What this start of the program has said so far."""
        with open(self.log_path, "rb") as file:
            file.seek(self.start_offset)
            return file.read().decode("utf-8", "backslashreplace")

    def wait_for_line(self, pattern, timeout_s=WAIT_S, after=0):
        """The match of `pattern` behind the first `after` characters of the log; fails early if the program ended."""
        compiled = re.compile(pattern, re.M)

        def look():
            has_ended = self.process.poll() is not None  # asked first: its last words count
            match = compiled.search(self.log(), after)
            if not match and has_ended:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.log()}")
            return match

        return wait_for(look, f"{pattern!r} from {self.name}", timeout_s)

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, timeout_s=WAIT_S):
        """Ends the program; its exit status. One that does not obey is killed, and that is a failure."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not end within {timeout_s} s of {number!r}:\n"
                                 f"{self.log()[-4000:]}") from None
        self.check_reports()
        return status

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def check_reports(self):
        for entry in sorted(os.listdir(self.reports)):
            with open(os.path.join(self.reports, entry), encoding="utf-8", errors="replace") as file:
                raise AssertionError(f"sanitizer report of {self.name}:\n{file.read()}")


class Sink:
    """The smarthost of most tests: build/tests/sink. Faults are rules as in tests/tools/sink/faults.h."""

    def __init__(self, directory, *options, faults=(), port=0, name="sink", store=False, hashes=True, cpus=None):
        self.directory, self.name, self.options = directory, name, list(options)
        self.hashes, self.cpus = hashes, cpus
        self.hash_path = os.path.join(directory, name + ".messages")
        self.script_path = os.path.join(directory, name + ".faults")
        self.store_path = os.path.join(directory, name + ".store") if store else None
        self.port = port
        if store:
            os.makedirs(self.store_path, exist_ok=True)
        self.write_faults(faults)
        self.start()

    def write_faults(self, rules):
        with open(self.script_path, "w", encoding="utf-8") as file:
            file.write("".join(rule + "\n" for rule in rules))

    def start(self):
        """Starts it, again on the same port after a stop."""
        record = ["--store", self.store_path] if self.store_path else []
        record += ["--hash", self.hash_path] if self.hashes else []
        self.child = Child(
            [os.path.join(BUILD, "tests/sink"), "--listen", f"127.0.0.1:{self.port}",
             "--script", self.script_path, *record, *self.options],
            self.directory, self.name, cpus=self.cpus)
        self.port = int(self.child.wait_for_line(r"^listening 127\.0\.0\.1:(\d+)$").group(1))

    def set_faults(self, *rules):
        self.write_faults(rules)
        seen = len(self.child.log())
        self.child.send_signal(signal.SIGHUP)
        self.child.wait_for_line(r"^reloaded$", after=seen)

    def counts(self):
        seen = len(self.child.log())
        self.child.send_signal(signal.SIGUSR1)
        return json.loads(self.child.wait_for_line(r"^\{.*\}$", after=seen).group(0))

    def messages(self):
        """Descriptions of all messages accepted since the first start, in order."""
        if not os.path.exists(self.hash_path):
            return []
        with open(self.hash_path, encoding="ascii") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def wait_for_messages(self, count, timeout_s=WAIT_S):
        return wait_for(lambda: len(found := self.messages()) >= count and found,
                        f"{count} messages at {self.name}", timeout_s)

    def stored(self):
        """[(description, message as bytes)] where store=True was asked for."""
        found = []
        for entry in sorted(os.listdir(self.store_path)):
            if entry.endswith(".json"):
                path = os.path.join(self.store_path, entry)
                with open(path, encoding="ascii") as file, open(path[:-5] + ".eml", "rb") as message:
                    found.append((json.load(file), message.read()))
        return found

    def stop(self):
        return self.child.stop()

    def kill(self):
        self.child.kill()


class Case(unittest.TestCase):
    """A test with a directory of its own, and programs that end with it."""

    def setUp(self):
        keep = tempfile.TemporaryDirectory(prefix="msad-test-")
        self.directory = keep.name
        self.addCleanup(keep.cleanup)

    def stop_later(self, program):
        """Has `program` stopped at the end, whatever happens, and its sanitizer reports looked for; returns it."""
        self.addCleanup(program.stop)
        return program

    def sink(self, *options, **settings):
        return self.stop_later(Sink(self.directory, *options, **settings))


class SharedCase(unittest.TestCase):
    """Tests that share one directory and the programs started in setUpClass, which end behind the last of them."""

    @classmethod
    def setUpClass(cls):
        keep = tempfile.TemporaryDirectory(prefix="msad-test-")
        cls.directory = keep.name
        cls.addClassCleanup(keep.cleanup)

    @classmethod
    def stop_later(cls, program):
        cls.addClassCleanup(program.stop)
        return program
