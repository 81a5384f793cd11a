#!/usr/bin/python3
"""The documentation's site in headless Chromium: the search finds words, and no page asks another host for anything.

  site_browser_test.py SITE

SITE is the folder that scripts/docs has built. Exits with 77 without Chromium. HANSA_SCREENSHOTS=FOLDER keeps a picture of
each page that it opens.
"""
import base64
import functools
import http.server
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse


PATIENCE_S = 120  # nothing is measured: a browser that is silent for so long has failed


def fail(text):
    sys.exit(f"FAILED: {text}")


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve(folder):
    """The address of a server of a folder on this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}/"


class Browser:
    """Chromium, spoken to by its debugging protocol over two pipes: JSON messages that end with a zero byte."""

    def __init__(self, program, profile):
        commands, self.output = os.pipe()
        self.input, answers = os.pipe()
        # The browser reads from descriptor 3 and writes to 4.
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "bash", program, "--headless", "--no-sandbox",
             "--disable-gpu", "--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(commands, answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        self.number, self.rest, self.session, self.requests, self.loaded = 0, b"", None, [], set()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        # Workers, which have sessions of their own: the search is one.
        self.call("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True)
        self.call("Network.enable")
        self.call("Page.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def message(self):
        while b"\0" not in self.rest:
            if not select.select([self.input], [], [], PATIENCE_S)[0]:
                fail("chromium says nothing any more")
            part = os.read(self.input, 1 << 16)
            if not part:
                fail("chromium has ended")
            self.rest += part
        text, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(text)
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        if method == "Target.attachedToTarget":
            self.send("Network.enable", params["sessionId"])
        if method == "Page.lifecycleEvent" and params["name"] == "load":
            self.loaded.add(params["loaderId"])
        return message

    def send(self, method, session, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        return self.number

    def call(self, method, **params):
        number = self.send(method, self.session, **params)
        while True:
            message = self.message()
            if message.get("id") == number:
                return message["result"] if "result" in message else fail(f"{method}: {message['error']}")

    def open(self, url):
        """Waits until the page is loaded."""
        self.requests.clear()
        loader = self.call("Page.navigate", url=url)["loaderId"]
        while loader not in self.loaded:
            self.message()

    def value(self, expression):
        """The value of an expression of the page; of a promise: its result."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return fail(result["exceptionDetails"]) if "exceptionDetails" in result else result["result"].get("value")

    def keep_picture(self, name):
        if "HANSA_SCREENSHOTS" in os.environ:
            file = pathlib.Path(os.environ["HANSA_SCREENSHOTS"]) / (name.replace("/", "-") + ".png")
            file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def others(self):
        """The requests of this page to another host. This machine's servers are this test's own."""
        parts = [(url, urllib.parse.urlsplit(url)) for url in self.requests]
        return [url for url, part in parts if part.scheme != "data" and part.hostname != "127.0.0.1"]

    def close(self):
        self.send("Browser.close", None)
        self.process.wait(timeout=60)


# Types into the search when its index is loaded, and waits for the first results.
SEARCH = """new Promise(done => {
  const field = document.querySelector('input.md-search__input');
  const ready = () => !document.querySelector('.md-search-result__meta').textContent.includes('Initializing');
  const found = () => [...document.querySelectorAll('a.md-search-result__link')].map(link => link.getAttribute('href'));
  let typed = false;
  const look = () => {
    if (ready() && !typed) {
      typed = true;
      field.focus();
      field.value = 'quorum deadline';
      field.dispatchEvent(new Event('input', {bubbles: true}));
      field.dispatchEvent(new Event('keyup', {bubbles: true}));
    }
    if (found().length) done(found());
  };
  new MutationObserver(look).observe(document.querySelector('.md-search'),
                                     {childList: true, subtree: true, characterData: true});
  document.querySelector('#__search').click();
  look();
})"""


def main():
    program = shutil.which("chromium")
    if program is None:
        print("skipped: apt-get install chromium")
        return 77
    folder = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as work:
        # The browser is ended first: it writes into its profile until then.
        browser = Browser(program, work + "/profile")
        try:
            # A page that does ask another host is noticed, otherwise the rest would prove nothing. Nothing is sent: the
            # name exists nowhere.
            (pathlib.Path(work) / "asks.html").write_text("<img src='http://fonts.invalid/a.png'>", encoding="utf-8")
            browser.open(serve(work) + "asks.html")
            if browser.others() != ["http://fonts.invalid/a.png"]:
                fail(f"a request to another host is not noticed: {browser.requests}")

            site = serve(folder)
            pages = ["index.html", "tutorial.html", "configuration.html", "examples/medical.html"]
            for width, height in ((1280, 900), (390, 844)):
                browser.size(width, height)
                for page in pages:
                    browser.open(site + page)
                    browser.keep_picture(f"{page}-{width}")
                    if browser.others():
                        fail(f"{page} asks other hosts: {browser.others()}")
                    if browser.value("document.documentElement.scrollWidth") > width:
                        fail(f"{page} is wider than a screen of {width}")
            browser.size(1280, 900)
            browser.open(site + "index.html")
            found = browser.value(SEARCH)
            browser.keep_picture("search")
            if not any("round.html" in link for link in found) or browser.others():
                fail(f"the search finds {found} and asks {browser.others()}")
            print(f"{len(pages)} pages ask no other host; the search finds {len(found)} sections")
        finally:
            browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
