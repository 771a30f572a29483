"""Numbers of another kind than a port takes are refused without torch, where annotations say what they are."""

from __future__ import annotations

from typing import Any

import pytest
from toys import method

from sslgraph.errors import SpecError
from sslgraph.wire.refuse import refuse
from sslgraph.wire.wire import wire

MASKED: dict[str, Any] = {
    "ops": {"mask": {"use": "masks.uniform", "patch": 16}},
    "nets": {
        "f": {"use": "backbones.vit", "preset": "tiny", "mask_token": True},
        "g": {"use": "heads.linear", "out": 8},
    },
    "flow": {"m": "mask(x)", "h": "f(x, replace=m.hidden)", "z": "g(h.cls)", "w": "stopgrad(z)"},
    "losses": {"l": {"use": "losses.regression", "of": ["z", "w"]}},
    "state": {"bank": {"use": "memory.row_bank"}},
    "after_step": ["bank.update(x.index, z)"],
}


def told(**text: Any) -> str:
    with pytest.raises(SpecError) as refused:
        refuse(wire(method(**{**MASKED, **text})))
    return "\n".join(map(str, refused.value.faults))


def test_what_fits_passes_and_what_hands_rows_on_keeps_their_kind() -> None:
    flow = {**MASKED["flow"], "n": "bank.read(x.index)", "w": "stopgrad(n)"}
    refuse(wire(method(**{**MASKED, "flow": flow})))
    stopped = told(flow={**MASKED["flow"], "s": "stopgrad(m.hidden)", "h": "f(x, s)"})
    assert "port 'seen' takes Int64[batch kept]: whole numbers, and 's' is truth values" in stopped


def test_truth_values_are_no_places() -> None:
    assert told(flow={**MASKED["flow"], "h": "f(x, m.hidden)"}).endswith(
        "'f' (backbones.vit): port 'seen' takes Int64[batch kept]: whole numbers, and 'm_hidden' is truth values\n"
        "  look at the order of the arguments, or name the port that is meant: part(x, port=value)"
    )


def test_arguments_of_a_write_the_wrong_way_round_are_both_told() -> None:
    faults = told(after_step=["bank.update(z, x.index)"])
    assert "port 'index' takes Int64[batch]: whole numbers, and 'z' is floating-point numbers" in faults
    assert "port 'features' takes Float[batch dim]: floating-point numbers, and 'x_index' is whole numbers" in faults
