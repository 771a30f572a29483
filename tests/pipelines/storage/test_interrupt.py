"""Signals that ask a run to stop, and those that must not."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from soak import ROOT

from sslgraph.pipelines.storage import checkpoint, interrupt, metrics_file
from sslgraph.pipelines.storage.interrupt import Interrupt


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in interrupt.SIGNALS}
    for number in interrupt.SIGNALS:  # the tests themselves may run under nohup or in the background
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_asks_and_what_follows_is_done_once(number: int) -> None:
    told: list[int] = []
    before = {each: signal.getsignal(each) for each in interrupt.SIGNALS}
    with Interrupt(then=lambda: told.append(1)) as asking:
        assert not asking.asked
        os.kill(os.getpid(), number)
        assert asking.asked and told == [1]
    assert {each: signal.getsignal(each) for each in interrupt.SIGNALS} == before


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_sigterm_or_sighup_does_not_end_the_save(first: int, second: int) -> None:
    with Interrupt() as asking:
        os.kill(os.getpid(), first)
        os.kill(os.getpid(), second)
        assert asking.asked


def test_a_second_ctrl_c_ends_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupt():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_under_nohup_a_closed_terminal_does_not_stop_the_run() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Interrupt() as asking:
        os.kill(os.getpid(), signal.SIGHUP)
        assert not asking.asked


def test_a_file_asks_and_is_withdrawn(tmp_path: Path) -> None:
    asking = Interrupt(tmp_path / "run")
    assert not asking.asked
    interrupt.ask(tmp_path / "run")
    assert asking.asked
    interrupt.withdraw(tmp_path / "run")
    assert not asking.asked


def in_a_terminal(words: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    """The command in a terminal of its own, whose other end is given: to close it closes the terminal."""

    def enter() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sslgraph", *words], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, preexec_fn=enter,
    )  # fmt: skip
    os.close(theirs)
    return process, ours


def endless(out: Path) -> list[str]:
    """The words of a small training that ends only when it is ended."""
    sets = (
        "data.images=64",
        "batch=8",
        "epochs=null",
        "steps=100000",
        "evaluate={}",
        "nets.f.width=4",
        "views.x.size=16",
    )
    return ["train", "simclr", "--out", str(out), *(word for text in sets for word in ("--set", text))]


def test_a_closed_terminal_loses_no_step(tmp_path: Path) -> None:
    """Nothing can be shown any more, neither the bar nor a line, and the run saves all the same."""
    words = endless(tmp_path)
    process, terminal = in_a_terminal(words)
    reading = threading.Event()

    def read() -> None:
        while not reading.is_set():
            os.read(terminal, 1 << 16)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        end = time.monotonic() + 300
        while metrics_file.last_step(tmp_path) < 40:
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.1)
        reading.set()
        reader.join(300)
        os.close(terminal)
        assert process.wait(300) == 1
    finally:
        process.kill()
    newest = checkpoint.step_of(checkpoint.complete(tmp_path / "checkpoints")[-1])
    assert newest == metrics_file.last_step(tmp_path) >= 40
    assert metrics_file.missing(tmp_path, newest) == ""


@pytest.mark.slow  # some 10 s: a training that is interrupted
def test_a_reader_that_goes_away_loses_no_step(tmp_path: Path) -> None:
    """`sslgraph train ... | head`: the run saves its step and says on standard error how it continues."""
    words = endless(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "sslgraph", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        end = time.monotonic() + 300
        while metrics_file.last_step(tmp_path) < 40:
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.1)
        process.stdout.close()
        assert process.wait(300) == 1
        said = process.stderr.read()
    finally:
        process.kill()
        process.stderr.close()
    newest = checkpoint.step_of(checkpoint.complete(tmp_path / "checkpoints")[-1])
    assert newest == metrics_file.last_step(tmp_path) >= 40
    assert said == f"Stopped at step {newest}, checkpoint saved. Continue: sslgraph train --resume {tmp_path}\n"
