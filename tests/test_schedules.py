"""Schedules: values by hand, and texts that are refused with the forms there are."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslgraph.errors import SslgraphError
from sslgraph.schedules import Clock, duration, is_schedule, schedule

CLOCK = Clock(steps_per_epoch=10, total_steps=100)


def values(text: Any, *steps: int) -> list[float]:
    return [schedule(text).at(step, CLOCK) for step in steps]


@pytest.mark.parametrize(
    "text, steps",
    [
        ("30 epochs", 300),
        ("1 epoch", 10),
        ("500 steps", 500),
        ("1 step", 1),
        ("10 %", 10),
        ("10%", 10),
        ("2.5 epochs", 25),
        ("0 epochs", 0),
    ],
)
def test_a_length_of_time_is_a_number_of_steps(text: str, steps: float) -> None:
    assert duration(text).steps(CLOCK) == steps


@pytest.mark.parametrize(
    "text", ["30", "epochs", "-1 epochs", "1 year", "nan epochs", "1e9 epochs", "", "1 2 epochs", None, 3, ["1 epoch"]]
)
def test_what_is_no_length_of_time_is_refused(text: Any) -> None:
    with pytest.raises(SslgraphError, match="is not a length of time; write for example '30 epochs'"):
        duration(text)


def test_a_number_never_moves() -> None:
    assert schedule(0.1).is_constant
    assert values(3, 0, 50, 1000) == [3.0, 3.0, 3.0]


def test_cosine_is_half_way_at_half_time_and_reaches_its_end_with_the_run() -> None:
    assert values({"cosine": [0.996, 1.0]}, 0, 50, 100) == pytest.approx([0.996, 0.998, 1.0])
    assert values({"cosine": [1, 0]}, 25) == pytest.approx([(1 + math.cos(math.pi / 4)) / 2])


def test_linear_over_a_length_of_time_stays_at_its_end() -> None:
    assert values({"linear": [0.04, 0.07], "over": "3 epochs"}, 0, 10, 30, 99) == pytest.approx(
        [0.04, 0.05, 0.07, 0.07]
    )


def test_by_epoch_moves_at_the_start_of_epochs_only() -> None:
    assert values({"linear": [0, 10], "by": "epoch"}, 0, 9, 10, 19, 99) == pytest.approx([0, 0, 1, 1, 9])
    inner = {"warmup": "15 steps", "then": {"linear": [8.5, 0], "by": "epoch"}}
    assert values(inner, 0, 15, 19, 20, 29) == pytest.approx([0, 8.5, 8.5, 8, 8])


def test_steps_change_at_the_epochs_they_name() -> None:
    assert values({"steps": [1, 0.1, 0.01], "at": ["2 epochs", "50 %"]}, 0, 19, 20, 49, 50) == [1, 1, 0.1, 0.1, 0.01]
    assert values({"steps": [1, 0.1], "at": "2 epochs"}, 19, 20) == [1, 0.1]


def test_a_warm_up_rises_to_what_follows_which_takes_the_rest_of_the_run() -> None:
    text = {"warmup": "20 steps", "then": {"cosine": [0.4, 0]}}
    assert values(text, 0, 10, 20, 60, 100) == pytest.approx([0, 0.2, 0.4, 0.2, 0])
    assert values({"warmup": "20 steps", "from": 0.3, "then": 0.5}, 0, 10, 20) == pytest.approx([0.3, 0.4, 0.5])


def test_after_a_warm_up_steps_still_count_from_the_start_of_the_run() -> None:
    assert values({"warmup": "1 epoch", "then": {"steps": [1, 0.1], "at": ["3 epochs"]}}, 10, 29, 30) == [1, 1, 0.1]


def test_a_warm_up_of_no_time_is_none() -> None:
    assert values({"warmup": "0 steps", "then": {"linear": [1, 0]}}, 0, 50) == pytest.approx([1, 0.5])


@pytest.mark.parametrize(
    "text, said",
    [
        ("fast", "'fast' is neither a number nor a schedule; write one of 0.1, {cosine"),
        (True, "neither a number nor a schedule"),
        (None, "neither"),
        (float("nan"), "neither"),
        ({}, "neither"),
        ({"cosine": [1, 0], "linear": [1, 0]}, "neither"),
        ({"cosine": [1, 0], "at": "1 epoch"}, "a cosine schedule has no 'at'"),
        ({"cosine": [1]}, "must name a first and a last value"),
        ({"linear": "1"}, "must be a list of numbers"),
        ({"linear": [True, 0]}, "must be a list of numbers"),
        ({"steps": []}, "must be a list of numbers"),
        ({"steps": [1, 2]}, "2 values need 1 times in at:, not 0"),
        ({"steps": [1, 2], "at": 5}, "'5' is not a length of time"),
        ({"warmup": "1 epoch"}, "a warm-up needs then:"),
        (
            {"warmup": "1 epoch", "then": 1, "from": {"cosine": [1, 0]}},
            "must be a number, the value that a warm-up starts with",
        ),
        ({"cosine": [1, 0], "by": "hour"}, "by: hour is neither step nor epoch"),
    ],
)
def test_what_is_no_schedule_is_refused(text: Any, said: str) -> None:
    with pytest.raises(SslgraphError) as caught:
        schedule(text)
    assert said in str(caught.value)


def test_a_mapping_with_a_word_of_schedules_is_one() -> None:
    assert is_schedule({"cosine": 3})
    assert not is_schedule({"k": 3})
    assert not is_schedule(0.1)


NUMBERS = st.floats(-10, 10)


@given(
    NUMBERS,
    NUMBERS,
    st.integers(0, 200),
    st.sampled_from(["linear", "cosine"]),
    st.sampled_from(["0 steps", "7 steps", "3 epochs", "40 %"]),
    st.sampled_from(["step", "epoch"]),
)
def test_a_schedule_never_leaves_the_span_of_its_values(
    start: float, end: float, step: int, kind: str, length: str, by: str
) -> None:
    text = {"warmup": length, "from": start, "then": {kind: [start, end], "over": length, "by": by}}
    value = schedule(text).at(step, CLOCK)
    assert min(start, end) - 1e-9 <= value <= max(start, end) + 1e-9
