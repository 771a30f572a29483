"""LeJEPA's two losses: the authors' statistic written out, a normal sample's value, and the centre of first views."""

from __future__ import annotations

import math

import pytest
import torch

from sslgraph import draws
from sslgraph.components.losses.sigreg import SIGReg
from sslgraph.components.losses.view_center import ViewCenter

NOISE = torch.Generator().manual_seed(0)
CLOCK = torch.tensor([0, 0, 3])


def test_it_is_the_authors_statistic_on_the_same_directions() -> None:
    z = torch.randn(2, 5, 3, generator=NOISE, dtype=torch.float64)
    row = torch.tensor([[0, 0, 3, draws.stream_of("sigreg directions")]])
    along = draws.normal(row, 12).float().double().view(3, 4)
    t = torch.linspace(0, 3, 17, dtype=torch.float64)
    weights = torch.full((17,), 2 * 3 / 16, dtype=torch.float64)
    weights[[0, -1]] = 3 / 16
    total = 0.0
    for view in z:
        for direction in along.T:
            seen = view @ direction / direction.norm()
            mean = torch.exp(1j * seen[:, None] * t).mean(0)
            total += float(((mean - torch.exp(-t.square() / 2)).abs().square() * torch.exp(-t.square() / 2)) @ weights)
    assert SIGReg(directions=4)(z, CLOCK).item() == pytest.approx(5 * total / 8, rel=1e-10)


def test_a_normal_sample_has_a_value_that_does_not_grow_with_it_and_a_collapsed_one_has_its_landmark() -> None:
    few, many = (SIGReg()(torch.randn(1, count, 8, generator=NOISE), CLOCK).item() for count in (500, 4000))
    assert 0.3 < few < 1.5 and 0.3 < many < 1.5
    zero = torch.zeros(1, 500, 8)
    assert SIGReg()(zero, CLOCK).item() == pytest.approx(SIGReg().landmarks(zero, CLOCK)["collapsed"], rel=1e-4)
    assert SIGReg()(zero, CLOCK).item() > 100 * few


def test_directions_are_those_of_the_step() -> None:
    z = torch.rand(1, 50, 8, generator=NOISE)
    assert SIGReg()(z, CLOCK) == SIGReg()(z, CLOCK) != SIGReg()(z, CLOCK + 1)


def test_views_are_drawn_to_the_centre_of_the_first() -> None:
    z = torch.tensor([[[0.0]], [[2.0]], [[5.0]]])
    assert ViewCenter(first=2)(z).item() == pytest.approx((1 + 1 + 16) / 3)
    assert ViewCenter()(z).item() == pytest.approx(z.var(0, unbiased=False).item())
    assert math.isclose(ViewCenter(first=1)(z), (4 + 25) / 3, rel_tol=1e-6)
    with pytest.raises(ValueError, match="the first 4 views make the centre, and there are 3; set first"):
        ViewCenter(first=4)(z)
    with pytest.raises(ValueError, match="a single view is its own centre"):
        ViewCenter()(z[:1])
