#!/usr/bin/python3
"""msad beside a Postfix that does the same job, in one run: the same generator, users, sink and machine, workloads
interleaved. Prints a table and writes build/bench/*.json.

usage: bench.py [--peers msad,msad-queue,msad-score,postfix]
                [--workloads w1,w2,w3,w4,w6,w7,open,h0,h50,h2000,hdrop,policy,delegation]
                [--runs 3] [--seconds 5] [--idle 5000] [--down 20000] [--rate 10000] [--no-pin]

Servers run on CPU 0, generator and sink on the others, where there are several. Server CPU counts every process of
the server, those that have ended included, until the sink holds every message that was accepted: so delivery is
in it. Throughput moves with whatever else the machine does; CPU per unit moves little, and is what to compare.

policy and delegation are questions of mail servers, to a msad of its own: as fast as 64 connections go, then --rate a
second, latencies counted from the time that was meant. A question alone costs up to three times the CPU of one among
many, which share wake-ups; --no-pin gives the server all of the machine."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integ"))

import harness  # noqa: E402
import peers  # noqa: E402

LOAD = os.path.join(harness.BUILD, "tests/load")
POLICY_LOAD = os.path.join(harness.BUILD, "tests/policy_load")
POLICY_WORKLOADS = ("policy", "delegation")  # of msad alone: nobody else answers these questions
POLICY_CONNECTIONS = 64
DRAIN_LIMIT_S = 300


class Bench:
    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        cpus = sorted(os.sched_getaffinity(0))
        pins = options.pin and len(cpus) > 1
        self.server_cpus = {cpus[0]} if pins else None
        self.client_cpus = set(cpus[1:]) if pins else None
        self.sink = harness.Sink(directory, hashes=False, cpus=self.client_cpus)
        self.users = os.path.join(directory, "users")
        with open(self.users, "w", encoding="ascii") as file:
            file.writelines(f"{user}:{password}\n" for user, password in peers.USERS.items())
        takes_mail = set(options.workloads) - set(POLICY_WORKLOADS)
        self.servers = {name: peers.make(name, directory, self.sink.port, self.server_cpus)
                        for name in options.peers if takes_mail}
        self.policy_server = None

    def stop(self):
        for program in [*self.servers.values(), self.policy_server, self.sink]:
            if program:
                program.stop()

    def servers_of(self, workload):
        if workload not in POLICY_WORKLOADS:
            return self.servers
        if not self.policy_server:
            self.policy_server = peers.PolicyServer(self.directory, self.sink.port, self.server_cpus)
        return {"msad": self.policy_server}

    def as_client(self, command):
        """Runs a generator to its end; its last line."""
        run = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=1200,
            preexec_fn=self.client_cpus and (lambda: os.sched_setaffinity(0, self.client_cpus)))
        return json.loads(run.stdout.splitlines()[-1])

    def load(self, server, *arguments):
        """What the generator of mail saw."""
        seen = self.as_client([LOAD, "--to", f"127.0.0.1:{server.port}", "--users", self.users, *arguments])
        if not seen["messages"] and not seen["auth_failures"] and not seen["handshakes"]:
            raise SystemExit(f"{server.name} did nothing: {seen['errors']}")
        return seen

    def wait_for_delivery(self, count, flush=lambda: None):
        """Seconds until the sink holds `count` messages in all; None if it never did. Flushes every few seconds:
        what was on its way when the smarthost came back may have been put off once more."""
        began = flushed = time.monotonic()
        flush()
        while time.monotonic() - began < DRAIN_LIMIT_S:
            if self.sink.counts()["messages"] >= count:
                return time.monotonic() - began
            if time.monotonic() - flushed > 3:
                flushed = time.monotonic()
                flush()
            time.sleep(0.02)
        return None

    # ---- workloads: each returns a dict of figures ----

    def messages(self, server, *arguments):
        before, cpu = self.sink.counts()["messages"], server.cpu_s()
        seen = self.load(server, *arguments)
        took_s = self.wait_for_delivery(before + seen["messages"])
        used_s = server.cpu_s() - cpu
        return {
            "messages": seen["messages"], "per_s": seen["messages_per_s"], "mib_per_s": seen["mib_per_s"],
            "cpu_ms": 1000 * used_s / max(seen["messages"], 1),
            "cpu_ms_per_mib": 1000 * used_s / max(seen["bytes"] / 2**20, 1e-9),
            "dot_p50_ms": seen["eod_ms"].get("p50"), "dot_p99_ms": seen["eod_ms"].get("p99"),
            "session_p50_ms": seen["session_ms"].get("p50"), "delivered": took_s is not None,
            "client_share": seen["client_cpu_share"], "errors": seen["errors"],
        }

    def timed(self, *arguments):
        return [*arguments, "--seconds", str(self.options.seconds)]

    def w1(self, server):
        return self.messages(server, *self.timed("--mode", "w1", "--concurrency", "50"))

    def w2(self, server):
        return self.messages(server, *self.timed("--mode", "w2", "--concurrency", "20"))

    def w3(self, server):
        return self.messages(server, *self.timed("--mode", "w3", "--concurrency", "4"))

    def open(self, server):
        return self.messages(server, *self.timed("--mode", "w1", "--rate", "40"))

    def w6(self, server):
        """A wrong password in all, and what of it is neither the session around it nor the check of the password."""
        cpu = server.cpu_s()
        hello = self.load(server, *self.timed("--mode", "hello", "--concurrency", "20"))
        hello_ms = 1000 * (server.cpu_s() - cpu) / max(hello["handshakes"], 1)
        check_ms = server.check_ms()
        cpu = server.cpu_s()
        seen = self.load(server, *self.timed("--mode", "w6", "--concurrency", "20"))
        failures = max(seen["auth_failures"], 1)
        cpu_ms = 1000 * (server.cpu_s() - cpu) / failures
        return {"failures": seen["auth_failures"], "per_s": seen["auth_failures_per_s"], "cpu_ms": cpu_ms,
                "hello_ms": hello_ms, "check_ms": check_ms,
                "beyond_ms": cpu_ms - hello_ms * seen["handshakes"] / failures - check_ms,
                "auth_p50_ms": seen["auth_ms"].get("p50"), "errors": seen["errors"]}

    def w4(self, server):
        """Memory of idle authenticated sessions: what the server holds more than before, divided."""
        count = min(self.options.idle, server.idle_max)
        before_kib = server.pss_kib()
        holder = harness.Child([LOAD, "--to", f"127.0.0.1:{server.port}", "--users", self.users, "--mode", "w4",
                                "--count", str(count)], self.directory, f"hold-{server.name}", cpus=self.client_cpus)
        try:
            holder.wait_for_line(r"^holding", timeout_s=60)
            time.sleep(1)  # what the server gives back when idle, it has given back
            held_kib = server.pss_kib()
        finally:
            holder.stop()
        seen = json.loads(holder.log().splitlines()[-1])
        return {"sessions": seen["held"], "kib_per_session": (held_kib - before_kib) / count,
                "total_mib": held_kib / 1024, "errors": seen["errors"]}

    def w7(self, server):
        """Smarthost down: how fast is mail taken, in quarters; then up: how fast is it handed on."""
        quarter = self.options.down // 4
        self.sink.stop()
        rates, cpus, accepted = [], [], 0
        for _ in range(4):
            cpu = server.cpu_s()
            seen = self.load(server, "--mode", "w2", "--per-session", "20", "--concurrency", "20",
                             "--count", str(quarter))
            rates.append(seen["messages_per_s"])
            cpus.append(1000 * (server.cpu_s() - cpu) / max(seen["messages"], 1))
            accepted += seen["messages"]
        cpu = server.cpu_s()
        self.sink.start()  # its counts begin at 0 again
        drain_s = self.wait_for_delivery(accepted, server.flush)
        return {"accepted": accepted, "per_s": statistics.mean(rates), "quarters_per_s": rates, "quarters_cpu_ms": cpus,
                "cpu_ms": statistics.mean(cpus), "drained": drain_s is not None,
                "drain_per_s": accepted / drain_s if drain_s else 0,
                "drain_cpu_ms": 1000 * (server.cpu_s() - cpu) / max(accepted, 1), "errors": seen["errors"]}

    def handing_over(self, server, count, *faults, is_settled=True):
        """Single messages, fewer at once than there are connections to the smarthost, which does what `faults` say."""
        self.sink.set_faults(*faults)
        try:
            before = self.sink.counts()["messages"]
            seen = self.load(server, "--mode", "w1", "--concurrency", "4", "--count", str(count))
        finally:
            self.sink.set_faults()
        took_s = self.wait_for_delivery(before + seen["messages"], server.flush)
        if not is_settled:
            server.settle()
        return {"messages": seen["messages"], "per_s": seen["messages_per_s"], "dot_p50_ms": seen["eod_ms"].get("p50"),
                "dot_p99_ms": seen["eod_ms"].get("p99"), "delivered": took_s is not None,
                "twice": self.sink.counts()["messages"] - before - seen["messages"], "errors": seen["errors"]}

    def h0(self, server):
        return self.handing_over(server, 1000)

    def h50(self, server):
        return self.handing_over(server, 300, "eod delay 50 ok")

    def h2000(self, server):
        return self.handing_over(server, 40, "eod delay 2000 ok")

    def hdrop(self, server):
        """It takes each message, and is gone before it says so: every one of them has to be sent again (RFC 1047)."""
        return self.handing_over(server, 200, "after-eod drop", is_settled=False)

    # ---- questions of mail servers ----

    def questions(self, server, port, dialect, *arguments):
        """One run of the generator, with the CPU of each role per question."""
        before = server.cpu_s()
        seen = self.as_client([POLICY_LOAD, "--to", f"127.0.0.1:{port}", "--dialect", dialect,
                               "--accounts", str(server.account_count), "--connections", str(POLICY_CONNECTIONS),
                               *self.timed(*arguments)])
        seen["cpu_us"] = {role: 1e6 * (used - before[role]) / max(seen["answers"], 1)
                          for role, used in server.cpu_s().items() if used > before[role]}
        return seen

    def asked_and_paced(self, server, port, dialect, asked_of):
        """As fast as it goes, then at --rate by the clock; a neutral answer that never came to policy is an error."""
        self.questions(server, port, dialect)  # first of all, each account gets its records
        asked = asked_of()
        closed = self.questions(server, port, dialect)
        paced = self.questions(server, port, dialect, "--rate", str(self.options.rate))
        decided = closed["yes"] + closed["no"] + paced["yes"] + paced["no"]
        errors = {key: closed[key] + paced[key] for key in ("nonsense", "unanswered", "connections_lost", "not_asked")}
        errors["undecided"] = decided - (asked_of() - asked)
        return {"per_s": closed["per_s"], "closed_p99_ms": closed["latency_ms"]["p99"],
                "cpu_us": sum(closed["cpu_us"].values()), "paced_p50_ms": paced["latency_ms"]["p50"],
                "paced_p99_ms": paced["latency_ms"]["p99"], "paced_max_ms": paced["latency_ms"]["max"],
                "paced_cpu_us": sum(paced["cpu_us"].values()), "load": os.getloadavg()[0], "closed": closed,
                "paced": paced, "errors": {key: count for key, count in errors.items() if count}}

    def policy(self, server):
        return self.asked_and_paced(server, server.auth_policy, "auth-policy", lambda: server.asked()["mailbox"])

    def delegation(self, server):
        return self.asked_and_paced(server, server.postfix_policy, "postfix", lambda: server.asked()["postfix"])

    def run(self):
        results = {}
        for workload in self.options.workloads:
            repeats = 1 if workload in ("w4", "w7", "h2000", "hdrop") else self.options.runs
            for number in range(repeats):
                for name, server in self.servers_of(workload).items():
                    figures = getattr(self, workload)(server)
                    results.setdefault(name, {}).setdefault(workload, []).append(figures)
                    print(f"# {workload} {name} run {number + 1}/{repeats}: " + brief(figures), flush=True)
        return results


def brief(figures):
    return " ".join(f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}"
                    for key, value in figures.items()
                    if value not in ({}, None) and (key == "errors" or not isinstance(value, dict)))


def median(runs, key):
    values = [run[key] for run in runs if run.get(key) is not None]
    return statistics.median(values) if values else None


QUESTIONS = [("CPU us/question", "cpu_us", ".1f"), ("questions/s", "per_s", ".0f"), ("paced CPU us", "paced_cpu_us", ".1f"),
             ("paced p50 ms", "paced_p50_ms", ".2f"), ("paced p99 ms", "paced_p99_ms", ".2f"),
             ("paced max ms", "paced_max_ms", ".1f")]
DOT = [("dot p50 ms", "dot_p50_ms", ".1f"), ("dot p99 ms", "dot_p99_ms", ".1f"), ("messages/s", "per_s", ".0f")]

# workload: (what a row is, [(heading, key, format)])
TABLES = {
    "w1": ("one 4 KiB message per TLS session", [("CPU ms/message", "cpu_ms", ".2f"), ("messages/s", "per_s", ".0f"),
           ("dot p50 ms", "dot_p50_ms", ".1f"), ("dot p99 ms", "dot_p99_ms", ".1f")]),
    "w2": ("100 pipelined messages per session", [("CPU ms/message", "cpu_ms", ".3f"), ("messages/s", "per_s", ".0f"),
           ("dot p50 ms", "dot_p50_ms", ".1f"), ("dot p99 ms", "dot_p99_ms", ".1f")]),
    "w3": ("10 MiB messages", [("CPU ms/MiB", "cpu_ms_per_mib", ".2f"), ("MiB/s", "mib_per_s", ".0f"),
           ("dot p50 ms", "dot_p50_ms", ".1f"), ("dot p99 ms", "dot_p99_ms", ".1f")]),
    "open": ("40 sessions/s, open loop", [("CPU ms/message", "cpu_ms", ".2f"), ("session p50 ms", "session_p50_ms", ".1f"),
             ("dot p50 ms", "dot_p50_ms", ".1f"), ("dot p99 ms", "dot_p99_ms", ".1f")]),
    "w4": ("idle authenticated TLS sessions", [("KiB PSS/session", "kib_per_session", ".1f"), ("sessions", "sessions", ".0f"),
           ("MiB in all", "total_mib", ".0f")]),
    "w6": ("wrong passwords", [("CPU ms/failure", "cpu_ms", ".2f"), ("of it TLS+EHLO", "hello_ms", ".2f"),
           ("check", "check_ms", ".2f"), ("beyond both", "beyond_ms", ".2f"), ("failures/s", "per_s", ".0f"),
           ("AUTH p50 ms", "auth_p50_ms", ".1f")]),
    "w7": ("smarthost down, then up", [("CPU ms/accepted", "cpu_ms", ".3f"), ("accepted/s", "per_s", ".0f"),
           ("drained/s", "drain_per_s", ".0f"), ("CPU ms/drained", "drain_cpu_ms", ".3f")]),
    "h0": ("the smarthost answers the final dot at once", DOT),
    "h50": ("the smarthost answers the final dot after 50 ms", DOT),
    "h2000": ("the smarthost answers the final dot after 2,000 ms", DOT),
    "hdrop": ("the smarthost is gone between its 250 and ours", DOT),
    "policy": ("Dovecot's auth-policy questions, then --rate of them a second", QUESTIONS),
    "delegation": ("Postfix's policy delegation, then --rate of them a second", QUESTIONS),
}


def print_tables(results):
    """The last column compares the first one with Postfix's."""
    for workload, (title, columns) in TABLES.items():
        rows = {name: runs[workload] for name, runs in results.items() if workload in runs}
        if not rows:
            continue
        print(f"\n{workload}: {title}")
        print("  " + f"{'':12}" + "".join(f"{heading:>18}" for heading, _, _ in columns) + f"{'of Postfix':>14}")
        reference = median(rows["postfix"], columns[0][1]) if "postfix" in rows else None
        for name, runs in rows.items():
            cells = [median(runs, key) for _, key, _ in columns]
            ratio = f"1/{reference / cells[0]:.1f}" if reference and cells[0] else "-"
            print("  " + f"{name:12}" + "".join(
                f"{'-' if cell is None else format(cell, form):>18}" for cell, (_, _, form) in zip(cells, columns)) +
                f"{ratio if name != 'postfix' else '1':>14}")
            for run in runs:
                if run.get("errors") or run.get("delivered") is False or run.get("drained") is False:
                    print(f"    ! {name}: errors {run['errors']}, delivered {run.get('delivered', run.get('drained'))}")


