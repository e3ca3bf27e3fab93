"""What is learnt from sorted mail counts in scores: over SMTP, after restarts, in every score process."""

import importlib.util
import os
import time

import harness
import shared_data
from msad import Msad

SAMPLE = 150  # of ham, and as many of spam
RULES = 'score_rule LINK { min_links 1; add 0.5; describe "There is a link."; }\n'


def sample(mail):
    """{"ham": [message…], "spam": […]} as they were submitted: one in so many of all there are, and some for trials."""
    spec = importlib.util.spec_from_file_location("as_submitted", os.path.join(mail, "as_submitted.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = {}
    for kind in ("ham", "spam"):
        names = sorted(name for name in os.listdir(os.path.join(mail, kind)) if name.endswith(".eml"))
        step = max(1, len(names) // (SAMPLE + 20))
        found[kind] = [module.as_submitted(shared_data.read(mail, kind, name)) for name in names[::step]]
    return found


class LearnTest(harness.Case):
    def setUp(self):
        mail = sample(shared_data.path("mail"))
        super().setUp()
        self.smarthost = self.sink()
        self.folders = {}
        for kind, messages in mail.items():
            self.folders[kind] = os.path.join(self.directory, kind)
            os.mkdir(self.folders[kind])
            for i, message in enumerate(messages[:SAMPLE]):
                self.write(os.path.join(kind, f"{i:04}.eml"), message)
        self.trials = {kind: [self.write(f"{kind}-{i}.eml", m) for i, m in enumerate(messages[SAMPLE:SAMPLE + 15])]
                       for kind, messages in mail.items()}
        self.msad = self.stop_later(Msad(self.directory, self.smarthost.port, more=RULES, top="score_workers 2;"))

    def write(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def train(self):
        return self.msad.ctl_json("score", "train", "--ham", self.folders["ham"], "--spam", self.folders["spam"])

    def classifiers(self):
        return [process["classifier"] for process in self.msad.ctl_json("status")["score"]]

    def bayes(self, path):
        """The points of the classifier; None: no finding."""
        found = [f for f in self.msad.ctl_json("score", "check", path)["findings"] if f["name"] == "BAYES"]
        return found[0]["points"] if found else None

    def submit(self, path):
        """The score it got over SMTP, in thousandths."""
        with open(path, "rb") as file:
            message = file.read().replace(b"\r\n", b"\n").replace(b"\r", b"").replace(b"\n", b"\r\n")
        before = len(self.msad.events("mail-accepted"))
        talk = self.msad.talk("taro@example.test")
        try:
            code, text = talk.submit("taro@example.test", ["friend@example.com"], message)[:2]
        finally:
            talk.close()
        self.assertEqual(code, 250, text)
        return int(self.msad.wait_for_event("mail-accepted", count=before + 1)[before]["score_milli"])

    def plain(self, kind):
        """A trial that is well on its own side; those that are not are the classifier's tests' matter."""
        points = {path: self.bayes(path) for path in self.trials[kind]}
        return (max if kind == "spam" else min)(points, key=points.get)

    def restart(self):
        self.msad.stop()
        self.msad.start()

    def test_the_way_of_what_is_learnt(self):
        # nothing is known yet
        self.assertEqual([c["state"] for c in self.classifiers()], ["untrained", "untrained"])
        began_ms = time.time() * 1000
        self.assertIsNone(self.bayes(self.trials["spam"][0]))
        few = self.msad.msactl("score", "learn", "--ham", self.trials["ham"][0], check=False)
        self.assertEqual(few.returncode, 1)
        self.assertIn("20 of ham and 20 of spam", few.stdout)

        # training
        done = self.train()
        self.assertGreaterEqual(done["messages"], 2 * SAMPLE)
        model = done["model"]
        self.assertTrue(model["ok"])
        self.assertGreaterEqual(model["spam"], SAMPLE - 5)  # copies count once
        self.assertLess(model["ham_wrong"], 0.1)
        self.assertGreater(model["spam_caught"], 0.5)
        self.msad.wait_for_event("model-loaded", generation=model["generation"], by_index=0)
        self.msad.wait_for_event("model-loaded", generation=model["generation"], by_index=1)
        self.assertEqual([c["generation"] for c in self.classifiers()], [model["generation"]] * 2)
        for classifier in self.classifiers():
            self.assertTrue(began_ms - 1 <= classifier["trained_ms"] <= time.time() * 1000, classifier)
        self.assertTrue([line for line in self.msad.ctl_json("audit", "list")["audit"] if line["op"] == "score.train"])

        # scores
        spam, ham = self.plain("spam"), self.plain("ham")
        scores = [self.submit(spam), self.submit(ham)]
        self.assertGreater(*scores)
        counted = [process["verdicts"] for process in self.msad.ctl_json("status")["score"]]
        self.assertEqual(sum(sum(verdicts.values()) for verdicts in counted), 2)
        self.assertEqual(sum(verdicts["clean"] for verdicts in counted), sum(score < 5000 for score in scores))
        self.assertGreater(self.bayes(spam), 0)
        self.assertLess(self.bayes(ham), 0)
        text = self.msad.msactl("score", "check", spam).stdout
        self.assertRegex(text, r"BAYES +By what was learnt, \d+\.\d of 10, spam from 5 on: \S+ [+-]")

        # the same again is the same model
        before = {path: self.bayes(path) for path in (spam, ham)}
        again = self.train()
        self.assertEqual((again["added"], again["changed"]), (0, 0))
        self.assertEqual(again["model"]["generation"], model["generation"])

        # a restart keeps it
        self.restart()
        self.assertEqual([c["generation"] for c in self.classifiers()], [model["generation"]] * 2)
        self.assertEqual({path: self.bayes(path) for path in (spam, ham)}, before)

        # verdicts change scores; CRLF makes no other message
        with open(ham, "rb") as file:
            self.write("crlf.eml", file.read().replace(b"\n", b"\r\n"))
        verdict = self.msad.ctl_json("score", "learn", "--spam", ham)
        self.assertEqual(verdict["added"] + verdict["changed"], 1)
        self.assertNotEqual(verdict["model"]["generation"], model["generation"])
        self.assertGreater(self.bayes(ham), before[ham])
        verdict = self.msad.ctl_json("score", "learn", "--ham", os.path.join(self.directory, "crlf.eml"))
        self.assertEqual((verdict["added"], verdict["changed"]), (0, 1))

        # how much it counts is a setting
        self.msad.write_config(score="classifier_weight 0;")
        self.msad.msactl("reload")
        self.assertIsNone(self.bayes(spam))
        self.msad.write_config(score="")
        self.msad.msactl("reload")
        self.assertIsNotNone(self.bayes(spam))

        self.spoil_and_mend(spam)

        # all of it can be forgotten
        self.msad.msactl("score", "forget")
        self.assertEqual(self.classifiers()[0]["state"], "untrained")
        self.assertIsNone(self.bayes(spam))
        empty = self.msad.msactl("score", "train", check=False)
        self.assertEqual(empty.returncode, 1, empty.stdout)

    def spoil_and_mend(self, spam):
        """A damaged model, then a damaged file: mail flows by rules alone, and the log says so."""
        path = os.path.join(self.msad.directory, "state", "score", "tokens.mdb")
        self.msad.stop()
        with open(path, "r+b") as file:
            content = file.read()
            at = content.find(b"msadcls\n")
            while at >= 0:  # copies that no longer count, too
                file.seek(at + 5000)
                file.write(bytes([content[at + 5000] ^ 0xff]))
                at = content.find(b"msadcls\n", at + 1)
        self.msad.start()
        self.without_a_model(spam, "damaged")
        self.assertTrue(self.train()["model"]["ok"])
        self.assertIsNotNone(self.bayes(spam))

        self.msad.stop()
        with open(path, "r+b") as file:
            whole = file.read(16384)
            file.seek(0)
            file.write(os.urandom(len(whole)))
        self.msad.start()
        self.without_a_model(spam, "")
        refused = self.msad.msactl("score", "train", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("token database cannot be used", refused.stderr)
        self.msad.stop()
        with open(path, "r+b") as file:
            file.write(whole)
        self.msad.start()
        self.assertIsNotNone(self.bayes(spam))

    def without_a_model(self, spam, word):
        line = self.msad.wait_for_event("model-unusable")[0]
        self.assertEqual(line["level"], "error")
        self.assertIn(word, line["text"])
        self.assertEqual(self.classifiers()[0]["state"], "unusable")
        self.assertIsNone(self.bayes(spam))
        self.submit(spam)
