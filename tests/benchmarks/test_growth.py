from __future__ import annotations

import pytest

from benchmarks import growth
from sslgraph.pipelines.check.check import examine, load


def test_the_exponent_is_the_slope_of_the_last_two_points() -> None:
    assert growth.exponent((1, 16, 32), [9.0, 5.0, 20.0]) == pytest.approx(2.0)


@pytest.mark.parametrize("values", [10, 290])
def test_a_chain_has_as_many_values_as_asked_for(values: int) -> None:
    sized = examine(growth.chain(values)).sized
    assert sized is not None
    assert len(sized.graph.training.flow) == values


@pytest.mark.parametrize("name", growth.SERIES)
def test_each_series_gives_settings_that_its_recipe_has(name: str) -> None:
    series = growth.SERIES[name]
    _, recipe = load(series.recipe, series.changes(series.values[0]))
    assert recipe is not None
