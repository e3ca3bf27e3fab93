"""A wall clock that a test moves, by hours or days, back and forth: build/tests/clock_shim.so in the programs that
get its environment. The monotonic clock, and so every deadline, is left alone."""

import mmap
import os
import struct
import time

import harness


class Clock:
    """name: of the file in `directory` that the programs look at."""

    def __init__(self, directory, name="clock"):
        self.path = os.path.join(directory, name)
        with open(self.path, "w+b") as file:
            file.write(struct.pack("=q", 0))
            file.flush()
            self.memory = mmap.mmap(file.fileno(), 8)
        os.chmod(self.path, 0o644)  # the roles run as somebody else

    @property
    def env(self):
        shim = os.path.join(harness.BUILD, "tests/clock_shim.so")
        if not os.path.exists(shim):
            raise AssertionError(f"{shim} is not built: make tools")
        return {"LD_PRELOAD": shim, "MSAD_TEST_CLOCK": self.path}

    @property
    def offset_ms(self):
        return struct.unpack("=q", self.memory[:8])[0]

    @offset_ms.setter
    def offset_ms(self, value):
        self.memory[:8] = struct.pack("=q", round(value))

    def now_s(self):
        return time.time() + self.offset_ms / 1000

    def set(self, at_s):
        """Now is `at_s`, seconds since 1970."""
        self.offset_ms = (at_s - time.time()) * 1000

    def advance(self, days=0, hours=0, minutes=0, seconds=0):
        """Moves the clock; negative numbers move it back."""
        self.offset_ms += ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000
