#!/usr/bin/python3
"""Runs the integration tests: every tests/integ/test_*.py, with the standard library's unittest.

usage: run.py [FILTER…]     a test runs if any FILTER is part of its name (module.Class.method)
       run.py --list

Environment: MSAD_BUILD, the build directory (default `build`); MSAD_TEST_TIMEOUT_S, the most that one test
may take (default 120). Ends with "N passed, N failed, N skipped"; running no test at all is a failure."""

import faulthandler
import os
import signal
import sys
import time
import traceback
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT_S = int(os.environ.get("MSAD_TEST_TIMEOUT_S", "120"))
GRACE_S = 30  # for cleaning up, before the whole run is ended


class TestTimeout(BaseException):
    """Not an Exception, so that no `except Exception` in a test swallows it."""


def on_alarm(_signum, _frame):
    raise TestTimeout(f"took more than {TIMEOUT_S} s")


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.passed = 0
        self.bad = {}  # name -> text; a test with several failing subtests counts once
        self.started_s = 0.0

    def startTest(self, test):
        super().startTest(test)
        self.started_s = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, TIMEOUT_S)
        faulthandler.dump_traceback_later(TIMEOUT_S + GRACE_S, exit=True)

    def stopTest(self, test):
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)

    def say(self, word, test, text=""):
        took_s = time.monotonic() - self.started_s
        print(f"{word:4} {test.id()} ({took_s:.2f} s){': ' + text if text else ''}", flush=True)

    def addSuccess(self, test):
        self.passed += 1
        self.say("ok", test)

    def fail(self, test, err):
        self.bad[test.id()] = "".join(traceback.format_exception(*err))
        self.say("FAIL", test, f"{err[0].__name__}: {err[1]}")
        print(self.bad[test.id()], flush=True)

    def addFailure(self, test, err):
        self.fail(test, err)

    def addError(self, test, err):
        self.fail(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.fail(subtest, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say("SKIP", test, reason)

    def addUnexpectedSuccess(self, test):
        self.bad[test.id()] = "unexpected success"
        self.say("FAIL", test, "was expected to fail, and passed")


def each_test(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from each_test(item)
        else:
            yield item


def wanted(suite, filters):
    return [test for test in each_test(suite)
            if not filters or any(part in test.id() for part in filters)
            or isinstance(test, unittest.loader._FailedTest)]


def main(arguments):
    sys.path.insert(0, HERE)
    os.environ.setdefault("MSAD_BUILD", os.path.join(HERE, "../../build"))
    os.environ["MSAD_BUILD"] = os.path.abspath(os.environ["MSAD_BUILD"])
    signal.signal(signal.SIGALRM, on_alarm)
    filters = [part.strip("*") for part in arguments if not part.startswith("--")]
    tests = wanted(unittest.defaultTestLoader.discover(HERE, "test_*.py"), filters)
    if "--list" in arguments:
        print("\n".join(test.id() for test in tests))
        return 0
    result = Result()
    unittest.TestSuite(tests).run(result)
    failed, skipped = len(result.bad), len(result.skipped)
    if result.passed + failed + skipped == 0:
        print("run.py: no test ran", file=sys.stderr)
        failed = 1
    for test, reason in result.skipped:
        print(f"SKIPPED {test.id()}: {reason}")
    for name in result.bad:
        print(f"FAILED {name}")
    print(f"integ: {result.passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
