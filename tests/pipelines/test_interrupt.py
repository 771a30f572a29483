"""Signals that ask a run to stop, and those that must not."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import interrupt
from pipelines.interrupt import Interrupt


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in interrupt.SIGNALS}
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
