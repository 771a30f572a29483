"""Labels saved: values by hand, and the laws of arXiv:2003.14323's ratio."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslgraph.pipelines.study.utility import Utility, utilities

SCRATCH = [(100, 0.2), (200, 0.4), (400, 0.6), (800, 0.7)]
risings = st.lists(st.floats(0.01, 1.0), min_size=2, max_size=6, unique=True).map(
    lambda values: [(50.0 * 2**i, value) for i, value in enumerate(sorted(values))]
)


def test_two_curves_by_hand() -> None:
    """0.5 is halfway from 200 to 400 labels in their logarithms: 200 times the root of 2, of 100 labels."""
    found = utilities(SCRATCH, [(100, 0.5), (200, 0.6), (400, 0.6), (800, 0.3)])
    assert found[0].value == pytest.approx(2 * math.sqrt(2) - 1)
    assert found[1] == Utility(200, 1.0) and found[2] == Utility(400, 0.0)
    assert found[3].value == pytest.approx(100 * math.sqrt(2) / 800 - 1)


@given(risings)
def test_a_curve_against_itself_saves_nothing(curve: list[tuple[float, float]]) -> None:
    assert [u.value for u in utilities(curve, curve)] == [0.0] * len(curve)
    level = [(labels, min(value, 0.5)) for labels, value in curve]  # it is level at the end
    assert [u.value for u in utilities(level, level)] == [0.0] * len(curve)


@given(risings, st.integers(1, 3))
def test_what_twice_the_labels_reach_has_utility_one(curve: list[tuple[float, float]], power: int) -> None:
    """A rising transform of the accuracies changes nothing where the curve has points."""
    shifted = [(labels / 2, value) for labels, value in curve]
    assert [u.value for u in utilities(curve, shifted)] == pytest.approx([1.0] * len(curve))
    bent = [[(labels, value**power) for labels, value in some] for some in (curve, shifted)]
    assert len({value for _, value in bent[0]}) < len(curve) or (
        [u.value for u in utilities(*bent)] == pytest.approx([1.0] * len(curve))
    )


@given(risings, risings)
def test_it_is_never_below_minus_one(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> None:
    assert all(u.value >= -1 for u in utilities(one, other))


def test_beyond_what_was_tried_it_is_a_bound() -> None:
    more, less = utilities(SCRATCH, [(200, 0.9), (400, 0.1)])
    assert (str(more), str(less)) == (">+3.00", "<-0.75")


def test_a_dip_of_the_curve_from_scratch_is_taken_for_level() -> None:
    dipped = [(100, 0.2), (200, 0.5), (400, 0.4), (800, 0.7)]
    assert utilities(dipped, [(100, 0.5)])[0].value == 1.0
    with pytest.raises(ValueError, match="no point"):
        utilities([], [(100, 0.5)])
