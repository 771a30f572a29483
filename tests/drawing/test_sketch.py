"""Sketches: a method is drawn before its parts are written, with its gradients, and what can't be meant is refused."""

from __future__ import annotations

from typing import Any

import pytest

from sslgraph.drawing import Box, Picture, svg
from sslgraph.drawing.figure.sketch import sketch
from sslgraph.errors import SpecError
from sslgraph.read.load import load_method

DRAFT: dict[str, Any] = {
    "method": "Draft",
    "views": {"x1": {"augment": "simclr"}, "x2": {"augment": "my crops"}},
    "nets": {"f": {"use": "backbones.spiral", "arms": 7}, "g": {"use": "heads.mlp"}},
    "targets": {"ft": {"ema_of": "f", "momentum": 0.99}},
    "state": {"pool": {"use": "memory.pond"}},
    "flow": {"a": "g(f(x1).map)", "b": "stopgrad(sift(ft(x2), pool.read))"},
    "losses": {"near": {"use": "my_lab:PondLoss", "of": ["a", "b"], "others": "pool.read", "scale": 3}},
    "after_step": ["pool.pour(b)"],
    "export": "f",
}


def box(drawn: Picture, part: str) -> Box:
    return next(box for panel in drawn.panels for box in panel.boxes if box.part == part)


def test_a_draft_is_drawn_before_its_parts_are_written() -> None:
    drawn = sketch(load_method(DRAFT))
    drafts = {b.part for panel in drawn.panels for b in panel.boxes if b.is_draft}
    assert drafts == {"f", "ft", "pool", "sift", "near"}, "heads.mlp is there, and its settings may be missing"
    assert (box(drawn, "f").sub, box(drawn, "near").title, box(drawn, "sift").title) == ("spiral", "pond loss", "sift")
    assert all(not b.shapes for panel in drawn.panels for b in panel.boxes)
    text = svg(drawn)
    assert "not written yet</text>" in text and 'stroke-dasharray="9 4"' in text


def test_the_lines_of_a_draft_are_those_of_the_method() -> None:
    (panel,) = sketch(load_method(DRAFT)).panels
    lines = {(panel.box(e.source).part, panel.box(e.target).part, e.kind, e.gradient, e.stop) for e in panel.edges}
    assert {
        ("f", "g", "data", "gradient", False),
        ("g", "near", "data", "gradient", False),
        ("sift", "near", "data", "none", True),
        ("pool", "near", "data", "none", False),
        ("f", "ft", "ema", "none", False),
        ("sift", "pool", "write", "none", False),
    } <= lines


def test_the_sketch_of_a_whole_method_has_the_boxes_and_lines_of_its_picture() -> None:
    from test_layout import shipped

    from sslgraph.drawing import picture

    (drawn,), (whole,) = sketch(load_method("byol")).panels, picture(shipped("byol")).panels
    ends = [{(e.source, e.target, e.kind, e.gradient, e.stop) for e in panel.edges} for panel in (drawn, whole)]
    assert ends[0] == ends[1] and not any(b.is_draft for b in drawn.boxes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flow": {"a": "g(f(x3))", "b": "x2"}}, "flow 'a' reads the unknown name 'x3'"),
        ({"targets": {"ft": {"ema_of": "h", "momentum": 0.9}}}, "target 'ft' follows the unknown net 'h'"),
        ({"losses": {}}, "the method has no loss"),
    ],
)
def test_what_can_not_be_meant_is_refused_in_a_draft_too(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        sketch(load_method({**DRAFT, **change}))
