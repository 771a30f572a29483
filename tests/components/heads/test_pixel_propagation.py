"""Pixel propagation against a slow version, and maps whose smoothing is known."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from sslgraph.components.heads.pixel_propagation import PixelPropagation


def slow(x: Tensor, value: Tensor, gamma: float) -> Tensor:
    """The sum of the paper, written out for one image of [dim, places]."""
    out = torch.zeros_like(value)
    for i in range(x.shape[1]):
        for j in range(x.shape[1]):
            cosine = torch.cosine_similarity(x[:, i], x[:, j], 0)
            out[:, i] += cosine.clamp_min(0) ** gamma * normalize(value[:, j], dim=0)
    return normalize(out, dim=0)


@pytest.mark.parametrize(("gamma", "layers"), [(2.0, 1), (1.0, 0), (2.0, 2)])
def test_it_is_the_sum_of_the_paper(gamma: float, layers: int) -> None:
    part, map = PixelPropagation(gamma=gamma, layers=layers, dim=4), torch.randn(1, 4, 2, 3)
    expected = slow(map[0].flatten(1), part.value(map)[0].flatten(1), gamma)
    torch.testing.assert_close(part(map)[0].flatten(1), expected, rtol=1e-4, atol=1e-5)


def test_places_that_share_nothing_keep_their_own_value() -> None:
    map = torch.eye(4).reshape(1, 4, 2, 2)
    torch.testing.assert_close(PixelPropagation(layers=0, dim=4)(map), map)


def test_places_that_are_alike_become_one() -> None:
    map = torch.randn(1, 4, 1, 1).expand(1, 4, 2, 2)
    out = PixelPropagation(dim=4)(map)
    torch.testing.assert_close(out, out[..., :1, :1].expand_as(out))


def test_the_linear_transform_has_65_792_weights_at_the_papers_width() -> None:
    assert sum(p.numel() for p in PixelPropagation(dim=256).parameters()) == 65_792
