"""Which way a message goes: routes, pools with source addresses of their own, what is held, and accounts that are
risky for a while.

Where it is the route that matters, the score is made by alignment, which is as good as any: a message From somebody
else has SPAM points. The thousand real messages have the score of their content."""

import collections
import concurrent.futures
import email
import itertools
import os
import re
import subprocess

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

    def test_a_bounce_finds_whose_mail_it_was_by_what_came_back(self):
        """It went to another address than the login, and has our Received field and the Message-ID of the mail in it."""
        self.start("rule refused { count spam-refusals; within 1d; limit 3; then suspend; }\n")
        self.assertEqual(self.send()[0], 250)
        (_, sent), = self.clean.stored()
        header = sent.partition(b"\r\n\r\n")[0].decode()
        id = OUR_ID.search(sent).group(1).decode()
        message_id = email.message_from_bytes(sent)["Message-ID"]

        def bounce(returned):
            return ("From: MAILER-DAEMON@mx.test\r\nTo: <alias@elsewhere.test>\r\n"
                    "Content-Type: multipart/report; boundary=b\r\n\r\n"
                    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n"
                    "Final-Recipient: rfc822; r@there.test\r\nAction: failed\r\nStatus: 5.7.1\r\n\r\n"
                    f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{returned}\r\n\r\n--b--\r\n")

        done = self.msad.ctl_json("outcome", "import", "-", stdin=bounce(header))
        self.assertEqual(done, {"reported": 1, "passed_over": 0, "refused": 0})
        self.msad.msactl("outcome", "import", "-", stdin=bounce(f"Message-ID: {message_id}"))
        self.assertEqual(self.send()[0], 250)
        run = self.msad.msactl("outcome", "import", "-", stdin=bounce("Message-ID: <nobodys@x.test>"), check=False)
        self.assertEqual(run.returncode, 1, "nobody's message to an address that is no login")
        done = self.msad.ctl_json("outcome", "report", id, "--status", "5.7.1")
        self.assertEqual(done["login"], TARO)
        restriction, = self.msad.ctl_json("restriction", "list")["restrictions"]
        self.assertEqual((restriction["login"], restriction["rule"]), (TARO, "refused"))
        done = self.msad.ctl_json("outcome", "report", message_id, "--code", "550")
        self.assertEqual((done["login"], done["class"]), (TARO, "no-recipient"))

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


MESSAGES = 1000  # half of them ham; what is learnt from are the others
HAM_ONLY, SPAM_ONLY, STOLEN, HONEST = 12, 6, 6, 10  # accounts; what the stolen ones send before they are
THRESHOLD = 6.0  # as in README.md
CLEAN_SOURCES = ("127.0.0.11", "127.0.0.12", "127.0.0.13")
SUSPECT_SOURCES = ("127.0.0.21", "127.0.0.22")
PEER = re.compile(rb"^Received: from \S+ \(\S+ \[([0-9.]+)\]\)", re.M)
OUR_ID = re.compile(rb"\tby submit\.test \(msad\) with \S+\r?\n\t[^\r\n]+\r?\n\tid (\w+)\r?\n")
NUMBER = re.compile(rb"^Delivered-To: (\d+)@pool\.test\r?$", re.M)

Mail = collections.namedtuple("Mail", "number login is_spam content")


class TwoPostfixes(harness.Case):
    """A thousand real messages by 24 accounts, to two real smarthosts on addresses of their own. The shipped rules score
    them, and a classifier that has learnt from others than these."""

    def setUp(self):
        corpus = test_corpus.Corpus(every=1).messages
        super().setUp()
        self.to_send, self.to_learn = {}, {}
        for kind in ("ham", "spam"):
            pile = [m for name, m in corpus.items() if re.fullmatch(kind[0] + r"\d+\.eml", name)]
            sound = [m for m in pile if not test_corpus.faults(m) and test_corpus.has_plain_from(m)]
            self.to_send[kind] = (sound[::2] + sound[1::2])[:MESSAGES // 2]
            sent = set(self.to_send[kind])
            self.to_learn[kind] = [m for m in pile if m not in sent]

    def train(self):
        folders = []
        for kind, messages in self.to_learn.items():
            folder = os.path.join(self.directory, kind)
            os.mkdir(folder)
            folders += ["--" + kind, folder]
            for number, content in enumerate(messages):
                with open(os.path.join(folder, f"{number}.eml"), "wb") as file:
                    file.write(content)
        return self.msad.ctl_json("score", "train", *folders)["model"]

    def plan(self):
        """login -> [Mail…] in the order of sending; a stolen account sends some ham, then both in turn."""
        stolen = [f"stolen{i}@example.test" for i in range(STOLEN)]
        senders = {"ham": [f"ham{i}@example.test" for i in range(HAM_ONLY)] + stolen,
                   "spam": [f"spam{i}@example.test" for i in range(SPAM_ONLY)] + stolen}
        piles = {kind: collections.defaultdict(list) for kind in senders}
        numbers = itertools.count()
        for kind, messages in self.to_send.items():
            for content, login in zip(messages, itertools.cycle(senders[kind])):
                piles[kind][login].append(Mail(next(numbers), login, kind == "spam", content))
        plan = {}
        for login in dict.fromkeys(senders["ham"] + senders["spam"]):
            ham, spam = piles["ham"][login], piles["spam"][login]
            pairs = itertools.zip_longest(spam, ham[HONEST:])
            plan[login] = ham[:HONEST] + [mail for pair in pairs for mail in pair if mail]
        return plan

    def send_all(self, mails):
        """One session for all, so that the order of sending is that of judging."""
        login = mails[0].login
        with self.msad.client(login) as client:
            for mail in mails:
                client.sendmail(login, [f"{mail.number}@pool.test"], mail.content, mail_options=["BODY=8BITMIME"])

    def start(self):
        self.clean = self.stop_later(postfix.Postfix(self.directory, name="clean"))
        self.suspect = self.stop_later(postfix.Postfix(self.directory, name="suspect", address="127.0.0.2"))
        self.msad = self.stop_later(msad.Msad(
            self.directory, self.clean.port, accounts={login: "a good password" for login in self.plan()},
            policy="messages off; recipients off;", limits="messages_per_session 10000; sessions_per_address 100;",
            pool="source " + " ".join(CLEAN_SOURCES) + ";",
            more=f"pool suspect {{ smarthost 127.0.0.2:{self.suspect.port}; tls off; source {' '.join(SUSPECT_SOURCES)}; }}\n"
                 f"include \"{harness.ROOT}/conf/score.conf\";\n"
                 f"route doubt {{ when {{ min_score {THRESHOLD}; }} then pool; to_pool suspect; stay 24h; clean_below 3.0; }}\n"))

    def arrived(self, counts):
        """number -> (pool, the address that it came from, our id): each once, and all of them."""
        found, times = {}, collections.Counter()
        for name, smarthost in (("main", self.clean), ("suspect", self.suspect)):
            for content in smarthost.wait_for_messages(counts[name], 120):
                number = int(NUMBER.search(content).group(1))
                times[number] += 1
                found[number] = (name, PEER.search(content).group(1).decode(), OUR_ID.search(content).group(1).decode())
        self.assertEqual(times, collections.Counter(range(MESSAGES)), "lost, or sent twice")
        return found

    def test_a_thousand_messages(self):
        self.start()
        model = self.train()
        plan = self.plan()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(self.send_all, mails) for mails in plan.values()]:
                done.result()
        self.msad.wait_for_empty_queue(120)
        accepted = {line["msg"]: line for line in self.msad.wait_for_event("mail-accepted", count=MESSAGES)}
        self.assertEqual(len(accepted), MESSAGES)
        self.assertFalse(self.msad.events("score-missing"), "each has a score of its own")
        arrived = self.arrived(collections.Counter(line["pool"] for line in accepted.values()))
        score_of = {number: int(accepted[id]["score_milli"]) / 1000 for number, (_, _, id) in arrived.items()}
        self.check_pools(plan, arrived, score_of)
        self.check_sources(plan, arrived)
        self.tell(model, plan, arrived, score_of)

    def check_pools(self, plan, arrived, score_of):
        """Above the threshold: suspect, and from then on all of the account's."""
        for mails in plan.values():
            is_risky = False
            for mail in mails:
                is_risky |= score_of[mail.number] >= THRESHOLD
                self.assertEqual(arrived[mail.number][0], "suspect" if is_risky else "main",
                                 f"message {mail.number} of {mail.login} with score {score_of[mail.number]}")
        clean = [score_of[number] for number, (pool, _, _) in arrived.items() if pool == "main"]
        self.assertLess(max(clean), THRESHOLD, "above the threshold at the clean one")

    def check_sources(self, plan, arrived):
        sources = collections.defaultdict(set)
        for mail in itertools.chain(*plan.values()):
            pool, source, _ = arrived[mail.number]
            sources[pool, mail.login].add(source)
        for (pool, login), found in sources.items():
            self.assertEqual(len(found), 1, f"{login} left from {found}")
            self.assertLessEqual(found, set(CLEAN_SOURCES if pool == "main" else SUSPECT_SOURCES))
        used = set().union(*(found for (pool, _), found in sources.items() if pool == "main"))
        self.assertEqual(used, set(CLEAN_SOURCES), "many accounts, each source has some")

    def tell(self, model, plan, arrived, score_of):
        """What went where, by what it is; and that most of it went where it should."""
        ways, above = collections.Counter(), collections.Counter()
        for mail in itertools.chain(*plan.values()):
            ways[mail.is_spam, arrived[mail.number][0]] += 1
            above[mail.is_spam] += score_of[mail.number] >= THRESHOLD
        print(f"     learnt from {model['ham']} ham and {model['spam']} spam; {MESSAGES} others by {len(plan)} accounts: "
              f"none lost, none twice\n"
              f"     ham:  {ways[False, 'main']} clean, {ways[False, 'suspect']} suspect "
              f"({above[False]} by its own score, the others by what their account had sent)\n"
              f"     spam: {ways[True, 'main']} clean (all below the threshold), {ways[True, 'suspect']} suspect "
              f"({above[True]} by its own score)", flush=True)
        self.assertLessEqual(above[False], 10, "ham above the threshold")
        self.assertGreaterEqual(ways[True, "suspect"], 400, "spam in the suspect pool")
