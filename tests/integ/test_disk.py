"""The disk under the queue: full before a message, in its middle and at its commit; not writable. What the client is
told, that nothing acknowledged suffers, and that mail flows again by itself once there is room. The disk is a tmpfs
of its own, so these want root and the right to mount."""

import contextlib
import os
import subprocess
import unittest

import harness
import msad
from talk import dot_stuff

DISK_BYTES = 16 << 20
SMALL = b"Subject: small\r\n\r\nhello\r\n"
LARGE = b"Subject: large\r\n\r\n" + b"0123456789abcd\r\n" * (4 << 16)  # 4 MiB


class OnDisk(msad.Msad):
    """msad whose queue is a file system of its own."""

    def start(self):
        self.queue_path = os.path.join(self.directory, "state", "relay")
        if not os.path.ismount(self.queue_path):
            os.makedirs(self.queue_path, exist_ok=True)
            mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755", "tmpfs",
                                      self.queue_path], capture_output=True, text=True, check=False)
            if mounted.returncode != 0:
                raise unittest.SkipTest(f"NOT TESTED: cannot mount a small file system: {mounted.stderr.strip()}")
        super().start()

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", self.queue_path], check=True)

    @property
    def ballast(self):
        return os.path.join(self.queue_path, "ballast")

    def fill(self, leave_bytes):
        """Takes all of the disk but so many bytes."""
        block = 4096
        with open(self.ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while (free := os.statvfs(self.queue_path)).f_bavail * free.f_frsize > leave_bytes:
                file.write(b"x" * block)

    def empty(self):
        os.unlink(self.ballast)


@unittest.skipUnless(os.geteuid() == 0, "NOT TESTED: a small file system wants root")
class DiskCase(harness.Case):
    """A smarthost that takes nothing yet, so that everything is queued."""

    def start(self, **blocks):
        self.smarthost = self.sink(faults=["banner reply 421 4.3.2 not now"])
        blocks.setdefault("queue", "min_free 0;")
        self.addCleanup(subprocess.run, ["umount", "--lazy", os.path.join(self.directory, "msad/state/relay")],
                        capture_output=True, check=False)
        self.msad = self.stop_later(OnDisk(self.directory, self.smarthost.port,
                                           pool="handover queue; dead_host_pause 100ms;", **blocks))
        self.talk = self.msad.talk("taro@example.test")
        self.addCleanup(self.talk.close)

    def ask_for_data(self):
        """(code, last line) of the answer to DATA; the transaction is over if that is no 354."""
        self.talk.begin("taro@example.test", "a@example.net")
        answer = self.talk.say("DATA")
        if answer[0] != 354:
            self.talk.expect("RSET", 250)
        return answer

    def data(self, message):
        """(code, last line) of what DATA, or the message behind it, is answered."""
        answer = self.ask_for_data()
        if answer[0] != 354:
            return answer
        self.talk.send(dot_stuff(message))
        return self.talk.reply()

    def assert_full(self, answer):
        code, text = answer
        self.assertEqual(code, 452, text)
        self.assertIn(" 4.3.1 ", text)

    def assert_taken(self, message):
        code, text = self.data(message)
        self.assertEqual(code, 250, text)

    def assert_delivered(self, count):
        """Everything that got 250, once, and nothing else."""
        self.smarthost.set_faults()
        self.msad.msactl("queue", "flush")
        self.smarthost.wait_for_messages(count)
        self.msad.wait_for_empty_queue()
        self.assertEqual(len(self.smarthost.messages()), count)
        self.assertEqual(os.listdir(os.path.join(self.msad.queue_path, "bodies")), [])


class FullTest(DiskCase):
    def test_too_little_room_is_told_before_the_message_is_sent(self):
        self.start(queue="min_free 4M;", limits="junk_commands 100000;")
        self.assert_taken(SMALL)
        self.msad.fill(leave_bytes=2 << 20)
        taken = 1

        def is_refused_at_once():
            nonlocal taken
            answer = self.ask_for_data()
            if answer[0] == 354:  # a session has some places at hand
                self.talk.send(dot_stuff(SMALL))
                answer, is_at_once = self.talk.reply(), False
                taken += answer[0] == 250  # relay looks once a second
            else:
                is_at_once = True
            if answer[0] != 250:
                self.assert_full(answer)
            return is_at_once
        harness.wait_for(is_refused_at_once, "452 at DATA")
        self.msad.wait_for_event("queue-refusing")
        self.msad.empty()
        harness.wait_for(lambda: self.data(SMALL)[0] == 250, "mail to be taken again")
        self.msad.wait_for_event("queue-open")
        self.assert_delivered(taken + 1)

    def test_no_room_in_the_middle_of_a_message(self):
        self.start()
        self.assert_taken(LARGE)
        self.msad.fill(leave_bytes=1 << 20)
        self.assert_full(self.data(LARGE))
        self.assert_full(self.data(LARGE))
        free = os.statvfs(self.msad.queue_path)
        harness.wait_for(lambda: os.statvfs(self.msad.queue_path).f_bavail * free.f_frsize > 900 << 10,
                         "what did not fit to be given back")
        self.assert_taken(SMALL)
        self.msad.empty()
        self.assert_taken(LARGE)
        self.assertEqual(self.msad.queue_count(), 3)
        self.assert_delivered(3)

    def test_no_room_at_the_commit(self):
        self.start()
        self.assert_taken(SMALL)
        self.msad.fill(leave_bytes=0)
        answers = [self.data(SMALL + b"x" * 900 + b"\r\n") for _ in range(20)]
        self.assertIn(452, [code for code, _ in answers])
        self.assert_full(answers[-1])
        taken = 1 + sum(code == 250 for code, _ in answers)
        self.assertFalse([code for code, _ in answers if code not in (250, 452)])
        self.assertEqual(self.msad.queue_count(), taken)
        self.msad.empty()
        self.assert_taken(LARGE)
        self.assert_taken(SMALL)
        self.assert_delivered(taken + 2)

    def test_a_full_disk_stops_no_delivery(self):
        self.start()
        for _ in range(20):
            self.assert_taken(SMALL)
        self.msad.fill(leave_bytes=0)
        self.smarthost.set_faults()
        self.msad.msactl("queue", "flush")
        self.smarthost.wait_for_messages(20)
        self.msad.empty()
        self.msad.wait_for_empty_queue()
        self.assertEqual(len(self.smarthost.messages()), 20)


class UnwritableTest(DiskCase):
    def test_a_directory_of_bodies_that_cannot_be_written(self):
        self.start()
        bodies = os.path.join(self.msad.queue_path, "bodies")
        owner = os.stat(bodies)
        os.chown(bodies, 0, 0)
        self.assert_taken(SMALL)
        answers = [self.data(LARGE) for _ in range(3)]  # a descriptor may have been at hand
        self.assertEqual(answers[-1][0], 452, answers)
        self.assertIn(" 4.3.1 ", answers[-1][1])
        taken = 1 + sum(code == 250 for code, _ in answers)
        os.chown(bodies, owner.st_uid, owner.st_gid)
        harness.wait_for(lambda: self.data(LARGE)[0] == 250, "large mail to be taken again")
        self.assert_delivered(taken + 1)

    def test_a_queue_that_cannot_be_written_at_the_start(self):
        self.start()
        self.assert_taken(SMALL)
        self.msad.child.stop()
        self.msad.remount("ro")
        self.msad.child = harness.Child([os.path.join(harness.BUILD, "msad"), "-f", self.msad.config_path],
                                        self.msad.directory, self.msad.name)
        self.msad.child.wait_for_line("queue.mdb: Read-only file system; the user of this process must be able to")
        self.assertEqual(self.msad.child.process.wait(harness.WAIT_S), 1)
        self.msad.remount("rw")
        self.msad.start()
        self.assertEqual(self.msad.queue_count(), 1)
        self.assert_delivered(1)
