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
    assert clash(ports(rows=text), metas(rows=shape)) is None


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
    misfit = clash(ports(**texts), metas(**shapes))
    assert misfit and misfit[0] == sentence


def test_a_port_without_axes_takes_anything() -> None:
    assert clash({"any": Port("any", "Tensor")}, metas(any=(4, 3, 2))) is None
    assert bind({"any": Port("any", "Tensor")}, metas(any=(4, 3, 2))) == {}


def test_a_missing_axis_may_be_that_of_the_views_of_a_bag() -> None:
    misfit = clash(ports(rows="crops batch dim"), metas(rows=(8, 3)))
    assert misfit and misfit[1] == (
        "connect a value that has these axes; in a part of your own, an axis that counts the views of a bag is called "
        "`views`"
    )
    widths = clash(ports(one="batch dim", other="batch dim"), metas(one=(4, 3), other=(4, 5)))
    assert widths and widths[1].startswith("set the widths of the parts that make them")
    counts = clash(ports(one="batch dim", other="batch dim"), metas(one=(1024, 3), other=(1280, 3)))
    assert counts == (
        "'batch' is 1024 at port 'one' and 1280 at port 'other'",
        "they hold 4 views or patches of an image against 5; give both as many",
    )


@pytest.mark.parametrize(
    ("texts", "shapes", "cure"),
    [
        (
            {"pairs": "batch cells cells_k"},
            {"pairs": (256, 10)},
            "as_tokens(...) makes a row of an image its only token; or connect a value that has these axes",
        ),
        ({"tokens": "batch places dim"}, {"tokens": (8, 64, 4, 4)}, "as_tokens(...) makes the cells of a map tokens"),
        (
            {"map": "batch dim rows columns"},
            {"map": (8, 16, 64)},
            "as_map(...) lays the tokens of an image out as a map",
        ),
        ({"rows": "batch dim"}, {"rows": (8, 16, 64)}, "mean(...) pools the tokens of an image, fold(...) makes each"),
        ({"rows": "batch dim"}, {"rows": (8, 64, 4, 4)}, "mean(...) pools the cells of a map, cells(...) makes each"),
        (
            {"bag": "views batch dim"},
            {"bag": (8, 64)},
            "connect a value that has these axes: of several views, as bag(",
        ),
        (
            {"tokens": "batch places dim", "weights": "batch places means"},
            {"tokens": (8, 16, 64), "weights": (8, 4, 16)},
            "transpose(...) turns the last two axes of what 'weights' is given; or they count places",
        ),
        (
            {"tokens": "batch places dim", "weights": "batch places means"},
            {"tokens": (8, 16, 64), "weights": (8, 4, 15)},
            "they count places: give both the same ones",
        ),
    ],
)
def test_the_cure_of_a_shape_names_the_part_that_brings_a_value_into_it(
    texts: dict[str, str], shapes: dict[str, tuple[int, ...]], cure: str
) -> None:
    misfit = clash(ports(**texts), metas(**shapes))
    assert misfit and misfit[1].startswith(cure)


@pytest.mark.parametrize(
    ("text", "numbers", "misfit"),
    [
        ('Int64[Tensor, "batch"]', torch.bool, "whole numbers, and is given truth values of shape [4]"),
        ('Bool[Tensor, "batch"]', torch.float32, "truth values, and is given floating-point numbers of shape [4]"),
        ('jaxtyping.Float[Tensor, "batch"]', torch.int64, "floating-point numbers, and is given whole numbers"),
        ('UInt8[Tensor, "batch"]', torch.int64, ""),
        ('Float32[Tensor, "batch"]', torch.bfloat16, ""),
        ('Num[Tensor, "batch"]', torch.int64, ""),
        ("Tensor", torch.bool, ""),
    ],
)
def test_a_port_takes_the_kind_of_numbers_that_its_annotation_says(
    text: str, numbers: torch.dtype, misfit: str
) -> None:
    found = clash({"rows": Port("rows", text)}, {"rows": torch.empty(4, dtype=numbers, device="meta")})
    assert misfit in found[0] if found and misfit else found is None and not misfit
