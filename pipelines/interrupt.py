"""A run that is asked to stop finishes its step first; it is asked by a signal, or by a file in its folder."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
FILE = "stop"  # `touch runs/NAME/stop` asks from anywhere that sees the folder


class Interrupt:
    """Within it, the first Ctrl-C (or SIGTERM) sets `asked`; the second one ends the program as usual.

    So does the file in `folder`: workers of Ray train on other machines, or in a thread, where no signal arrives.
    `then` is called once, by the signal.
    """

    def __init__(self, folder: Path | None = None, *, then: Callable[[], None] | None = None) -> None:
        self.folder, self.then = folder, then
        self._by_signal = False
        self._before: dict[signal.Signals, Any] = {}

    @property
    def asked(self) -> bool:
        """Whether the run is to stop."""
        return self._by_signal or (self.folder is not None and (self.folder / FILE).exists())

    def __enter__(self) -> Interrupt:
        # Only the main thread may listen to signals, and a Ray worker trains in another.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._ask) for number in SIGNALS}
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._restore()

    def _ask(self, *_: int | FrameType | None) -> None:
        self._by_signal = True
        self._restore()
        if self.then is not None:
            self.then()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()


def ask(folder: Path) -> None:
    """Asks the run in a folder to stop, wherever it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).touch()


def withdraw(folder: Path) -> None:
    """Forgets that a run was asked to stop: it did, or it starts anew."""
    (folder / FILE).unlink(missing_ok=True)
