"""Parts from elsewhere in which images see each other: found by running them, and nothing else is said."""

from __future__ import annotations

from typing import Any

import pytest
from toys import EYE, PLUGINS, SQUARE, TWO_VIEWS, dense, method

from sslgraph.settle.own_parts import mixed_images
from sslgraph.settle.settle import settle
from sslgraph.wire.wire import wire

LAYER = {"d_model": 4, "nhead": 2, "dim_feedforward": 8}


def found(net: dict[str, Any], flow: str = "h(g(f(x1)))") -> Any:
    """What is said of a net `h` on rows [16, 4], or on what else arrives there."""
    spec = method(
        views=TWO_VIEWS,
        nets={"f": EYE, "g": dense(4), "h": net},
        flow={"z": flow, "other": "g(f(x2))"},
        losses={"l": {**SQUARE, "of": ["z", "other"]}},
    )
    plugins = (*PLUGINS, "torch.nn")
    graph = wire(spec, plugins=plugins)
    return mixed_images(
        settle(graph, dict.fromkeys(spec.views, (3, 2, 2)), batch=16, dataset=64, plugins=plugins), plugins
    )


def test_torch_takes_rows_for_one_sequence_and_that_is_told() -> None:
    assert found({"use": "torch.nn:TransformerEncoderLayer", **LAYER}) == (("h", "src", (16, 4)),)
    assert found({"use": "torch.nn:Softmax", "dim": 0}) == (("h", "input", (16, 4)),)


def test_a_part_of_ones_own_that_compares_images_without_a_word_is_told() -> None:
    assert found({"use": "more_parts:LessMean"}) == (("h", "rows", (16, 4)),)


@pytest.mark.parametrize(
    "net",
    [
        {"use": "torch.nn:Linear", "in_features": 4, "out_features": 4},
        {"use": "torch.nn:BatchNorm1d", "num_features": 4},  # framework knows its statistics
        {"use": "torch.nn:LayerNorm", "normalized_shape": [4]},
        {"use": "more_parts:Greedy"},
    ],
)
def test_a_part_that_works_on_each_image_or_can_not_be_tried_is_left_alone(net: dict[str, Any]) -> None:
    assert found(net) == ()
