"""A real Chromium, headless, driven over WebDriver (W3C) by Debian's chromedriver: what a person does at the pages."""

import base64
import http.client
import json
import os
import shutil
import subprocess

import harness

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# Nothing of the browser itself asks the internet.
QUIET = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--force-prefers-reduced-motion"]


def missing():
    """What has to be installed, or None."""
    names = [n for n in ("chromium", "chromedriver") if not shutil.which(n)]
    return f"{' and '.join(names)} not installed" if names else None


class Failure(Exception):
    """What WebDriver answers when it cannot do as it was told."""


class Browser:
    def __init__(self, directory, language="ja", width=1200, height=900):
        self.port = harness.free_port()
        self.log_path = os.path.join(directory, f"chromedriver-{self.port}.log")
        profile = os.path.join(directory, f"profile-{self.port}")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(["chromedriver", f"--port={self.port}"], stdout=log, stderr=log,
                                            env={**os.environ, "HOME": directory, "LANGUAGE": language})
        self.session = None
        self.first_bytes = 0  # of the page that was begun with
        harness.wait_for(self.is_up, "chromedriver answers")
        options = {"args": [*QUIET, f"--lang={language}", f"--user-data-dir={profile}", f"--window-size={width},{height}"],
                   "prefs": {"intl.accept_languages": {"ja": "ja,en", "en": "en"}[language]}}
        answer = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "acceptInsecureCerts": True, "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = answer["sessionId"]

    def is_up(self):
        try:
            return self.ask("GET", "/status")["ready"]
        except OSError:
            return False

    def stop(self):
        try:
            if self.session:
                self.ask("DELETE", f"/session/{self.session}")
        except (OSError, Failure):
            pass
        self.process.terminate()
        self.process.wait(harness.WAIT_S)

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        value = json.loads(answer.read())["value"]
        connection.close()
        if answer.status != 200:
            raise Failure(f"{value.get('error')}: {value.get('message', '').splitlines()[0]}")
        return value

    def do(self, what, body=None, method="POST"):
        return self.ask(method, f"/session/{self.session}/{what}", {} if body is None and method == "POST" else body)

    # ---- looking ----

    def go(self, url):
        self.do("url", {"url": url})

    def url(self):
        return self.do("url", method="GET")

    def run(self, script, *arguments):
        return self.do("execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script):
        """What the script gives to done()."""
        return self.do("execute/async", {"script": f"const done = arguments[arguments.length - 1]; {script}", "args": []})

    def scheme(self, name):
        """Light or dark, as the system of the reader would have it."""
        self.do("goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"features": [
            {"name": "prefers-color-scheme", "value": name}, {"name": "prefers-reduced-motion", "value": "reduce"}]}})

    def find(self, css):
        """The element that is there and seen, waited for."""
        return harness.wait_for(lambda: self.seen(css), f"{css} is seen at {self.url()}")

    def seen(self, css):
        found = self.do("elements", {"using": "css selector", "value": css})
        for element in found:
            try:
                if self.do(f"element/{element[ELEMENT]}/displayed", method="GET"):
                    return element
            except Failure:
                pass  # drawn anew meanwhile
        return None

    def gone(self, css):
        harness.wait_for(lambda: not self.seen(css), f"{css} is gone")

    def text(self, css="body"):
        return self.do(f"element/{self.find(css)[ELEMENT]}/text", method="GET")

    def has_text(self, text, css="body"):
        """Waits until it is there."""
        harness.wait_for(lambda: text in self.run("return (document.querySelector(arguments[0]) || {}).innerText || ''", css),
                           f"“{text}” in {css}")

    # ---- doing ----

    def click(self, css):
        self.do(f"element/{self.find(css)[ELEMENT]}/click")

    def press(self, text, css="button"):
        """The button, or link, that carries these words."""
        find = ("const all = [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility() && "
                "(e.innerText.trim() === arguments[1] || e.getAttribute('aria-label') === arguments[1])); return all.pop() || null")
        element = harness.wait_for(lambda: self.run(find, css, text), f"a {css} with “{text}”")
        self.do(f"element/{element[ELEMENT]}/click")

    def type(self, css, text):
        element = self.find(css)[ELEMENT]
        self.do(f"element/{element}/clear")
        self.do(f"element/{element}/value", {"text": text})

    def choose(self, css, value):
        """An option, a date, a number: set as a person's choice, with its event."""
        self.find(css)
        self.run("const e = document.querySelector(arguments[0]); e.value = arguments[1];"
                 "e.dispatchEvent(new Event('change', {bubbles: true}));", css, value)

    def keys(self, *keys):
        """Single keys to whatever has the focus."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.do("actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def resize(self, width, height):
        self.do("window/rect", {"width": width, "height": height})

    def picture(self, path, whole=True):
        """A PNG of the page, all of it, as wide as the window."""
        if whole:
            self.run("scrollTo(0, 0)")
            width, height = self.run("return [innerWidth, Math.max(document.documentElement.scrollHeight, innerHeight)]")
            found = self.do("goog/cdp/execute", {"cmd": "Page.captureScreenshot", "params": {
                "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}})["data"]
        else:
            found = self.do("screenshot", method="GET")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(found))

    def phone(self, is_phone=True):
        """The size of a phone, as its browser has it; or back."""
        if is_phone:
            self.do("goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
                "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}})
        else:
            self.do("goog/cdp/execute", {"cmd": "Emulation.clearDeviceMetricsOverride", "params": {}})

    def complaints(self):
        """What the console of the browser holds since the last time: errors and warnings."""
        return [entry["message"] for entry in self.do("se/log", {"type": "browser"})
                if entry["level"] in ("SEVERE", "WARNING")]

    def bytes_loaded(self):
        """What the page and all it needs came to over the wire."""
        return self.run("return performance.getEntries().filter((e) => e.entryType === 'resource' || e.entryType === 'navigation')"
                        ".reduce((sum, e) => sum + e.transferSize, 0)")

    def settle(self):
        """Until the page says that it is ready."""
        self.find("[data-ready]")


