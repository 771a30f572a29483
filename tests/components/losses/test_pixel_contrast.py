import math

import pytest
import torch

from sslgraph.components.losses.pixel_contrast import PixelContrast

EYE = torch.eye(49, dtype=torch.bool).expand(3, -1, -1)


def test_cells_that_are_all_alike_cost_the_log_of_cells_over_pairs() -> None:
    ones = torch.ones(3, 8, 7, 7)
    assert PixelContrast()(ones, ones, EYE).item() == pytest.approx(math.log(49), abs=1e-5)
    two = EYE | EYE.roll(1, 2)
    assert PixelContrast()(ones, ones, two).item() == pytest.approx(math.log(49 / 2), abs=1e-5)
    assert PixelContrast().landmarks(ones, ones, EYE) == {"chance": math.log(49), "collapsed": math.log(49)}


def test_it_is_the_papers_formula_over_cells_with_a_pair_and_images_with_an_overlap() -> None:
    torch.manual_seed(0)
    y, k = torch.randn(2, 3, 8, 2, 3, dtype=torch.float64)
    where = torch.rand(3, 6, 6) < 0.3
    where[1], where[0, 2] = False, False
    images = []
    for b in (0, 2):
        costs = []
        for i in range(6):
            e = [
                math.exp(torch.cosine_similarity(y[b].flatten(1)[:, i], k[b].flatten(1)[:, j], dim=0) / 0.3)
                for j in range(6)
            ]
            if where[b, i].any():
                costs.append(-math.log(sum(e[j] for j in range(6) if where[b, i, j]) / sum(e)))
        images.append(sum(costs) / len(costs))
    assert PixelContrast()(y, k, where).item() == pytest.approx(sum(images) / 2)


def test_without_any_overlap_it_is_nothing_and_its_gradient_finite() -> None:
    y = torch.randn(3, 8, 7, 7, requires_grad=True)
    loss = PixelContrast()(y, y.detach(), torch.zeros_like(EYE))
    loss.backward()
    assert loss.item() == 0 and y.grad is not None and bool(y.grad.isfinite().all())
