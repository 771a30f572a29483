"""Soft colours and the annealed mean: published weights, what they decode to, grey, and the limits of temperature."""

import pytest
import torch
from torch import Tensor

from sslgraph.components.colours import bins
from sslgraph.components.colours.annealed_mean import AnnealedMean
from sslgraph.components.colours.mixture import ColourMixture, Mixture


def encoded(ab: Tensor, neighbours: int = 5) -> Mixture:
    """Of a row of colours [colours, 2], with a bright pixel beside that keeps the image from being grey."""
    image = torch.cat([ab, torch.tensor([[60.0, 0.0]])]).T[None, :, None]
    return ColourMixture(neighbours=neighbours)(image, torch.zeros(1, 1, len(ab) + 1, 1))


@pytest.mark.parametrize(("neighbours", "first", "next_"), [(5, 0.64879, 0.08780), (10, 0.61922, 0.08380)])
def test_no_colour_has_the_known_shares(neighbours: int, first: float, next_: float) -> None:
    shares = encoded(torch.zeros(1, 2), neighbours).shares[0, 0, 0].sort(descending=True).values
    assert shares[0].item() == pytest.approx(first, abs=1e-5)
    assert shares[1:5].tolist() == pytest.approx([next_] * 4, abs=1e-5)
    assert shares.count_nonzero() == neighbours and shares.sum().item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("neighbours", "most"), [(1, 7.08), (5, 0.75), (10, 0.4)])
def test_the_mean_of_the_shares_is_near_the_colour(neighbours: int, most: float) -> None:
    ab = torch.empty(400, 2).uniform_(-35, 35, generator=torch.Generator().manual_seed(0))
    found = encoded(ab, neighbours)
    back = found.shares[0, 0, :-1] @ bins.table()
    assert (back - ab).norm(dim=1).max() < most
    assert found.nearest.equal(found.shares.argmax(-1))


def test_a_grey_image_has_no_shares_and_no_class() -> None:
    found = ColourMixture()(torch.full((2, 2, 3, 3), 5.0), torch.zeros(2, 3, 3, 1))
    assert found.shares.eq(0).all() and found.nearest.eq(-100).all()


def test_the_annealed_mean_lies_between_the_mean_and_the_mode() -> None:
    logits = torch.randn(2, 3, 3, 313)
    mean = (logits.softmax(-1) @ bins.table()).movedim(-1, 1)
    torch.testing.assert_close(AnnealedMean(temperature=1.0)(logits), mean)
    mode = bins.table()[logits.argmax(-1)].movedim(-1, 1)
    torch.testing.assert_close(AnnealedMean(temperature=1e-3)(logits * 10), mode)
    torch.testing.assert_close(AnnealedMean()(logits + 7), AnnealedMean()(logits), atol=1e-3, rtol=1e-4)