def environment():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    return {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cpu": model, "cores": os.cpu_count(),
            "kernel": platform.release(), "load_before": os.getloadavg()[0]}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = lambda text: [word for word in text.split(",") if word]
    parser.add_argument("--peers", type=words, default=peers.available())
    parser.add_argument("--workloads", type=words, default=list(TABLES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--idle", type=int, default=5000, help="w4: sessions to hold")
    parser.add_argument("--down", type=int, default=20000, help="w7: messages to accept with the smarthost down")
    parser.add_argument("--rate", type=int, default=10000, help="policy, delegation: questions a second")
    parser.add_argument("--no-pin", dest="pin", action="store_false")
    return parser.parse_args()


def main():
    options, facts = parse_options(), environment()
    print("# " + " ".join(f"{key}={value}" for key, value in facts.items()), flush=True)
    with tempfile.TemporaryDirectory(prefix="msad-bench-", dir=harness.BUILD) as directory:
        bench = Bench(options, directory)
        try:
            results = bench.run()
        finally:
            bench.stop()
    print_tables(results)
    folder = os.path.join(harness.BUILD, "bench")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, facts["time"].replace(":", "") + ".json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"environment": facts, "options": vars(options), "results": results}, file, indent=1)
    print(f"\nall runs: {os.path.relpath(path)}")


if __name__ == "__main__":
    main()
