"""Every backbone, head and mask: shapes without numbers, and finite numbers under bfloat16 autocast."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from sslgraph.draws import keyed
from sslgraph.parts import registry
from sslgraph.parts.arguments import setting_faults

IMAGE = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
MAP = torch.randn(4, 8, 7, 7, generator=torch.Generator().manual_seed(1))
ROWS = torch.randn(4, 8, generator=torch.Generator().manual_seed(2))
DRAW = keyed(0, 0, torch.arange(4))
SEEN = torch.tensor([[3, 1], [0, 2], [1, 2], [3, 0]])
BOX, FLIP = torch.tensor([[0.1, 0.2, 0.6, 0.9]] * 4), torch.tensor([True, False] * 2)
SIZED = {"channels": 3, "size": 32}

# part: (settings, inputs, shape of the default output)
PARTS: dict[str, tuple[dict[str, Any], dict[str, Tensor], tuple[int, ...]]] = {
    "backbones.alexnet": ({"channels": 3, "hidden": 20}, {"image": torch.randn(4, 3, 96, 96), "draw": DRAW}, (4, 20)),
    "backbones.context_encoder": ({"out": 9, "width": 4, **SIZED}, {"image": IMAGE}, (4, 9)),
    "backbones.resnet": ({"depth": 10, "width": 8, "channels": 3, "sobel": True}, {"image": IMAGE}, (4, 64)),
    "backbones.sobel": ({}, {"image": IMAGE}, (4, 2, 32, 32)),
    "backbones.timm": ({"name": "resnet10t", **SIZED}, {"image": IMAGE}, (4, 512)),
    "backbones.vgg": ({"preset": "small", "channels": 3}, {"image": IMAGE, "draw": DRAW}, (4, 256)),
    "backbones.vit": (
        {"preset": "nano", "drop_path": 0.1, "mask_token": True, **SIZED},
        {"image": IMAGE, "seen": SEEN, "replace": SEEN.repeat(1, 2) > 1, "draw": DRAW},
        (4, 96),
    ),
    "heads.context_decoder": ({"size": 16, "width": 4, "dim": 8}, {"code": ROWS}, (4, 3, 16, 16)),
    "heads.conv_mlp": ({"hidden": 6, "out": 5, "dim": 8}, {"map": MAP}, (4, 5, 7, 7)),
    "heads.dino": ({"out": 6, "hidden": 7, "bottleneck": 5, "dim": 8}, {"features": ROWS}, (4, 6)),
    "heads.jigsaw": ({"out": 6, "tiles": 2, "tile_width": 5, "dim": 8}, {"features": ROWS}, (2, 6)),
    "heads.linear": ({"out": 6, "std": 0.01, "dim": 8}, {"features": ROWS}, (4, 6)),
    "heads.mae_decoder": (
        {"dim": 16, "depth": 1, "heads": 2, "patch": 2, "width": 49, "patches": 49},
        {"tokens": MAP.flatten(2), "restore": torch.arange(49).expand(4, -1)},
        (4, 49, 12),
    ),
    "heads.mlp": ({"hidden": [6], "out": 5, "norm": "batch", "dim": 8}, {"features": ROWS}, (4, 5)),
    "heads.patch_discriminator": ({"width": 4, **SIZED}, {"image": IMAGE}, (4,)),
    "heads.pixel_propagation": ({"layers": 2, "dim": 8}, {"map": MAP}, (4, 8, 7, 7)),
    "heads.prototypes": ({"out": 6, "dim": 8}, {"features": ROWS}, (4, 6)),
    "masks.center_square": ({"size": 16, "overlap": 2}, {"image": IMAGE}, (4, 3, 32, 32)),
    "masks.pixel_pairs": (
        {},
        {"box": BOX, "flip": FLIP, "box_other": BOX, "flip_other": ~FLIP, "map": MAP},
        (4, 49, 49),
    ),
    "masks.uniform": ({"patch": 8}, {"image": IMAGE, "draw": DRAW}, (4, 4)),
}


def first(out: Any) -> Tensor:
    chosen: Tensor = out[0] if isinstance(out, tuple) else out
    return chosen


@pytest.mark.parametrize("use", PARTS)
def test_a_part_knows_its_shapes_without_numbers(use: str) -> None:
    settings, inputs, shape = PARTS[use]
    assert setting_faults(registry.signature(use), settings) == []
    assert set(inputs) <= set(registry.signature(use).inputs)
    part = registry.build(use, settings)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        out = part(**{port: mode.from_tensor(value) for port, value in inputs.items()})
    assert first(out).shape == shape
    with torch.device("meta"):
        part = registry.build(use, settings)
    assert first(part(**{port: value.to("meta") for port, value in inputs.items()})).shape == shape


@pytest.mark.parametrize("use", [use for use in PARTS if not use.startswith("masks")])
def test_every_weight_of_a_net_gets_a_finite_gradient_under_bfloat16_autocast(use: str) -> None:
    settings, inputs, _ = PARTS[use]
    part: nn.Module = registry.build(use, settings)
    with torch.autocast("cpu", torch.bfloat16):
        out = first(part(**inputs))
    assert out.isfinite().all()
    if any(True for _ in part.parameters()):
        out.float().square().sum().backward()
    for name, parameter in part.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), f"{name} is not reached"
