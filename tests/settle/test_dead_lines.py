"""Lines of parts from elsewhere against autograd: what promises a gradient and gets none is found, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from toys import EYE, PLUGINS, SQUARE, TWO_VIEWS, dense, sized

from sslgraph.settle.own_parts import dead_lines

PICKED: dict[str, Any] = {
    "views": TWO_VIEWS,
    "nets": {"f": EYE, "g": dense(3)},
    "ops": {"pick": {"use": "more_parts:Picked"}},
    "flow": {"z": "g(f(x1))", "other": "g(f(x2))", "near": "pick(z, other)"},
    "losses": {"l": {**SQUARE, "of": ["z", "near"]}},
}


def found(**text: Any) -> tuple[tuple[str, str], ...]:
    return dead_lines(sized(**{**PICKED, **text}), PLUGINS)


def test_what_argmax_chooses_by_gets_no_gradient() -> None:
    assert found() == (("pick", "query"),)


@pytest.mark.parametrize(
    "change",
    [
        {"flow": {**PICKED["flow"], "near": "pick(stopgrad(z), other)"}},  # drawn dashed
        {"ops": {"pick": {"use": "wiring.nearest"}}},  # a shipped part is held against autograd by our tests
        {"ops": {"pick": {"use": "more_parts:Greedy"}}, "flow": {**PICKED["flow"], "near": "pick(other)"}},
        {"ops": {}, "flow": {"z": "g(f(x1))", "near": "g(f(x2))"}},
    ],
)
def test_nothing_is_said_where_no_gradient_is_drawn_or_a_part_is_shipped_or_can_not_be_tried(change: Any) -> None:
    assert found(**change) == ()
