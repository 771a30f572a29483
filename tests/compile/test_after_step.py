"""Writes to state: in the order of the text, over all micro-batches at once, and only those of the step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from test_compile import BAGGED, images, step
from toys import CLOCK, EYE, SQUARE, batch, compiled, sized

from sslgraph.compile.after_step import checked, written
from sslgraph.errors import SslgraphError

Text = dict[str, Any]


def test_writes_come_in_the_order_of_the_text() -> None:
    text: Text = {
        "nets": {"f": EYE},
        "flow": {"z": "f(x)", "w": "l2(z)"},
        "state": {"j": {"use": "more_parts:Journal"}},
        "losses": {"l": {**SQUARE, "of": ["z", "w"]}},
    }
    for writes, total in (
        (["j.add(z)", "j.double"], 6),
        (["j.double", "j.add(z)"], 3),
        (["j.add(z)", "j.double", "j.add(z)"], 9),
    ):
        method = compiled(batch=1, **{**text, "after_step": writes})
        step(method, batch({"x": images(1)}), rate=0)
        assert method.parts["j"]().item() == total


def test_micro_batches_are_written_once_as_if_they_had_been_one_batch() -> None:
    text = {
        **BAGGED,
        "state": {**BAGGED["state"], "album": {"use": "more_parts:Album", "rows": 8}},
        "after_step": ["m.add(z)", "album.put(z)"],
    }
    whole, halves = compiled(batch=4, **text), compiled(batch=4, **text)
    one = images(1, 2, 3, 4, 5, 6, 7, 8)  # views [1 2 3 4] and [5 6 7 8]
    for method, pieces in ((whole, [one]), (halves, [images(1, 2, 5, 6), images(3, 4, 7, 8)])):
        method.begin(0, CLOCK)
        method.tick([method(batch({"x": piece}, rows=len(piece) // 2)).writes for piece in pieces])
        assert method.parts["album"].kept[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
        assert method.parts["m"].count == 8


def test_a_write_needs_each_of_its_tensors_once() -> None:
    (leg,) = sized(batch=2, **{**BAGGED, "after_step": ["m.add(z)", "m.add(z)"]}).legs
    assert written(leg) == ["z_pooled"]


def test_one_mapping_is_a_list_of_one() -> None:
    writes = {"z": torch.ones(2)}
    assert checked(writes, ["z"]) == checked([writes], ["z"]) == [writes]
    assert checked([writes, writes], ["z"]) == [writes, writes] and checked({}, []) == [{}]


@pytest.mark.parametrize(("given", "said"), [
    ({}, "{}"),
    ([], "an empty list"),
    ({"loss": torch.ones(())}, "{loss}"),
    ([{"z": torch.ones(2)}, {}], "{z} and {}"),
    (({"loss": torch.ones(())}, {"z": torch.ones(2)}), "{loss} and {z}"),
    (torch.ones(2), "Tensor"),
    (None, "NoneType"),
])  # fmt: skip
def test_other_writes_than_those_of_the_step_are_refused(given: Any, said: str) -> None:
    with pytest.raises(SslgraphError) as wrong:
        checked(given, ["z"])
    assert str(wrong.value) == (
        "tick needs the writes that forward returned, {z}, or a list of them with one for each micro-batch, and got "
        f"{said}; write: losses, writes = model(batch)"
    )
