"""Layout: what no picture may break, for shipped methods and for random ones."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from random_methods import settled, texts
from rules import broken, crossed, meet
from toys import EYE, SQUARE, dense

from sslgraph.drawing import Picture, fold, foldable, layout, picture
from sslgraph.drawing.figure.summed import gathered
from sslgraph.pipelines.check.check import examine
from sslgraph.read import catalogue
from sslgraph.settle.sized import SizedGraph


@cache
def shipped(name: str) -> SizedGraph:
    """A shipped method at its paper's size."""
    sized = examine(name).sized
    assert sized is not None
    return sized


def faults(drawn: Picture) -> list[str]:
    """What the panels of a picture break, folded or not."""
    whole = gathered(drawn)
    forms = dict.fromkeys((drawn, whole, fold(whole, *foldable(whole))))
    return [fault for shown in forms for panel in shown.panels for fault in broken(panel)]


@pytest.mark.parametrize("level", ["paper", "every-call"])
@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_a_shipped_method_keeps_every_rule(name: str, level: Any) -> None:
    assert faults(picture(shipped(name), level=level)) == []


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(texts())
def test_a_random_method_keeps_every_rule(text: dict[str, Any]) -> None:
    sized = settled(text)
    assert faults(picture(sized)) == []
    assert faults(picture(sized, level="every-call")) == []


@pytest.mark.parametrize("is_down", [False, True])
@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_what_is_kept_stands_where_no_write_crosses_a_line_that_carries_a_gradient(name: str, is_down: bool) -> None:
    for panel in picture(shipped(name)).panels:
        placed = layout(panel, is_down=is_down)
        edges = enumerate(placed.panel.edges)
        writes, trained = [], []
        for number, edge in edges:
            writes += [placed.lines[number]] if edge.kind == "write" else []
            trained += [placed.lines[number]] if edge.kind == "data" and edge.gradient == "gradient" else []
        assert not [(write, line) for write in writes for line in trained if crossed(write, line)]


@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_no_words_lie_on_the_outline_of_a_frame(name: str) -> None:
    for panel in picture(shipped(name)).panels:
        placed = layout(panel)
        sides = [side for ground in placed.grounds for side in ground.sides]
        for label in placed.labels:
            rooms = [room for room in (label.name_room, label.shape_room) if room] or [label.room]
            assert not [label for room in rooms for side in sides if meet(room, side)]


@pytest.mark.parametrize("form", [{}, {"is_down": True, "wrap": 84.0}])
def test_double_lines_of_two_nets_never_merge_whatever_the_order_of_branches(form: dict[str, Any]) -> None:
    views = {f"x{i}": {"augment": "none"} for i in range(4)}
    nets = {"f": EYE, "g": dense(3), "h": EYE, "k": dense(3)}
    flow = {f"z{i}": f"k(h(x{i}))" if i % 2 else f"g(f(x{i}))" for i in range(4)}
    losses = {f"loss{i}": {**SQUARE, "of": [f"z{i}", f"z{(i + 1) % 4}"]} for i in range(4)}
    drawn = picture(settled({"views": views, "nets": nets, "flow": flow, "losses": losses})).panels[0]
    for lanes in permutations(drawn.lanes):
        assert broken(replace(drawn, lanes=lanes, is_ordered=True), **form) == []


def test_many_branches_are_laid_out_quickly() -> None:
    views = {f"x{i}": {"augment": "none"} for i in range(12)}
    flow = {f"z{i}": f"g(f(x{i}))" for i in range(12)}
    losses = {f"loss{i}": {**SQUARE, "of": [f"z{i}", f"z{(i + 5) % 12}"]} for i in range(12)}
    text = {"views": views, "nets": {"f": EYE, "g": dense(3)}, "flow": flow, "losses": losses}
    drawn = picture(settled(text), level="every-call")
    start = time.process_time()
    layout(drawn.panels[0])
    assert time.process_time() - start < 5
    assert faults(drawn) == []
