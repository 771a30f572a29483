"""A page in real, headless Chromium, driven over the DevTools protocol through two pipes: no library, no port.

with chromium.open(page, width=360) as tab:
    tab.run("press('/'); return document.activeElement.id")      # the body of an async function
    tab.screenshot(image)
    assert tab.console == [] and tab.requests == []
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
]
SECONDS = 90
TOOLS = """
const settle = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
const press = (key, at = document.activeElement || document.body) =>
  at.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
const $ = (selector) => document.querySelector(selector);
const $$ = (selector) => [...document.querySelectorAll(selector)];
"""


class Chromium:
    """One browser for all tests of a session."""

    def __init__(self, program: str, profile: Path) -> None:
        to_browser, self.writing = os.pipe()
        self.reading, from_browser = os.pipe()
        for number in (to_browser, from_browser):
            os.set_inheritable(number, True)
        # The browser reads commands from descriptor 3 and writes answers to 4.
        words = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        shell = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", shell, "bash", *words],
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.count, self.rest, self.events = 0, b"", list[dict[str, Any]]()

    @contextmanager
    def open(self, page: Path, *, width: int = 1440, height: int = 900, dark: bool = False) -> Iterator[Tab]:
        """A page from disk in a tab of its own, in a window of this size."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.ask(f"{domain}.enable")
        tab.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        tab.ask("Emulation.setEmulatedMedia", features=[feature])
        tab.ask("Page.navigate", url=page.as_uri())
        self.wait(session, "Page.loadEventFired")
        yield tab
        self.ask("Target.closeTarget", targetId=target)

    def ask(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Sends a command and waits for its answer."""
        self.count += 1
        number = self.count
        command: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        os.write(self.writing, json.dumps(command).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, f"{method}: {answer}"
        result: dict[str, Any] = answer["result"]
        return result

    def wait(self, session: str, method: str) -> None:
        """Waits for an event of a tab."""
        while not any(e.get("method") == method and e.get("sessionId") == session for e in self.events):
            self.events.append(self._next())

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.reading], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(self.reading, 1 << 20) if ready else b""
            if not piece:
                raise TimeoutError(f"chromium said nothing for {SECONDS} s, or it ended ({self.process.poll()})")
            self.rest += piece
        text, _, self.rest = self.rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(text)
        return answer

    def close(self) -> None:
        """Ends the browser."""
        self.ask("Browser.close")
        self.process.wait(SECONDS)
        os.close(self.writing)
        os.close(self.reading)


class Tab:
    """One open page."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self.browser, self.session = browser, session

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the DevTools protocol."""
        return self.browser.ask(method, self.session, **parameters)

    def run(self, script: str) -> Any:
        """Runs the body of an async function and gives what it returns; has `$`, `$$`, `press(key, at)`, `settle()`."""
        expression = f"(async () => {{ {TOOLS} {script} }})()"
        said = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]["exception"].get("description")
        return said["result"].get("value")

    def key(self, key: str, *, shift: bool = False) -> None:
        """A real key press, with what the browser itself does of it, such as moving the focus."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "ArrowLeft": 37, "ArrowRight": 39}
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        number = codes.get(key, ord(key[0].upper()))
        more = {"key": key, "windowsVirtualKeyCode": number, "modifiers": 8 * shift}
        self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **more)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **more)

    def screenshot(self, image: Path, *, whole: bool = False) -> Path:
        """The page as it stands on the screen, or all of it."""
        data = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        image.write_bytes(base64.b64decode(data))
        return image

    def print(self, pdf: Path) -> Path:
        """The page on paper."""
        pdf.write_bytes(base64.b64decode(self.ask("Page.printToPDF", printBackground=True)["data"]))
        return pdf

    @property
    def console(self) -> list[str]:
        """What the page wrote to the console, warnings of the browser, and errors that nobody caught."""
        said = [(event["method"], event["params"]) for event in self._events()]
        lines = [str(p["args"][0].get("value")) for method, p in said if method == "Runtime.consoleAPICalled"]
        lines += [p["exceptionDetails"]["text"] for method, p in said if method == "Runtime.exceptionThrown"]
        return lines + [p["entry"]["text"] for method, p in said if method == "Log.entryAdded"]

    @property
    def requests(self) -> list[str]:
        """The addresses that the page asked for, itself and data within it excepted."""
        sent = [e["params"]["request"]["url"] for e in self._events() if e["method"] == "Network.requestWillBeSent"]
        return [url for url in sent[1:] if not url.startswith(("data:", "blob:"))]

    def _events(self) -> list[dict[str, Any]]:
        self.run("await settle(); await settle();")
        return [e for e in self.browser.events if e.get("sessionId") == self.session]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The machine's Chromium; a test that needs it is skipped, with the reason, where there is none."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no chromium on this machine, so pages are not opened; on Debian: apt-get install chromium")
    browser = Chromium(program, tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()
