"""Mixing with partners: by hand, by the step, and the same on one and on two ranks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from timm.data.mixup import mixup_target
from timm.loss import SoftTargetCrossEntropy
from torch import Tensor
from two_ranks import Both, both  # noqa: F401 - a fixture

from sslgraph import collectives
from sslgraph.components.losses.cross_entropy import CrossEntropy
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


@pytest.mark.parametrize("beta", [0.2, 0.8])
def test_the_share_is_of_beta(beta: float) -> None:
    """By its moments: the mean is 1 / 2 and the variance 1 / (4 (2 b + 1)); a blend is within the share's two ends."""
    part = Mix(beta=beta)
    shares = torch.tensor([part(IMAGES, torch.tensor([0, 0, step])).share for step in range(2000)])
    assert shares.mean().item() == pytest.approx(0.5, abs=0.03)
    assert shares.var().item() == pytest.approx(1 / (4 * (2 * beta + 1)), rel=0.08)
    assert 0.4 <= Mix(beta=beta, share=(0.4, 0.6))(IMAGES, CLOCK).share.item() <= 0.6


def test_a_box_of_the_partner_is_laid_over_and_the_share_is_of_the_pixels_that_are_left() -> None:
    images = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 12, 8)
    boxes = set()
    for step in range(200):
        mixed = Mix(paste=1.0)(images, torch.tensor([0, 0, step]))
        is_partner = mixed.image[0, 0] == 3
        assert torch.equal(mixed.image[1, 2] == 2, is_partner) and bool((is_partner | (mixed.image[0, 0] == 0)).all())
        assert mixed.share.item() == pytest.approx(1 - is_partner.float().mean().item())
        assert (mixed.share + mixed.rest).item() == pytest.approx(1)
        rows, columns = is_partner.any(1).nonzero()[:, 0], is_partner.any(0).nonzero()[:, 0]
        if len(rows):  # one rectangle, without a hole
            assert bool(is_partner[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all())
            boxes.add((rows.min().item(), len(rows), columns.min().item(), len(columns)))
    assert len(boxes) > 100


def test_half_of_the_steps_paste_and_the_others_blend() -> None:
    """A blend of 0 and 7 is a number between them, a paste has both: as timm's Mixup with switch_prob 0.5."""
    images = torch.stack([torch.zeros(3, 8, 8), torch.full((3, 8, 8), 7.0)])
    steps = [Mix(paste=0.5, beta=0.8)(images, torch.tensor([0, 0, step])).image[0] for step in range(400)]
    pasted = sum(set(image.unique().tolist()) <= {0.0, 7.0} for image in steps)
    assert 160 < pasted < 240


@pytest.mark.parametrize("paste", [0.0, 1.0])
def test_two_losses_by_share_are_the_loss_of_timms_soft_targets(paste: float) -> None:
    """share CE(y, label) + rest CE(y, the partner's label), both smoothed, is CE with timm's mixed target; that sums
    to 1.
    """
    torch.manual_seed(0)
    labels, logits = torch.arange(8) % 5, torch.randn(8, 5)
    mixed = Mix(paste=paste, beta=0.8)(torch.rand(8, 3, 6, 6), CLOCK)
    loss = CrossEntropy(smoothing=0.1)
    ours = mixed.share * loss(logits, labels) + mixed.rest * loss(logits, Partners()(labels, mixed.partner))
    target = mixup_target(labels, 5, lam=mixed.share.item(), smoothing=0.1)
    torch.testing.assert_close(target.sum(1), torch.ones(8))
    torch.testing.assert_close(ours, SoftTargetCrossEntropy()(logits, target))


def half(of: Tensor) -> Tensor:
    """The rows of this rank."""
    count = len(of) // collectives.ranks()
    return of[count * collectives.rank() :][:count].clone()


def worked(**settings: Any) -> list[Tensor]:
    mixed: Mixed = Mix(**settings)(half(IMAGES), CLOCK)
    rows = half(torch.linspace(-1, 1, 32, dtype=torch.float64).view(8, 4)).requires_grad_()
    found = Partners()(rows, mixed.partner)
    weight = half(torch.arange(8.0, dtype=torch.float64))[:, None]
    (found.square() * weight).sum().backward()
    assert rows.grad is not None
    return [mixed.image, mixed.share[None].repeat(len(mixed.image)), mixed.partner, found.detach(), rows.grad]


def reversed_() -> list[Tensor]:
    return worked(partner="reversed")


def permuted() -> list[Tensor]:
    return worked(partner="permuted")


def pasted() -> list[Tensor]:
    return worked(paste=1.0, beta=0.8)


CHECKS = {"reversed_": reversed_, "permuted": permuted, "pasted": pasted}


@pytest.mark.parametrize("check", [reversed_, permuted, pasted])
def test_two_ranks_mix_as_one_does(both: Both, check: Any) -> None:  # noqa: F811
    first, second = both(check.__name__)
    names = ("image", "share", "partner", "rows", "gradient")
    for name, whole, *parts in zip(names, check(), first, second, strict=True):
        together = torch.cat(parts)
        torch.testing.assert_close(together, whole, msg=name)
