"""Two verifiers of DKIM that share nothing with msad: python3-dkim, and opendkim with the keys in a file."""

import os
import shutil
import subprocess
import sys
import unittest

try:
    import dkim
    import nacl.signing
    assert nacl.signing
except ImportError:
    dkim = None

OPENDKIM = shutil.which("opendkim", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def need():
    """SkipTest where python3-dkim is not there."""
    if not dkim:
        print("NOT TESTED: no python3-dkim with python3-nacl", file=sys.stderr)
        raise unittest.SkipTest("no python3-dkim with python3-nacl")


def records(zone):
    """{name: text} of the TXT records in the output of `msactl dkim dns`."""
    found = {}
    for line in zone.splitlines():
        name, _, strings = line.partition(" IN TXT ( ")
        if strings:
            found[name.rstrip(".")] = "".join(strings.split('"')[1::2])
    return found


def verify(message, texts):
    """[(algorithm, selector, holds)] of each signature, the top one first, by python3-dkim."""
    verifier = dkim.DKIM(message, minkey=1024)
    count = sum(name.lower() == b"dkim-signature" for name, _ in verifier.headers)
    found = []
    for at in range(count):
        verifier = dkim.DKIM(message, minkey=1024)
        try:
            holds = verifier.verify(at, dnsfunc=lambda name, **_: texts[name.decode().rstrip(".")].encode())
        except (dkim.DKIMException, KeyError) as error:
            holds = f"{type(error).__name__}: {error}"
        fields = verifier.signature_fields
        found.append((fields.get(b"a", b"").decode(), fields.get(b"s", b"").decode(), holds))
    return found


def opendkim(message, texts, directory):
    """What opendkim says of the message: True, or its words. Knows RSA and Ed25519."""
    paths = {name: os.path.join(directory, name) for name in ("dns-data", "opendkim.conf", "message")}
    with open(paths["dns-data"], "w", encoding="ascii") as file:
        for name, text in texts.items():
            file.write(f"{name} {text}\n")
    with open(paths["opendkim.conf"], "w", encoding="ascii") as file:
        file.write(f"TestDNSData {paths['dns-data']}\nMinimumKeyBits 1024\n")
    with open(paths["message"], "wb") as file:
        file.write(message if message.endswith(b"\r\n") else message + b"\r\n")  # it reads whole lines only
    run = subprocess.run([OPENDKIM, "-x", paths["opendkim.conf"], "-t", paths["message"], "-vv"],
                         capture_output=True, text=True, check=False, timeout=60)
    said = run.stdout + run.stderr
    return run.returncode == 0 and "verification (s=" in said and "succeeded" in said or said
