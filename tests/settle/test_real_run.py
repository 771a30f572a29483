"""Parts whose work depends on numbers get their shapes from a few real images, and are refused in words."""

from __future__ import annotations

from typing import Any

import number_parts
import pytest
import torch
from toys import CLOCK, EYE, X, batch, method

from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SpecError
from sslgraph.settle.settle import settle
from sslgraph.settle.sized import SizedGraph
from sslgraph.wire.wire import wire

Text = dict[str, Any]
PLUGINS = ("parts", "number_parts")
COVARIANCE: Text = {
    "views": X,
    "nets": {"f": EYE},
    "flow": {"z": "f(x)"},
    "losses": {"l": {"use": "number_parts:Covariance", "of": ["z"]}},
}
PASSING: Text = {
    **COVARIANCE,
    "nets": {"f": EYE, "g": {"use": "number_parts:Passing", "out": 2}},
    "flow": {"z": "g(f(x))", "y": "z.twice", "k": "z.is_kept"},
    "losses": {"l": {"use": "number_parts:Covariance", "of": ["y"]}},
}


def settled(text: Text, rows: int = 4) -> SizedGraph:
    return settle(wire(method(**text), plugins=PLUGINS), {"x": (3, 2, 2)}, batch=rows, plugins=PLUGINS)


def test_a_loss_may_use_torch_cov() -> None:
    compiled = CompiledMethod(settled(COVARIANCE), plugins=PLUGINS)
    compiled.begin(0, CLOCK)
    images = torch.randn(4, 3, 2, 2)
    pooled = images.mean((2, 3))
    centred = pooled - pooled.mean(0)
    expected = (centred.T @ centred / 3).square().sum()
    assert settled(COVARIANCE).legs[0].shapes("l") == ((),)
    torch.testing.assert_close(compiled(batch({"x": images})).losses["l"], expected)


@pytest.mark.parametrize("rows", [4, 16, 17, 1000])
def test_shapes_of_many_images_are_found_on_few(rows: int) -> None:
    number_parts.seen.clear()
    found = settled(PASSING, rows)
    leg = found.legs[0]
    assert max(number_parts.seen) <= 16
    assert [leg.shapes(name) for name in ("z", "y", "k")] == [((rows, 2),), ((2 * rows, 2),), ((rows,),)]
    assert leg.tensors["k"].dtype == torch.bool and leg.tensors["y"].is_meta
    assert found.parts["g"].weight.is_meta


def test_numbers_are_drawn_without_touching_those_of_the_run() -> None:
    before = torch.get_rng_state()
    settled(PASSING)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_write_that_reads_numbers_sees_all_its_rows() -> None:
    text = {**COVARIANCE, "state": {"m": {"use": "number_parts:Places", "rows": 20}}, "after_step": ["m.put(z)"]}
    assert settled(text, 20).settings["m"] == {"rows": 20, "dim": 3}
    with pytest.raises(SpecError, match=r"m.put: The size of tensor a \(20\) must match the size of tensor b \(24\)"):
        settled(text, 24)


def test_a_part_that_fails_on_random_numbers_is_refused_with_what_to_do() -> None:
    text = {**COVARIANCE, "losses": {"l": {"use": "number_parts:Unit", "of": ["z"]}}}
    with pytest.raises(
        SpecError,
        match=r"'l' \(number_parts:Unit\) can't take rows=\[4, 3\]: rows must have unit length "
        r"\(.*number_parts.py:\d+\)\n  "
        r"its shapes depend on numbers, so it was run on random ones .* accept them",
    ):
        settled(text)


def test_a_part_with_a_tensor_on_another_device_is_still_refused() -> None:
    text = {**COVARIANCE, "ops": {"e": {"use": "number_parts:Elsewhere"}}, "flow": {"z": "e(f(x))"}}
    with pytest.raises(SpecError, match=r"'e' \(number_parts:Elsewhere\) can't take rows=\[4, 3\]: .*\n  make its"):
        settled(text)
