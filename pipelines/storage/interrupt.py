"""Asks a run to stop: a signal, or a file in its folder. The run finishes its step first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FILE = "stop"  # `touch runs/NAME/stop` asks from anywhere that sees the folder


class Interrupt:
    """Within it, the first Ctrl-C, SIGTERM or SIGHUP (a closed terminal) sets `asked`.

    A second Ctrl-C ends the program as usual. A second SIGTERM or SIGHUP changes nothing: launchers and shells send
    them twice, and the checkpoint is being written. A signal that the program was started to ignore (nohup) stays
    ignored. The file in `folder` asks too: workers of Ray train on other machines, or in a thread, where no signal
    arrives. `then` is called once, by the first signal.
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
            heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._ask) for number in heard}
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, *_: int | FrameType | None) -> None:
        is_first, self._by_signal = not self._by_signal, True
        if (ctrl_c := self._before.pop(signal.SIGINT, None)) is not None:
            signal.signal(signal.SIGINT, ctrl_c)
        if is_first and self.then is not None:
            self.then()


def ask(folder: Path) -> None:
    """Asks the run in a folder to stop, wherever it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).touch()


def mark(folder: Path) -> int:
    """What tells the request that is in a folder now from later ones; 0 if there is none."""
    try:
        return (folder / FILE).stat().st_mtime_ns
    except OSError:
        return 0


def withdraw(folder: Path, only: int | None = None) -> None:
    """Removes a request to stop; with `only`, just the one of that mark, and not one that came since."""
    if only is None or only == mark(folder):
        (folder / FILE).unlink(missing_ok=True)
