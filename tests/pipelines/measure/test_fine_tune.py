"""Fine-tuning on images that are told apart by their colour, and that it leaves the encoder as it was."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from sources import Numbered
from torch import nn

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.measure import fine_tune as module
from sslgraph.pipelines.measure.features import Features, extract
from sslgraph.pipelines.measure.fine_tune import fine_tune
from sslgraph.views.views import pixel_view

BRIGHT = (torch.arange(200) >= 100).long()


def encoder() -> nn.Module:
    """A small map of pixels, always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(48, 8), nn.ReLU())


def test_it_learns_what_can_be_told_and_leaves_the_encoder_as_it_was() -> None:
    source, net = Numbered(200, labels=BRIGHT), encoder()
    before = copy.deepcopy(net.state_dict())
    found = fine_tune(net.requires_grad_(False), source, source, pixel_view(), epochs=20, batch=20)
    assert found.accuracy > 0.95 and (found.chance, found.images, found.classes) == (0.5, 200, 2)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert found == fine_tune(net, source, source, pixel_view(), epochs=20, batch=20)


def test_all_weights_move_and_none_without_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[nn.Module] = []

    def extracted(model: nn.Module, *words: Any, **more: Any) -> Features:
        seen.append(model)
        return extract(model, *words, **more)

    monkeypatch.setattr(module, "extract", extracted)
    source, net = Numbered(40, labels=torch.arange(40) % 4), encoder()
    none = fine_tune(net, source, source, pixel_view(), epochs=0)
    fine_tune(net, source, source, pixel_view(), epochs=1, batch=8)
    still, moved = (dict(model[0].named_parameters()) for model in seen)  # type: ignore[index]
    assert none.accuracy == none.chance == 0.25  # a classifier of zeros
    for name, value in net.named_parameters():
        assert torch.equal(value, still[name]) and not torch.equal(value, moved[name])


def test_images_move_by_pixels_and_mirror_only() -> None:
    image = torch.arange(16.0).view(1, 1, 4, 4).expand(400, 3, -1, -1)
    moved = module._moved(image, torch.Generator().manual_seed(0))
    assert moved.shape == image.shape and len(moved.unique(dim=0)) == 18  # three by three places, two sides
    assert any(torch.equal(some, image[0]) for some in moved)


def test_too_few_labels_are_refused() -> None:
    source = Numbered(4, labels=torch.tensor([0, -1, -1, -1]))
    with pytest.raises(SslgraphError, match="needs two labelled training images and a labelled test image"):
        fine_tune(encoder(), source, source, pixel_view())
