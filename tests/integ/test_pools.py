"""Which way a message goes: routes, pools with source addresses of their own, what is held, and accounts that are
risky for a while.

What a message scores is made here by alignment, whose score is as good as any: one From somebody else has SPAM
points."""

import collections
import concurrent.futures
import email
import re
import subprocess
import os

import clock
import harness
import msad
import postfix
import test_corpus

TARO, HANA = "taro@example.test", "hana@example.test"
SPAM = 20
SCORED = f"align all {{ check header; mismatch score; add_score {SPAM}.0; null_sender yes; }}\n"
OTHER = "somebody@elsewhere.test"


def message(author, text="hello"):
    return f"From: <{author}>\r\nSubject: {text}\r\n\r\n{text}\r\n"


class Routes(harness.Case):
    def start(self, more, **settings):
        self.clean, self.suspect = (self.sink(store=True, name=name) for name in ("clean", "suspect"))
        pools = f"pool suspect {{ smarthost 127.0.0.1:{self.suspect.port}; tls off; }}\n"
        self.msad = self.stop_later(msad.Msad(self.directory, self.clean.port, more=pools + SCORED + more, **settings))

    def send(self, author=TARO, user=TARO, recipient="r@there.test", source=None, subject="hello"):
        """The last reply, as (code, text)."""
        talk = self.msad.talk(user=user, source=source)
        recipients = [recipient] if isinstance(recipient, str) else recipient
        talk.send(f"MAIL FROM:<{user}>\r\n" + "".join(f"RCPT TO:<{r}>\r\n" for r in recipients) + "DATA\r\n")
        codes = [talk.reply()[0] for _ in range(len(recipients) + 2)]
        self.assertEqual(codes, [250] * (len(recipients) + 1) + [354])
        talk.send(message(author, subject) + ".\r\n")
        answer = talk.reply()
        talk.close()
        return answer

    def went(self, before):
        """Where a message went since `before`, counts of both pools."""
        clean, suspect = len(self.clean.messages()) - before[0], len(self.suspect.messages()) - before[1]
        return {(1, 0): "main", (0, 1): "suspect"}.get((clean, suspect), (clean, suspect))

    def way(self, **settings):
        before = len(self.clean.messages()), len(self.suspect.messages())
        code, text = self.send(**settings)
        self.assertEqual(code, 250, text)
        return self.went(before)

    def held(self):
        return self.msad.ctl_json("queue", "list", "--held")["messages"]

    def test_by_score_class_country_and_domain(self):
        self.start("geo { place JP { networks 127.0.0.0/16; } place US { networks 127.1.0.0/16; } }\n"
                   "rules { home JP; }\n"
                   "destination carriers { domains docomo.test .softbank.test; }\n"
                   "route spam { when { min_score 12.0; } then pool; to_pool suspect; }\n"
                   "route abroad { when { from overseas; } then pool; to_pool suspect; }\n"
                   "route letters { when { classes newsletter; } then pool; to_pool suspect; }\n"
                   "route carriers { when { destinations carriers; } then pool; to_pool suspect; }\n"
                   "route no { when { destinations closed.test; } then refuse; text \"nobody is there\"; }\n"
                   "route later { when { destinations later.test; } then defer; text \"come again\"; }\n")
        self.assertEqual(self.way(), "main")
        self.assertEqual(self.way(author=OTHER), "suspect")
        self.assertEqual(self.way(), "main", "no `stay`: nothing is left behind")
        self.assertEqual(self.way(source="127.1.2.3"), "suspect")
        self.assertEqual(self.way(recipient="r@DOCOMO.test"), "suspect")
        self.assertEqual(self.way(recipient="r@i.softbank.test"), "suspect")
        self.assertEqual(self.way(recipient="r@softbank.test"), "main")
        self.assertEqual(self.way(recipient=["r@there.test", "r@docomo.test"]), "suspect", "one message, not two")
        self.msad.msactl("account", "set", HANA, "--class", "newsletter")
        self.assertEqual(self.way(user=HANA, author=HANA), "suspect")
        self.assertEqual(self.send(recipient="r@closed.test")[0], 550)
        code, text = self.send(recipient=["r@there.test", "r@closed.test"])
        self.assertEqual(code, 550)
        self.assertIn("nobody is there", text)
        code, text = self.send(recipient="r@later.test")
        self.assertEqual(code // 100, 4)
        self.assertIn("come again", text)
        self.assertEqual(self.msad.queue_count(), 0)
        self.msad.wait_for_event("route", name="carriers", pool="suspect", count=3)

    def test_what_is_held_is_released_returned_or_deleted(self):
        self.start("route spam { when { min_score 12.0; } then hold; to_pool suspect; }\n")
        for subject in ("let go", "give back", "throw away"):
            self.assertEqual(self.send(author=OTHER, subject=subject)[0], 250)
        self.assertEqual(self.way(), "main")
        held = self.held()
        self.assertEqual([(m["state"], m["held_for"], m["score"], m["pool"]) for m in held],
                         [("held", ["route"], float(SPAM), "suspect")] * 3)
        release, give_back, delete = [m["id"] for m in held]
        shown = self.msad.ctl_json("queue", "show", release)
        self.assertEqual((shown["score"], shown["findings"]), (SPAM, []))
        self.assertNotIn("let go", str(shown), "never what it says")
        self.msad.msactl("account", "suspend", TARO, "--note", "a test")
        harness.wait_for(lambda: all(m["held_for"] == ["account", "route"] for m in self.held()), "the account's hold")
        restriction, = self.msad.ctl_json("restriction", "list")["restrictions"]
        self.msad.msactl("restriction", "release", restriction["id"], "--note", "it was one")
        harness.wait_for(lambda: all(m["held_for"] == ["route"] for m in self.held()), "its end")
        self.assertEqual(len(self.held()), 3, "the account's release lets go only what was held for it")
        self.msad.msactl("queue", "return", give_back, "--text", "It looks like a phish.")
        self.msad.msactl("queue", "delete", delete)
        self.msad.msactl("queue", "release", release)
        self.msad.wait_for_empty_queue()
        stored = [(envelope, email.message_from_bytes(body)) for envelope, body in self.suspect.stored()]
        subjects = [m["Subject"] for envelope, m in stored if envelope["from"]]
        self.assertEqual(subjects, ["let go"])
        (envelope, bounce), = [(e, m) for e, m in stored if not e["from"]]
        self.assertEqual([r["to"] for r in envelope["rcpts"]], [TARO])
        text = bounce.get_payload()[0].get_payload(decode=True).decode()
        self.assertIn("It looks like a phish.", text)
        self.assertEqual(len(self.clean.messages()), 1)

    def test_a_risky_account_stays_over_a_restart_and_comes_back(self):
        time = clock.Clock(self.directory)
        self.start("route spam { when { min_score 12.0; } then pool; to_pool suspect; stay 24h; clean_below 3.0; }\n",
                   clock=time)
        self.assertEqual(self.way(), "main")
        self.assertEqual(self.way(author=OTHER), "suspect")
        self.assertEqual(self.way(), "suspect")
        self.assertEqual(self.way(user=HANA, author=HANA), "main", "only the account")
        risky = self.msad.ctl_json("account", "show", TARO)["settings"]["risky"]
        self.assertEqual((risky["pool"], risky["route"], risky["score"]), ("suspect", "spam", SPAM))
        self.msad.stop()
        self.msad.start()
        self.assertEqual(self.way(), "suspect", "a restart is no way out")
        time.advance(hours=23)
        self.assertEqual(self.way(), "suspect")
        time.advance(hours=2)
        self.assertEqual(self.way(), "main")
        self.assertNotIn("risky", self.msad.ctl_json("account", "show", TARO)["settings"])
        self.assertEqual(self.way(author=OTHER), "suspect")
        self.msad.msactl("account", "clear-risk", TARO, "--note", "his own letter")
        self.assertEqual(self.way(), "main")
        self.msad.wait_for_event("risk-cleared", user=TARO, text="his own letter")

    def test_bounces_that_come_later_count(self):
        self.start("rule refused { count spam-refusals; within 1d; limit 3; then suspend; }\n")
        bounce = ("From: MAILER-DAEMON@mx.test\r\nTo: <%s>\r\nContent-Type: multipart/report; boundary=b\r\n\r\n"
                  "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n"
                  "Final-Recipient: rfc822; a@x.test\r\nAction: failed\r\nStatus: 5.7.1\r\n"
                  "Diagnostic-Code: smtp; 554 5.7.1 spam\r\n\r\n--b--\r\n" % TARO)
        self.msad.msactl("outcome", "report", TARO, "--code", "550", "--status", "5.7.1", "--recipient", "a@x.test")
        done = self.msad.ctl_json("outcome", "import", "-", stdin=bounce)
        self.assertEqual(done, {"reported": 1, "passed_over": 0, "refused": 0})
        self.assertEqual(self.send()[0], 250)
        lines = '{"login":"%s","status":"5.1.1"}\n{"login":"%s","code":550,"status":"5.7.1"}\n' % (TARO, TARO)
        self.msad.msactl("outcome", "import", "-", stdin=lines)
        restriction, = self.msad.ctl_json("restriction", "list")["restrictions"]
        self.assertEqual((restriction["login"], restriction["rule"]), (TARO, "refused"))
        run = self.msad.msactl("outcome", "import", "-", stdin='{"login":"nobody@x.test","code":550}\n', check=False)
        self.assertEqual(run.returncode, 1)
        run = self.msad.msactl("outcome", "import", "-", stdin="no bounce at all\n", check=False)
        self.assertNotEqual(run.returncode, 0)

    def test_mistakes_are_found_by_msad_t(self):
        self.start("")
        self.msad.write_config(more="route a { then pool; to_pool clena; }\nroute b { then hold; }\n"
                                    "route c { when { min_score 3.0; } then hold; }\n")
        run = subprocess.run([os.path.join(harness.BUILD, "msad"), "-t", "-f", self.msad.config_path],
                             capture_output=True, text=True, check=False)
        said = run.stdout + run.stderr
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("there is no pool 'clena'", said)
        self.assertIn("route 'c' is never reached", said)


MESSAGES = 1000
HAM_ONLY, SPAM_ONLY, MIXED = 12, 6, 6  # accounts
CLEAN_SOURCES = ("127.0.0.11", "127.0.0.12", "127.0.0.13")
SUSPECT_SOURCES = ("127.0.0.21", "127.0.0.22")
PEER = re.compile(rb"Received: from \S+ \(\S+ \[([0-9.]+)\]\)")
MARK = re.compile(rb"^X-Pool-Test: (\d+)\r?$", re.M)


class TwoPostfixes(harness.Case):
    """A thousand real messages by 24 accounts, to two real smarthosts on addresses of their own."""

    def setUp(self):
        corpus = test_corpus.Corpus(every=1).messages
        super().setUp()
        self.kinds = {kind: [m for name, m in corpus.items() if name.startswith(kind[0]) and not test_corpus.faults(m)]
                      for kind in ("ham", "spam")}

    def mail(self, number, login, is_spam, raw):
        """A real message as this account sends it: its own From where it is ham."""
        fields, rest = test_corpus.split(raw)
        ours = (b"from", b"sender", b"resent-from", b"resent-sender", b"bcc", b"to", b"cc")
        kept = [f for f in fields if test_corpus.field_name(f) not in ours]
        author = OTHER if is_spam else login
        return b"From: <%s>\r\nX-Pool-Test: %d\r\n" % (author.encode(), number) + b"".join(kept) + rest

    def plan(self):
        """login -> [(number, is_spam, message)…] in the order of sending."""
        plan = collections.defaultdict(list)
        accounts = ([(f"ham{i}@example.test", "ham") for i in range(HAM_ONLY)] +
                    [(f"spam{i}@example.test", "spam") for i in range(SPAM_ONLY)] +
                    [(f"both{i}@example.test", "both") for i in range(MIXED)])
        for number in range(MESSAGES):
            login, kind = accounts[number % len(accounts)]
            turn = len(plan[login])
            is_spam = kind == "spam" or (kind == "both" and turn >= 10 and turn % 3 == 1)
            pile = self.kinds["spam" if is_spam else "ham"]
            plan[login].append((number, is_spam, self.mail(number, login, is_spam, pile[number % len(pile)])))
        return plan

    def send_all(self, login, mails):
        with self.msad.client(login) as client:
            for _, _, content in mails:
                client.sendmail(login, ["r@pool.test"], content, mail_options=["BODY=8BITMIME"])

    def expected(self, plan):
        """number -> pool: what is spam, and from then on all of the account's."""
        where = {}
        for mails in plan.values():
            is_risky = False
            for number, is_spam, _ in mails:
                is_risky |= is_spam
                where[number] = "suspect" if is_risky else "main"
        return where

    def test_a_thousand_messages(self):
        clean = self.stop_later(postfix.Postfix(self.directory, name="clean"))
        suspect = self.stop_later(postfix.Postfix(self.directory, name="suspect", address="127.0.0.2"))
        plan = self.plan()
        self.msad = self.stop_later(msad.Msad(
            self.directory, clean.port, accounts={login: "a good password" for login in plan},
            policy="messages off; recipients off;", limits="messages_per_session 10000; sessions_per_address 100;",
            pool="source " + " ".join(CLEAN_SOURCES) + ";",
            more=f"pool suspect {{ smarthost 127.0.0.2:{suspect.port}; tls off; source {' '.join(SUSPECT_SOURCES)}; }}\n"
                 + SCORED + "route spam { when { min_score 12.0; } then pool; to_pool suspect; stay 24h; }\n"))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(self.send_all, login, mails) for login, mails in plan.items()]:
                done.result()
        self.msad.wait_for_empty_queue(120)
        where = self.expected(plan)
        count = collections.Counter(where.values())
        got = {"main": clean.wait_for_messages(count["main"], 120),
               "suspect": suspect.wait_for_messages(count["suspect"], 120)}
        login_of = {number: login for login, mails in plan.items() for number, _, _ in mails}
        is_spam = {number: spam for mails in plan.values() for number, spam, _ in mails}
        seen, sources = collections.Counter(), collections.defaultdict(set)
        for name, contents in got.items():
            for content in contents:
                number = int(MARK.search(content).group(1))
                seen[number] += 1
                self.assertEqual(where[number], name, f"message {number} of {login_of[number]}")
                self.assertFalse(name == "main" and is_spam[number], "above the threshold at the clean one")
                sources[name, login_of[number]].add(PEER.search(content).group(1).decode())
        self.assertEqual(seen, collections.Counter(range(MESSAGES)), "lost, or sent twice")
        for (name, login), found in sources.items():
            self.assertEqual(len(found), 1, f"{login} left from {found}")
            self.assertLessEqual(found, set(CLEAN_SOURCES if name == "main" else SUSPECT_SOURCES))
        used = {name: set().union(*(found for (n, _), found in sources.items() if n == name)) for name in got}
        self.assertEqual(used["main"], set(CLEAN_SOURCES), "24 accounts, each source has some")
        print(f"     {MESSAGES} messages by {len(plan)} accounts: {count['main']} clean from {len(used['main'])} addresses, "
              f"{count['suspect']} suspect from {len(used['suspect'])}; none lost, none twice", flush=True)
