"""What happens, as it happens: server-sent events of the API."""

import http.client
import json
import os
import signal
import socket

import harness
from api import ApiCase, TARO

NOTE = "asked for by telephone"


class Stream:
    """Somebody who listens. Reads one event at a time: (name, data, id)."""

    def __init__(self, browser, query="", headers=None):
        self.connection = browser.connect()
        sent = dict(headers or {})
        if browser.cookie:
            sent["Cookie"] = browser.cookie
        if browser.token:
            sent["Authorization"] = f"Bearer {browser.token}"
        self.connection.request("GET", "/api/v1/events" + query, headers=sent)
        self.answer = self.connection.getresponse()
        self.status, self.headers = self.answer.status, self.answer.headers
        self.last_id = None

    def stop(self):
        self.answer.close()
        self.connection.close()

    def next(self):
        """None: the stream ended."""
        name, data = None, None
        while True:
            try:
                line = self.answer.readline().decode()
            except (http.client.IncompleteRead, ConnectionError):
                return None
            if line == "":
                return None
            field, _, value = line.rstrip("\n").partition(": ")
            if field == "id":
                self.last_id = value
            elif field == "event":
                name = value
            elif field == "data":
                data = json.loads(value)
            elif line == "\n" and name:
                return name, data

    def wait_for(self, wanted):
        """Its data; what comes before it is passed over."""
        while True:
            event = self.next()
            assert event, f"the stream ended before {wanted}"
            if event[0] == wanted:
                return event[1]


class EventsCase(ApiCase):
    def listen(self, browser, query="", **headers):
        stream = self.stop_later(Stream(browser, query, {k.replace("_", "-"): v for k, v in headers.items()}))
        if stream.status == 200:
            self.assertEqual(stream.next()[0], "hello")
        return stream

    def suspend(self, login=TARO, note=NOTE):
        self.msad.msactl("account", "suspend", login, "--note", note)
        return self.msad.ctl_json("restriction", "list")["restrictions"][0]["id"]


class Feed(EventsCase):
    def test_the_desk_hears_of_restrictions_and_of_nothing_else(self):
        self.start()
        support = self.listen(self.bearer("support"))
        self.assertEqual(support.headers["Content-Type"], "text/event-stream")
        self.assertEqual(support.headers["Cache-Control"], "no-store")
        found = self.suspend()
        name, begun = support.next()  # a change by hand, which operators hear of, does not come before it
        self.assertEqual(name, "restriction.begun")
        self.assertEqual((begun["login"], begun["id"], begun["restriction"], begun["because"]), (TARO, found, "suspended", NOTE))
        self.assertEqual((begun["kind"], begun["role"]), (name, "policy"))
        self.assertGreater(begun["at_ms"], 1.7e12)
        self.msad.msactl("restriction", "release", found, "--note", NOTE)
        name, released = support.next()
        self.assertEqual((name, released["id"], released["note"]), ("restriction.released", found, NOTE))

    def test_operators_hear_of_changes_reloads_and_processes(self):
        self.start()
        operator = self.listen(self.bearer("operator"))
        self.suspend()
        change = operator.wait_for("change")
        self.assertEqual((change["op"], change["target"], change["why"], change["status"]),
                         ("restriction.suspend", TARO, NOTE, 200))
        self.msad.msactl("reload")
        self.assertGreater(operator.wait_for("configuration.taken")["generation"], 1)
        self.msad.write_config(policy="nonsense yes;")
        self.msad.msactl("reload", check=False)
        self.assertIn("nonsense", str(operator.wait_for("configuration.refused")["errors"]))
        self.msad.write_config(policy="")
        os.kill(self.msad.role_pids("score")[-1], signal.SIGKILL)
        self.assertEqual(operator.wait_for("process.down")["process"], "score")
        self.assertEqual(operator.wait_for("process.up")["process"], "score")

    def test_rules_that_act_or_would_and_refused_sign_ins_are_told(self):
        self.start(more="rule many { count messages; per account; within 1h; limit 1; then notify; mode shadow; }")
        support = self.listen(self.bearer("support"))
        client = self.msad.client(TARO)
        for _ in range(2):
            client.sendmail(TARO, ["friend@elsewhere.test"], "Subject: hello\r\n\r\nhello\r\n")
        client.quit()
        rule = support.wait_for("rule.applied")
        self.assertEqual((rule["rule"], rule["mode"], rule["login"], rule["value"], rule["limit"]),
                         ("many", "shadow", TARO, 2, 1))
        self.assertEqual(self.browser().sign_in(login=TARO, password="wrong"), 401)
        self.assertEqual(support.wait_for("sign-ins.refused")["failed"], 1)

    def test_a_pool_that_is_down_and_up_again_is_told(self):
        self.start(pool="dead_host_pause 1s; connections 1;", queue="retry 1s;")
        operator = self.listen(self.bearer("operator"))
        port = self.smarthost.port
        self.smarthost.stop()
        client = self.msad.client(TARO)
        client.sendmail(TARO, ["friend@elsewhere.test"], "Subject: hello\r\n\r\nhello\r\n")
        client.quit()
        self.assertEqual(operator.wait_for("pool.down")["pool"], "main")
        self.sink(port=port)
        self.assertEqual(operator.wait_for("pool.up")["pool"], "main")


    def test_msactl_prints_a_line_for_each(self):
        self.start()
        words = [os.path.join(harness.BUILD, "msactl"), "-f", self.msad.config_path, "events"]
        data = self.stop_later(harness.Child([*words, "--json"], self.directory, "data"))
        data.wait_for_line(r'^\{"kind":"hello"\}$')
        found = self.suspend()
        line = data.wait_for_line(r'^(\{.*"kind":"restriction.begun".*\})$').group(1)
        self.assertEqual(json.loads(line)["id"], found)
        # For people: when, what, whose. Something happens until it listens.
        text = self.stop_later(harness.Child(words, self.directory, "text"))

        def is_told():
            self.msad.msactl("restriction", "release", self.suspend(), "--note", NOTE)
            return "restriction.released" in text.log()
        harness.wait_for(is_told, "a line of msactl events")
        text.wait_for_line(rf"^at_ms=20\d\d-\S+Z kind=restriction.released id=\S+ .*login={TARO} ")


