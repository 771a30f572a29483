import math

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from sslgraph.components.losses.prototype_contrast import PrototypeContrast


def inputs() -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    query, centres = normalize(torch.randn(1, 6, 8), dim=-1), normalize(torch.randn(7, 8), dim=-1)
    labels = torch.stack([torch.arange(6) % 3, torch.arange(6) % 4], 1)
    return query, labels, centres, 0.1 + torch.rand(7)


def test_it_is_the_mean_cross_entropy_over_clusterings_with_a_temperature_for_each_centre() -> None:
    query, labels, centres, phi = inputs()
    logits = query[0] @ centres.T / phi
    expected = (cross_entropy(logits[:, :3], labels[:, 0]) + cross_entropy(logits[:, 3:], labels[:, 1])) / 2
    torch.testing.assert_close(PrototypeContrast(k=[3, 4])(query, labels, centres, phi), expected)
    alike = PrototypeContrast(k=[3, 4], temperature=0.2)
    torch.testing.assert_close(alike(query, labels, centres), alike(query, labels, centres, torch.full((7,), 0.2)))


def test_views_count_equally_and_gradient_reaches_the_query_only() -> None:
    query, labels, centres, phi = inputs()
    loss, two = PrototypeContrast(k=[3, 4]), torch.cat([query, -query])
    expected = (loss(query, labels, centres, phi) + loss(-query, labels, centres, phi)) / 2
    torch.testing.assert_close(loss(two, labels, centres, phi), expected)
    leaves = [query.requires_grad_(), centres.requires_grad_(), phi.requires_grad_()]
    loss(leaves[0], labels, leaves[1], leaves[2]).backward()
    assert [leaf.grad is not None for leaf in leaves] == [True, False, False]


def test_without_labels_it_costs_nothing() -> None:
    query, labels, centres, phi = inputs()
    assert PrototypeContrast(k=[3, 4])(query, torch.full_like(labels, -100), centres, phi) == 0


def test_uniform_guessing_is_its_chance() -> None:
    query, labels, centres, phi = inputs()
    loss = PrototypeContrast(k=[3, 4])
    chance = (math.log(3) + math.log(4)) / 2
    assert loss(0 * query, labels, centres, phi).item() == pytest.approx(chance)
    assert loss.landmarks(query, labels, centres, phi) == {"chance": pytest.approx(chance)}
