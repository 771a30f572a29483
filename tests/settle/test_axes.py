"""Axis names of annotations against arriving shapes."""

from __future__ import annotations

import pytest
import torch

from sslgraph.parts.signature import Port
from sslgraph.settle.axes import bind, clash


def ports(**texts: str) -> dict[str, Port]:
    return {name: Port(name, f'Float[Tensor, "{text}"]') for name, text in texts.items()}


def metas(**shapes: tuple[int, ...]) -> dict[str, torch.Tensor]:
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def test_an_axis_name_stands_for_the_size_that_arrives() -> None:
    assert bind(ports(rows="batch dim", center="dim"), metas(rows=(4, 3), center=(3,))) == {"batch": 4, "dim": 3}


@pytest.mark.parametrize(
    ("text", "shape", "bound"),
    [
        ("*places dim", (4, 7, 7, 3), {"dim": 3}),
        ("batch *places dim", (4, 3), {"batch": 4, "dim": 3}),
        ("batch ...", (4, 7, 7), {"batch": 4}),
        ("batch 4", (8, 4), {"batch": 8}),
        ("", (), {}),
    ],
)
def test_axes_around_a_rest_are_matched_from_both_ends(
    text: str, shape: tuple[int, ...], bound: dict[str, int]
) -> None:
    assert bind(ports(rows=text), metas(rows=shape)) == bound
    assert clash(ports(rows=text), metas(rows=shape)) == ""


@pytest.mark.parametrize(
    ("texts", "shapes", "sentence"),
    [
        ({"rows": "batch dim"}, {"rows": (4, 3, 2)}, "port 'rows' takes Float[batch dim], and is given [4, 3, 2]"),
        ({"rows": "batch *rest dim"}, {"rows": (4,)}, "port 'rows' takes Float[batch *rest dim], and is given [4]"),
        ({"box": "batch 4"}, {"box": (8, 2)}, "port 'box' takes Float[batch 4], and is given [8, 2]"),
        (
            {"one": "batch dim", "other": "batch dim"},
            {"one": (4, 3), "other": (4, 5)},
            "'dim' is 3 at port 'one' and 5 at port 'other'",
        ),
        ({"one": "same same"}, {"one": (4, 3)}, "'same' is 4 at port 'one' and 3 at port 'one'"),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(
    texts: dict[str, str], shapes: dict[str, tuple[int, ...]], sentence: str
) -> None:
    assert clash(ports(**texts), metas(**shapes)) == sentence


def test_a_port_without_axes_takes_anything() -> None:
    assert clash({"any": Port("any", "Tensor")}, metas(any=(4, 3, 2))) == ""
    assert bind({"any": Port("any", "Tensor")}, metas(any=(4, 3, 2))) == {}