class Resume(EventsCase):
    def test_a_reader_that_comes_again_goes_on_where_it_was(self):
        self.start()
        operator = self.bearer("operator")
        stream = self.listen(operator)
        self.suspend()
        stream.wait_for("change")
        last = stream.last_id
        stream.stop()
        self.suspend("hana@example.test")
        again = self.listen(operator, Last_Event_ID=last)
        name, begun = again.next()
        self.assertEqual((name, begun["login"]), ("restriction.begun", "hana@example.test"))
        self.assertEqual(again.wait_for("change")["target"], "hana@example.test")

    def test_a_hello_has_an_id_to_go_on_from(self):
        self.start()
        operator = self.bearer("operator")
        stream = self.listen(operator)
        last = stream.last_id
        stream.stop()
        self.suspend()
        self.assertEqual(self.listen(operator, Last_Event_ID=last).next()[0], "restriction.begun")

    def test_what_is_not_kept_any_more_is_said(self):
        self.start()
        operator = self.bearer("operator")
        last = self.listen(operator).last_id
        self.suspend()
        os.kill(self.msad.role_pids("console")[-1], signal.SIGKILL)
        self.msad.wait_for_event("role-ready", 2, role="console")
        harness.wait_for(lambda: self.is_ready(), "console again")
        for strange in (last, "nonsense", "x" * 500):
            stream = self.listen(operator, Last_Event_ID=strange)
            self.assertEqual(stream.next()[0], "gap", strange)
            self.assertRegex(stream.last_id, r"^[0-9a-f]+-\d+$")
            stream.stop()

    def is_ready(self):
        try:
            return self.browser().raw("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def test_the_last_ones_are_told_to_who_asks_for_them(self):
        self.start()
        found = self.suspend()
        self.msad.msactl("restriction", "release", found, "--note", NOTE)
        support = self.listen(self.bearer("support"), "?recent=2")
        self.assertEqual([support.next()[0], support.next()[0]], ["restriction.begun", "restriction.released"])
        self.assertEqual(self.listen(self.bearer("support"), "?recent=1").next()[0], "restriction.released")
        self.assertEqual(Stream(self.bearer("support"), "?recent=201").status, 422)


class Bounds(EventsCase):
    def test_each_caller_has_so_many_and_the_others_their_own(self):
        self.start()
        one, other = self.bearer("operator"), self.bearer("support")
        streams = [self.listen(one) for _ in range(4)]
        refused = self.listen(one)
        self.assertEqual((refused.status, refused.headers["Retry-After"]), (429, "10"))
        self.assertEqual(self.listen(other).status, 200)
        streams[0].stop()
        self.suspend()  # who is gone is noticed when something is written to it

        def is_let_in():
            stream = Stream(one)
            self.stop_later(stream)
            return stream.status == 200
        harness.wait_for(is_let_in, "the place of who left")

    def test_who_reads_too_slowly_is_cut_and_may_go_on(self):
        self.start()
        operator = self.bearer("operator")
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(harness.WAIT_S)
        self.addCleanup(slow.close)
        slow.connect(("127.0.0.1", self.http))
        slow.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {operator.token}\r\n\r\n".encode())
        start = slow.recv(4096)
        self.assertIn(b"200 OK", start)
        fast = self.listen(self.bearer("operator"))
        settings = {"why": "x" * 500, "note": "y"}
        path = f"/accounts/{TARO}/settings"
        for _ in range(650):  # 0.7 KiB each: more than its buffers and ours take together
            self.assertEqual(operator.call("PATCH", path, settings)[0], 200)
            self.assertEqual(fast.wait_for("change")["target"], TARO)
        rest = b""
        while True:
            try:
                piece = slow.recv(65536)
            except ConnectionResetError:
                break
            if not piece:
                break
            rest += piece
        self.assertLess(rest.count(b"event: change"), 650)
        self.assertFalse(rest.endswith(b"0\r\n\r\n"), "it was cut, not ended")

    def test_customers_and_portals_are_not_let_in(self):
        self.start()
        self.assertEqual(Stream(self.customer()).status, 403)
        self.assertEqual(Stream(self.bearer("portal")).status, 403)
        self.assertEqual(Stream(self.browser()).status, 401)
        narrow = self.bearer("operator", "--scope", "status.read")
        self.assertEqual(Stream(narrow).status, 403)


class Ends(EventsCase):
    def test_a_session_that_ends_ends_what_it_listens_to(self):
        self.start()
        browser = self.browser()
        self.assertEqual(browser.sign_in(token=self.token("operator")), 201)
        stream = self.listen(browser)
        self.assertEqual(browser.call("DELETE", "/session")[0], 200)
        while stream.next():
            pass

    def test_a_token_that_was_taken_back_hears_no_more(self):
        self.start()
        stream = self.listen(self.bearer("support"))
        mine = [t for t in self.msad.ctl_json("token", "list")["tokens"] if t["role"] == "support"][0]["id"]
        self.msad.msactl("token", "remove", mine)
        self.assertIsNone(stream.next())

    def test_a_drain_ends_it(self):
        self.start()
        stream = self.listen(self.bearer("operator"))
        os.kill(self.msad.pid, signal.SIGTERM)
        while stream.next():
            pass
        self.msad.child.process.wait(harness.WAIT_S)
