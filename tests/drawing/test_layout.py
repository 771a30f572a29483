"""Layout: what no picture may break, for shipped methods and for random ones."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from random_methods import settled, texts
from rules import broken

from pipelines.check import examine
from sslgraph import catalogue
from sslgraph.drawing import Picture, fold, foldable, picture
from sslgraph.sized import SizedGraph


@cache
def shipped(name: str) -> SizedGraph:
    """A shipped method at its paper's size."""
    sized = examine(name).sized
    assert sized is not None
    return sized


def faults(drawn: Picture) -> list[str]:
    """What the panels of a picture break, folded or not."""
    return [
        fault for shown in (drawn, fold(drawn, *foldable(drawn))) for panel in shown.panels for fault in broken(panel)
    ]


@pytest.mark.parametrize("level", ["paper", "every-call"])
@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_a_shipped_method_keeps_every_rule(name: str, level: Any) -> None:
    assert faults(picture(shipped(name), level=level)) == []


@pytest.mark.skip(reason="in work")
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(texts())
def test_a_random_method_keeps_every_rule(text: dict[str, Any]) -> None:
    sized = settled(text)
    assert faults(picture(sized)) == []
    assert faults(picture(sized, level="every-call")) == []
