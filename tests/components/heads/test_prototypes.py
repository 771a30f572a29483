"""Prototypes stay on the unit sphere."""

import torch

from sslgraph.components.heads.prototypes import Prototypes


def lengths(head: Prototypes) -> torch.Tensor:
    return head.weight.detach().norm(dim=1)


def test_they_have_unit_length_at_the_start_and_after_normalize() -> None:
    head = Prototypes(out=7, dim=5)
    torch.testing.assert_close(lengths(head), torch.ones(7))
    with torch.no_grad():
        head.weight.add_(0.3)
    direction = head.weight.detach() / lengths(head)[:, None]
    weight = head.weight
    head.normalize()
    assert head.weight is weight and weight.requires_grad
    torch.testing.assert_close(lengths(head), torch.ones(7))
    torch.testing.assert_close(head.weight.detach(), direction)


def test_the_score_of_a_prototype_with_itself_is_1() -> None:
    head = Prototypes(out=7, dim=5)
    torch.testing.assert_close(head(head.weight).diagonal(), torch.ones(7))
    assert head(torch.randn(2, 3, 5)).shape == (2, 3, 7)


def test_normalize_is_named_as_a_write() -> None:
    assert Prototypes.normalize.is_write
