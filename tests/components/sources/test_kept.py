"""What is kept: the newest that fit, each read once however many ask for it at a time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sslgraph.components.sources.packed.kept import Kept


def test_the_least_recently_used_makes_room() -> None:
    kept: Kept[str, str] = Kept(10)
    for name in ("a", "b", "a", "c", "a", "b"):  # 4 bytes each: two fit
        assert kept.get(name, lambda name=name: (name.upper(), 4)) == name.upper()  # type: ignore[misc]
    assert kept.read == 4  # a, b, c, and b again, which c had put out


def test_many_who_ask_at_a_time_wait_for_one_reading() -> None:
    kept, gate = Kept[int, int](100), threading.Event()

    def read() -> tuple[int, int]:
        assert gate.wait(10)
        return 7, 1

    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(kept.get, 0, read) for _ in range(8)]
        gate.set()
        assert [one.result() for one in asked] == [7] * 8
    assert kept.read == 1


def test_a_failed_reading_is_told_and_tried_again() -> None:
    kept = Kept[int, int](100)

    def fail() -> tuple[int, int]:
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        kept.get(0, fail)
    assert kept.get(0, lambda: (5, 1)) == 5


def test_all_who_wait_for_a_reading_that_fails_are_told_of_it_and_the_next_who_asks_tries_again() -> None:
    kept, gate = Kept[int, int](100), threading.Event()

    def fail() -> tuple[int, int]:
        assert gate.wait(10)
        raise OSError("away")

    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(kept.get, 0, fail) for _ in range(8)]
        while any(not one.running() for one in asked):
            time.sleep(0.001)
        time.sleep(0.1)  # all of them wait
        gate.set()
        assert [str(one.exception()) for one in asked] == ["away"] * 8
    assert kept.read == 1
    assert kept.get(0, lambda: (5, 1)) == 5 and kept.read == 2
