"""What is shipped for Prometheus and Grafana: its own checker takes it, and every figure in it is one that is served."""

import http.client
import json
import os
import re
import subprocess

import harness
import msad as m

DASHBOARD = os.path.join(harness.ROOT, "conf/grafana-dashboard.json")
ALERTS = os.path.join(harness.ROOT, "conf/prometheus-alerts.yml")
# Said only of a queue that is not empty, of a destination that got mail, and of a classifier that was trained.
SOMETIMES = {"msad_queue_oldest_timestamp_seconds", "msad_destination_recipients_total",
             "msad_score_trained_timestamp_seconds", "msad_score_learnt_ham", "msad_score_learnt_spam"}


def promtool(*arguments, stdin=b""):
    try:
        return subprocess.run(["promtool", *arguments], input=stdin, capture_output=True, check=False,
                              timeout=harness.WAIT_S)
    except FileNotFoundError:
        raise harness.unittest.SkipTest("NOT TESTED: promtool (package prometheus) is not installed") from None


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def named(text):
    return set(re.findall(r"\bmsad_[a-z0-9_]+", text))


def expressions(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


class Shipped(harness.Case):
    def test_promtool_takes_the_alerts(self):
        run = promtool("check", "rules", ALERTS)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn(b"16 rules found", run.stdout)

    def test_promtool_takes_every_expression_of_the_dashboard(self):
        found = expressions(json.loads(read(DASHBOARD)))
        self.assertGreater(len(found), 40)
        rules = os.path.join(self.directory, "rules.yml")
        with open(rules, "w", encoding="utf-8") as file:
            file.write("groups:\n  - name: dashboard\n    rules:\n")
            for number, expression in enumerate(found):
                plain = expression.replace("$__rate_interval", "5m").replace("$instance", ".*")
                file.write(f"      - record: panel:{number}\n        expr: {json.dumps(plain)}\n")
        run = promtool("check", "rules", rules)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_every_figure_in_them_is_served(self):
        door = harness.free_port()
        smarthost = self.sink()
        server = self.stop_later(m.Msad(self.directory, smarthost.port,
                                        score=f"clamd virus {{ socket 127.0.0.1:{harness.free_port()}; }}",
                                        more=f"console {{ metrics 127.0.0.1:{door}; }}"))
        self.assertIn("policy", server.ctl_json("status"))
        connection = http.client.HTTPConnection("127.0.0.1", door, timeout=harness.WAIT_S)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read()
        connection.close()
        served = {line.split("{")[0].split(" ")[0] for line in text.decode().splitlines() if line[:1] not in ("", "#")}
        wanted = named("".join(expressions(json.loads(read(DASHBOARD))))) | named(read(ALERTS))
        self.assertEqual(wanted - served - SOMETIMES, set())
        self.assertGreater(len(wanted), 40)
        run = promtool("check", "metrics", stdin=text)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, b"", b""))
