"""The country database of a running msad is replaced, cut off and taken away: what served goes on to serve."""

import os
import shutil

import guarded as g
import harness
import shared_data

LOGIN = "taro@example.ac.jp"


class Replaced(harness.Case):
    def setUp(self):
        super().setUp()
        self.msad = self.stop_later(g.Guarded(self.directory, harness.free_port(), [LOGIN]))
        self.file = os.path.join(self.directory, "country.mmdb")

    def country(self, ip):
        return self.msad.ctl_json("geo", "lookup", ip)["country"]

    def test_the_last_good_one_serves_and_a_new_one_is_taken(self):
        france = g.address("FR")
        self.assertEqual(self.country(france), "FR")
        os.truncate(self.file, os.path.getsize(self.file) // 2)  # in place, as careless scripts do
        self.msad.wait_for_event("geo-not-loaded", serving="the last good one")
        self.assertEqual(self.country(france), "FR")
        os.unlink(self.file)
        self.msad.wait_for_event("geo-not-loaded", count=2)
        self.assertEqual(self.country(france), "FR")
        beside = self.file + ".new"
        shutil.copy(shared_data.path("mmdb/loopback-country-flat.mmdb"), beside)
        os.chmod(beside, 0o644)
        loaded = len(self.msad.events("geo-loaded"))
        os.rename(beside, self.file)
        self.msad.wait_for_event("geo-loaded", count=loaded + 1)
        self.assertEqual(self.country(france), "FR", "by the other shape of its records")
        talk, code = self.msad.sign_in(LOGIN, france)
        talk.close()
        self.assertEqual(code, 235, "nobody was hurt")
