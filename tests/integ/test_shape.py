"""Limits towards destinations, and a pool that falls back to another, with real smarthosts; and what is told of them."""

import smtplib
import urllib.request

import harness
import msad

USER = "taro@example.test"
OTHER = "hana@example.test"
POLICY = "messages off; recipients off;"
QUEUE = "retry 1s; min_free 0;"


class Shape(harness.Case):
    def start(self, pool, more=""):
        self.sink = self.stop_later(harness.Sink(self.directory))
        self.msad = self.stop_later(msad.Msad(self.directory, self.sink.port, policy=POLICY, queue=QUEUE, pool=pool,
                                              more=more))

    def send(self, recipients, count=1, user=USER):
        with self.msad.client(user) as client:
            for _ in range(count):
                client.sendmail(user, recipients, "Subject: one\r\n\r\nbody\r\n")

    def test_a_message_to_several_goes_where_there_is_room_and_the_rest_later_once(self):
        self.start("", "destination carriers { domains docomo.test .ezweb.test; messages_per_minute 1; }")
        self.send(["a@docomo.test"])
        self.send(["b@docomo.test", "c@x.test", "d@y.test"])
        messages = self.sink.wait_for_messages(2)
        harness.wait_for(lambda: self.msad.queue_count() == 1, "the rest to wait for room")
        shown = self.msad.ctl_json("pool", "show", "main")
        carriers, = [d for d in shown["destinations"] if d["destination"] == "carriers"]
        self.assertEqual((carriers["delivered"], carriers["waiting_count"], carriers["busy_count"]), (1, 1, 0))
        entry, = self.msad.ctl_json("queue", "list")["messages"]
        self.assertEqual((entry["state"], entry["attempt_count"], entry["recipient_count"]), ("ready", 0, 1))
        self.assertEqual(len(messages), 2)
        self.msad.reload(more="")  # without limits it goes at once
        self.sink.wait_for_messages(3)
        self.msad.wait_for_empty_queue()
        self.assertEqual(sum(int(line["delivered"]) for line in self.msad.events("attempt")), 4)

    def test_only_so_many_at_once_and_one_account_does_not_delay_another(self):
        self.start("handover queue; connections 20;", "destination carriers { domains docomo.test; connections 2; }")
        self.sink.set_faults("eod delay 200 ok")
        self.send(["a@docomo.test"], count=30)
        self.send(["b@docomo.test"], user=OTHER)
        most = 0
        while self.msad.queue_count() > 0:
            shown = self.msad.ctl_json("pool", "show", "main")
            carriers, = [d for d in shown["destinations"] if d["destination"] == "carriers"]
            most = max(most, carriers["busy_count"])
        self.assertEqual(most, 2)
        order = [line["user"] for line in self.msad.events("attempt")]
        self.assertEqual(len(order), 31)
        self.assertLess(order.index(OTHER), 29, "it came last and did not have to wait for all")

    def test_a_pool_that_is_down_falls_back_and_comes_back(self):
        other = self.stop_later(harness.Sink(self.directory, name="other"))
        port = harness.free_port()
        self.start("handover queue; dead_host_pause 100ms; fallback other; fallback_after 1s;",
                   f"pool other {{ smarthost 127.0.0.1:{other.port}; tls off; }}"
                   f"console {{ metrics 127.0.0.1:{port}; }}")
        self.sink.stop()
        self.send(["a@x.test"], count=20)
        other.wait_for_messages(20)
        self.msad.wait_for_event("pool-fallback", pool="main", fallback="other")
        self.assertEqual(self.msad.events("attempt", delivered="1")[0]["via"], "other")
        self.assertIn("given-up", self.msad.msactl("pool", "list").stdout)
        self.sink.start()
        self.msad.wait_for_event("pool-recovered", pool="main")
        self.send(["b@x.test"])
        self.sink.wait_for_messages(1)
        self.msad.wait_for_empty_queue()
        self.assertEqual(len(other.messages()), 20)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=harness.WAIT_S) as answer:
            text = answer.read().decode()
        self.assertIn('msad_pool_recipients_total{pool="other",result="delivered"} 20', text)
        self.assertIn('msad_pool_recipients_total{pool="main",result="delivered"} 1', text)

    def test_refusals_beyond_the_share_are_said_once(self):
        self.start("refused_warning 50;")
        self.sink.set_faults("rcpt to *@bad.test reply 550 5.7.1 we do not like you")
        for _ in range(30):
            with self.assertRaises(smtplib.SMTPDataError):
                self.send(["a@bad.test"])
        self.msad.wait_for_event("destination-refuses", destination="bad.test", refused="20")
        self.assertEqual(len(self.msad.events("destination-refuses", destination="bad.test")), 1)

    def test_source_addresses_of_both_families_serve_the_smarthosts_of_theirs(self):
        """An account always leaves from the same of them; one that a smarthost's family does not fit is not used for it."""
        sink = self.stop_later(harness.Sink(self.directory, "--listen", "[::1]:0", name="six"))
        six = int(sink.child.wait_for_line(r"^listening \[?::1\]?:(\d+)$").group(1))
        self.start("handover queue; source 127.0.0.7 ::1;", "")
        self.msad.reload(pool=f"handover queue; source 127.0.0.7 ::1; smarthost [::1]:{six};")
        self.send(["a@x.test"], count=3)
        self.send(["b@x.test"], count=3, user=OTHER)
        self.msad.wait_for_empty_queue()
        hosts = {}
        for line in self.msad.events("attempt"):
            hosts.setdefault(line["user"], set()).add(line["host"])
        self.assertTrue(all(len(used) == 1 for used in hosts.values()), hosts)
        sources = {source["source"]: source for source in self.msad.ctl_json("pool", "show", "main")["sources"]}
        self.assertEqual([host["ip"] for host in sources["::1"]["hosts"]], ["::1"])
        self.assertEqual([host["ip"] for host in sources["127.0.0.7"]["hosts"]], ["127.0.0.1"])
