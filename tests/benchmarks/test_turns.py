from __future__ import annotations

import pytest

from benchmarks.turns import Timed, in_turns


def test_ratios_are_taken_round_by_round() -> None:
    timed = Timed("work", "image", 10, {"mine": [1.0, 2.0, 4.0], "theirs": [3.0, 4.0, 20.0]})
    assert timed.ratio("theirs", "mine") == (2.0, 3.0, 5.0)
    lines = timed.table("mine").splitlines()
    assert lines[0] == "work (3 rounds, in turns)"
    assert lines[1].split() == ["mine", "200.00", "ms", "/", "image"]
    assert lines[2].split() == ["theirs", "400.00", "ms", "/", "image", "3.00", "x", "(2.00", "..", "5.00)"]


def test_ways_take_turns_after_a_round_that_is_not_counted() -> None:
    done: list[str] = []
    clock = iter(range(100))
    timed = in_turns(
        "work",
        {"a": lambda: done.append("a"), "b": lambda: done.append("b")},
        unit="step",
        units=1,
        rounds=2,
        clock=lambda: float(next(clock)),
    )
    assert done == ["a", "b", "a", "b", "a", "b"]
    assert timed.seconds == {"a": [1.0, 1.0], "b": [1.0, 1.0]}


def test_times_are_written_in_their_unit() -> None:
    timed = Timed("work", "image", 1, {"a": [2e-6], "b": [3e-3], "c": [4.0]})
    assert [line.split()[1:3] for line in timed.table("a").splitlines()[1:]] == [
        ["2.00", "us"], ["3.00", "ms"], ["4.00", "s"],
    ]  # fmt: skip
    assert timed.ratio("b", "a")[0] == pytest.approx(1500)
