"""Slow tests in turn: after all others, as many as fit into some minutes, from a place that a word decides.

`pytest -m 'not gpu' --slow-until 24 --slow-from "$(git rev-parse HEAD)"` takes the slow tests in their usual order,
begins at another one for each commit, goes round, and begins none once 24 minutes have passed since pytest started.
A slow machine, which needs longer for the other tests, runs fewer slow ones and ends at the same time.
"""

from __future__ import annotations

import time
import zlib

import pytest


class Share:
    """The slow tests of one session, in the order in which they get their turn."""

    def __init__(self, minutes: float, word: str) -> None:
        self.minutes, self.word = minutes, word
        self.slow: list[pytest.Item] = []
        self.begun = 0
        self.end = time.monotonic() + 60 * minutes

    @pytest.hookimpl(trylast=True)  # after -m and -k have taken theirs away
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Puts the slow tests behind the others."""
        slow = [item for item in items if item.get_closest_marker("slow")]
        first = zlib.crc32(self.word.encode()) % len(slow) if slow else 0
        self.slow = slow[first:] + slow[:first]
        items[:] = [item for item in items if item not in slow] + self.slow

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Passes a slow test over once the time is up."""
        if item not in self.slow:
            return None
        if time.monotonic() > self.end:
            return True
        self.begun += 1
        return None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Says how many had their turn, and which comes next."""
        if not self.slow:
            return
        left = self.slow[self.begun :]
        more = f"; the next one is {left[0].nodeid}" if left else ""
        terminalreporter.write_line(
            f"{self.begun} of {len(self.slow)} slow tests began within {self.minutes:g} minutes, "
            f"from {self.slow[0].nodeid}{more}"
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two options; without the first one nothing changes."""
    parser.addoption("--slow-until", type=float, help="minutes from the start on within which slow tests begin")
    parser.addoption("--slow-from", default="", help="any word, such as a commit: it decides which slow test is first")


def pytest_configure(config: pytest.Config) -> None:
    """Takes part only where it is asked to."""
    if (minutes := config.getoption("--slow-until")) is not None:
        config.pluginmanager.register(Share(minutes, config.getoption("--slow-from")))
