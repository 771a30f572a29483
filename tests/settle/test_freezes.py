"""Names under `freeze:` are those of the built part; one that nothing has is refused with the nearest."""

from __future__ import annotations

import pytest
import torch
from toys import SQUARE, sized

from sslgraph.errors import SpecError
from sslgraph.settle.sized import SizedGraph


def frozen(**freeze: str) -> SizedGraph:
    vit = {"use": "backbones.vit", "preset": "nano", "patch": 2, "freeze": freeze}
    return sized(
        size=4,
        nets={"f": vit},
        flow={"z": "f(x)", "w": "stopgrad(z)"},
        losses={"l": {**SQUARE, "of": ["z", "w"]}},
    )


def test_a_name_may_leave_out_what_stands_before_it() -> None:
    found = frozen(patch_embed="always", cls_token="1 epoch").freezes
    assert found == {"f.net.patch_embed": "always", "f.net.cls_token": "1 epoch"}
    assert frozen(**{"blocks.0": "always"}).freezes == {"f.net.blocks.0": "always"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "patch_embd",
            "nets.f.freeze.patch_embd: 'f' (backbones.vit) has no weights 'patch_embd'\n"
            "  there are: net.patch_embed, net.blocks, net.norm, net.cls_token, net.pos_embed\n"
            "  did you mean 'patch_embed'?",
        ),
        ("qkv", "'qkv' of 'f' (backbones.vit) may be several weights; write its whole name\n  there are: net.blocks.0"),
        ("zzz", "'f' (backbones.vit) has no weights 'zzz'\n  there are: net.patch_embed"),
        ("rates", "'f' (backbones.vit) has no weights 'rates'"),  # a buffer is no weight
    ],
)
def test_a_name_that_nothing_has_is_refused(name: str, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        frozen(**{name: "always"})
    assert message in str(refused.value)


def test_settling_leaves_no_tensor_with_numbers() -> None:
    assert all(p.device == torch.device("meta") for p in frozen(patch_embed="always").parts["f"].parameters())
