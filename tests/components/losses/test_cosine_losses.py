import pytest
import torch

from sslgraph.components.losses.cosine_regression import CosineRegression
from sslgraph.components.losses.distillation import Distillation
from sslgraph.components.losses.negative_cosine import NegativeCosine

EAST, NORTH = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 3.0]])


@pytest.mark.parametrize(("target", "expected"), [(EAST, 0.0), (NORTH, 2.0), (-EAST, 4.0)])
def test_equal_orthogonal_and_opposite_directions_cost_0_2_and_4(target: torch.Tensor, expected: float) -> None:
    torch.testing.assert_close(CosineRegression()(EAST, target), torch.tensor(expected))


def test_byol_is_four_plus_four_times_simsiam() -> None:
    p1, p2, t1, t2 = torch.randn(4, 6, 5).unbind()
    byol = CosineRegression()(p1, t2) + CosineRegression()(p2, t1)
    simsiam = 0.5 * NegativeCosine()(p1, t2) + 0.5 * NegativeCosine()(p2, t1)
    torch.testing.assert_close(byol, 4 + 4 * simsiam)


@pytest.mark.parametrize("loss", [CosineRegression(), NegativeCosine()])
def test_the_length_of_a_prediction_gets_no_gradient(loss: torch.nn.Module) -> None:
    p, t = torch.randn(2, 6, 5, dtype=torch.float64)
    p.requires_grad_()
    loss(p, t).backward()
    assert p.grad is not None and (p.grad * p).sum(1).abs().max() < 1e-12
    torch.testing.assert_close(loss(3 * p, 7 * t), loss(p, t))


@pytest.mark.parametrize("loss", [CosineRegression(), NegativeCosine()])
def test_a_constant_output_costs_the_collapsed_value_and_random_directions_about_chance(loss: torch.nn.Module) -> None:
    constant, random = torch.ones(8, 64), torch.randn(4096, 64, generator=torch.Generator().manual_seed(0))
    landmarks = loss.landmarks(constant, constant)
    assert loss(constant, constant).item() == pytest.approx(landmarks["collapsed"], abs=1e-6)
    assert loss(random, random.flip(0)).item() == pytest.approx(landmarks["chance"], abs=0.02)


@pytest.mark.parametrize("loss", [CosineRegression(), NegativeCosine(), Distillation(temperature=0.5)])
def test_only_rows_that_count_enter_the_mean(loss: torch.nn.Module) -> None:
    p, t = torch.randn(2, 6, 4)
    where = torch.tensor([True, False, True, True, False, False])
    torch.testing.assert_close(loss(p, t, where), loss(p[where], t[where]))
    assert loss(p, t, torch.zeros(6, dtype=torch.bool)) == 0
