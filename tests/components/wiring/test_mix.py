"""Mixing with partners: by hand, by the step, and the same on one and on two ranks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from two_ranks import Both, both  # noqa: F401 - a fixture

from sslgraph import collectives
from sslgraph.components.wiring.mix import Mix, Mixed
from sslgraph.components.wiring.partners import Partners

IMAGES = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 3, 2, 2)
CLOCK = torch.tensor([3, 0, 7])


def test_each_image_is_mixed_with_the_one_at_the_other_end() -> None:
    mixed = Mix()(IMAGES, CLOCK)
    assert mixed.partner.tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
    share = mixed.share.item()
    assert 0 <= share <= 1 and mixed.image[2, 0, 0, 0].item() == pytest.approx(share * 2 + (1 - share) * 5)


def test_the_share_and_the_order_are_those_of_the_step() -> None:
    part = Mix(partner="permuted", share=(0.4, 0.6))
    one, again, next_step = part(IMAGES, CLOCK), part(IMAGES, CLOCK), part(IMAGES, CLOCK + torch.tensor([0, 0, 1]))
    assert torch.equal(one.image, again.image) and sorted(one.partner.tolist()) == list(range(8))
    assert one.share != next_step.share and one.partner.tolist() != next_step.partner.tolist()
    shares = [part(IMAGES, torch.tensor([0, 0, step])).share.item() for step in range(400)]
    assert min(shares) >= 0.4 and max(shares) < 0.6 and abs(sum(shares) / 400 - 0.5) < 0.01


def test_partners_have_their_rows() -> None:
    rows = torch.randn(8, 4)
    partner = Mix(partner="permuted")(IMAGES, CLOCK).partner
    assert torch.equal(Partners()(rows, partner), rows[partner])


def test_a_least_share_above_the_greatest_is_refused() -> None:
    with pytest.raises(ValueError, match=r"share is the least and the greatest, and 0.7 is more than 0.2"):
        Mix(share=(0.7, 0.2))


def half(of: Tensor) -> Tensor:
    """The rows of this rank."""
    count = len(of) // collectives.ranks()
    return of[count * collectives.rank() :][:count].clone()


def worked(partner: Any) -> list[Tensor]:
    mixed: Mixed = Mix(partner=partner)(half(IMAGES), CLOCK)
    rows = half(torch.linspace(-1, 1, 32, dtype=torch.float64).view(8, 4)).requires_grad_()
    found = Partners()(rows, mixed.partner)
    weight = half(torch.arange(8.0, dtype=torch.float64))[:, None]
    (found.square() * weight).sum().backward()
    assert rows.grad is not None
    return [mixed.image, mixed.share[None].repeat(len(mixed.image)), mixed.partner, found.detach(), rows.grad]


def reversed_() -> list[Tensor]:
    return worked("reversed")


def permuted() -> list[Tensor]:
    return worked("permuted")


CHECKS = {"reversed_": reversed_, "permuted": permuted}


@pytest.mark.parametrize("check", [reversed_, permuted])
def test_two_ranks_mix_as_one_does(both: Both, check: Any) -> None:  # noqa: F811
    first, second = both(check.__name__)
    names = ("image", "share", "partner", "rows", "gradient")
    for name, whole, *parts in zip(names, check(), first, second, strict=True):
        together = torch.cat(parts)
        torch.testing.assert_close(together, whole, msg=name)
