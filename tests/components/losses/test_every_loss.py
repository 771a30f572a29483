"""What every loss must do: work without numbers, declare its landmarks from shapes, say where no gradient passes."""

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode

from sslgraph.components.losses.barlow_twins import BarlowTwins
from sslgraph.components.losses.binary import Binary
from sslgraph.components.losses.cosine_regression import CosineRegression
from sslgraph.components.losses.cross_entropy import CrossEntropy
from sslgraph.components.losses.dino import DINO
from sslgraph.components.losses.info_nce import InfoNCE
from sslgraph.components.losses.masked_regression import MaskedRegression
from sslgraph.components.losses.negative_cosine import NegativeCosine
from sslgraph.components.losses.nt_xent import NTXent
from sslgraph.components.losses.pixel_agreement import PixelAgreement
from sslgraph.components.losses.swav import SwAV

ROWS, BAG, MAP, PATCHES = torch.rand(4, 6), torch.rand(2, 4, 6), torch.rand(2, 3, 2, 2), torch.rand(2, 5, 12)
LABELS, MASK, PAIRS = torch.arange(4), torch.rand(2, 5) < 0.5, torch.rand(2, 4, 4) < 0.5

EVERY: list[tuple[nn.Module, dict[str, Tensor]]] = [
    (BarlowTwins(), {"one": ROWS, "other": ROWS}),
    (Binary(), {"logits": ROWS}),
    (CosineRegression(), {"prediction": ROWS, "target": ROWS}),
    (CrossEntropy(), {"logits": ROWS, "labels": LABELS}),
    (DINO(), {"student": BAG, "teacher": BAG, "center": ROWS[0]}),
    (InfoNCE(), {"query": ROWS, "key": ROWS, "negatives": ROWS}),
    (InfoNCE(), {"query": ROWS, "key": ROWS}),
    (MaskedRegression(normalize_target="per_patch"), {"prediction": PATCHES, "target": PATCHES, "where": MASK}),
    (NegativeCosine(), {"prediction": ROWS, "target": ROWS}),
    (NTXent(), {"embeddings": BAG}),
    (NTXent(), {"embeddings": BAG, "labels": LABELS}),
    (PixelAgreement(), {"y": MAP, "k": MAP, "where": PAIRS}),
    (SwAV(), {"scores": BAG, "codes": BAG}),
]
every_loss = pytest.mark.parametrize(("loss", "ports"), EVERY, ids=lambda value: type(value).__name__)


@every_loss
def test_shapes_alone_give_the_landmarks_and_a_number_without_axes(loss: nn.Module, ports: dict[str, Tensor]) -> None:
    on_meta = {name: value.to("meta") for name, value in ports.items()}
    assert loss(**on_meta).shape == ()
    assert {"chance"} <= set(loss.landmarks(**on_meta))
    assert loss.landmarks(**on_meta) == loss.landmarks(**ports)
    with FakeTensorMode() as mode:
        assert loss(**{name: mode.from_tensor(value) for name, value in ports.items()}).shape == ()


@every_loss
def test_gradient_reaches_every_port_but_the_detached(loss: nn.Module, ports: dict[str, Tensor]) -> None:
    leaves = {name: value.clone().requires_grad_(value.is_floating_point()) for name, value in ports.items()}
    loss(**leaves).backward()
    reached = {name for name, leaf in leaves.items() if leaf.grad is not None}
    assert reached == {name for name, leaf in leaves.items() if leaf.requires_grad} - set(loss.traits.detached)
