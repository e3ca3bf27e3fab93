"""Who is lawful and odd, lived through against a running msad with the shipped rules, out of the shared trace `loopback`:
nobody of them is stopped, and nothing of theirs is refused. With MSAD_TRACE=all (`make test-trace`) the whole trace, where
the server must decide as `msactl replay` does, from the trace and from the server's own log."""

import os
import unittest

import guarded as g
import test_incidents

EVENTS_MAX = 1500  # of a scenario, in a test run


class Lawful(test_incidents.World):
    def live(self, name, accounts_max=200):
        created = dict(list(test_incidents.scenario(name).items())[:accounts_max])
        self.make(created)
        events = g.with_passwords(g.read_trace("loopback", set(created)), stale=created)[:EVENTS_MAX]
        life = g.Life(self.msad, events).live()
        life.close()
        self.assertEqual({login: found[:3] for login, found in life.refused.items()}, {}, "refused")
        self.assertEqual([r for r in self.msad.restrictions(kind="suspended") if r["login"] in created], [])
        sent = sum(count for count, _ in life.through.values())
        self.assertEqual(sent, sum(e["ev"] == "submit" for e in events))
        print(f"     {name}: {len(created)} accounts, {len(events)} events, {sent} messages, none refused", flush=True)

    def test_travellers_at_home_in_transit_and_at_the_destination(self):
        self.live("traveller")

    def test_phones_that_hop_between_carrier_and_wlan(self):
        self.live("phone-many-addresses", accounts_max=4)

    def test_180_users_behind_one_address(self):
        self.live("behind-nat")

    def test_the_owner_of_a_forgotten_device_with_an_old_password(self):
        self.live("stale-password")

    def test_the_outbox_of_a_laptop_after_a_flight(self):
        self.live("offline-burst")

    def test_customers_who_live_abroad(self):
        self.live("lives-abroad", accounts_max=3)

    def test_a_foreign_sim_and_a_vpn(self):
        self.live("roaming-sim")
        self.live("vpn", accounts_max=3)

    def test_new_subscribers(self):
        self.live("new-subscriber")

    def test_announcements_to_many(self):
        self.live("announcements")


class WholeTrace(test_incidents.World):
    @classmethod
    def setUpClass(cls):
        if os.environ.get("MSAD_TRACE") != "all":
            raise unittest.SkipTest("`make test-trace` lives a whole trace through")
        super().setUpClass()

    def suspended(self, accounts_file, *logs):
        said = g.replay(self.msad.config_path, accounts_file, *logs)
        return {login: a["suspended_by"] for login, a in said.items() if a.get("suspended_by")}

    def test_what_happens_is_what_replay_says_of_the_trace_and_of_the_log(self):
        created = {row[0]: int(row[1]) for row in g.read_table("loopback-accounts.tsv")}
        self.make(created)
        events = g.with_passwords(g.read_trace("loopback"))
        life = g.Life(self.msad, events).live()
        life.close()
        live = {login: self.msad.suspension(login)["rule"] for login in life.stopped}
        accounts, trace = os.path.join(self.directory, "all-accounts"), os.path.join(self.directory, "all.jsonl")
        g.write_accounts(accounts, created)
        g.write_trace(trace, events)
        log = os.path.join(self.directory, "msad.log")
        with open(log, "w", encoding="utf-8") as file:
            file.write(self.msad.child.log())
        of_trace, of_log = self.suspended(accounts, trace), self.suspended(accounts, log)
        print(f"     {len(events)} events: {len(live)} stopped live, {len(of_trace)} by replay of the trace, {len(of_log)}"
              " by replay of msad's own log", flush=True)
        self.assertEqual(set(live), set(of_trace))
        self.assertEqual(set(live), set(of_log))

