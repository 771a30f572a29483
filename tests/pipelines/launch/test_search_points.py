"""Points of a search at random: all different, the same for a seed, and those of fewer trials come first."""

from __future__ import annotations

import math

from sslgraph.pipelines.launch.search_points import Axis, drawn, points

AXES = (Axis(choices=3), Axis(low=1e-4, high=1e-1, scale="log"), Axis(low=2, high=4, scale="whole"))


def test_every_point_of_a_small_space_is_drawn_once() -> None:
    small = (Axis(choices=2), Axis(low=3, high=5, scale="whole"))
    assert points(small) == 6
    found = drawn(small, 100, seed=1)
    assert len(found) == 6 and set(found) == {(a, b) for a in (0, 1) for b in (3, 4, 5)}
    assert drawn(small, 4, seed=1) == found[:4] and drawn(small, 6, seed=2) != found


def test_fewer_trials_are_the_first_of_more() -> None:
    assert points(AXES) == math.inf
    assert drawn(AXES, 5, seed=0) == drawn(AXES, 20, seed=0)[:5]
    assert len(set(drawn(AXES, 200, seed=0))) == 200


def test_points_lie_between_the_ends_and_evenly_on_their_scale() -> None:
    """Of log-uniform draws over three powers of ten a third lies in each; over 3,000 of them within 4 deviations."""
    found = drawn(AXES, 3000, seed=3)
    assert {choice for choice, _, _ in found} == {0, 1, 2} and {whole for _, _, whole in found} == {2, 3, 4}
    assert all(1e-4 <= rate <= 1e-1 for _, rate, _ in found)
    low = sum(rate < 1e-3 for _, rate, _ in found)
    assert abs(low - 1000) < 4 * math.sqrt(3000 * (1 / 3) * (2 / 3))
    straight = drawn((Axis(low=0, high=1),), 1000, seed=0)
    assert abs(sum(value for (value,) in straight) / 1000 - 0.5) < 4 / math.sqrt(12 * 1000)
