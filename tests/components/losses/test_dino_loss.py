import math

import jaxtyping
import pytest
import torch
from torch import Tensor

from sslgraph.components.losses.dino import DINO


def test_two_prototypes_by_hand() -> None:
    student = torch.tensor([[[0.0, 0.0]], [[math.log(3.0), 0.0]]])  # the second view says 3/4, 1/4
    teacher = torch.tensor([[[1.0, 1.0]]])
    loss = DINO(student_temperature=1.0, teacher_temperature=1.0)(student, teacher)
    torch.testing.assert_close(loss, torch.tensor(-0.5 * math.log(3 / 4) - 0.5 * math.log(1 / 4)))


@pytest.mark.parametrize("views", [2, 4, 10])
def test_different_views_are_twice_views_minus_one_pairs(views: int) -> None:
    student, teacher, center = torch.randn(views, 3, 6), torch.randn(2, 3, 6), torch.randn(6)
    p = ((teacher - center) / 0.04).softmax(2)
    q = (student / 0.1).log_softmax(2)
    terms = [-(p[t] * q[s]).sum(1).mean() for t in range(2) for s in range(views) if s != t]
    assert len(terms) == 2 * (views - 1)
    torch.testing.assert_close(DINO()(student, teacher, center), torch.stack(terms).mean())


def test_same_view_and_all_choose_their_pairs() -> None:
    student, teacher = torch.randn(3, 4, 6), torch.randn(2, 4, 6)
    p, q = (teacher / 0.04).softmax(2), (student / 0.1).log_softmax(2)
    table = torch.stack([torch.stack([-(p[t] * q[s]).sum(1).mean() for s in range(3)]) for t in range(2)])
    torch.testing.assert_close(DINO(pairs="same_view")(student, teacher), table.diagonal().mean())
    torch.testing.assert_close(DINO(pairs="all")(student, teacher), table.mean())


def test_a_center_equal_to_constant_logits_makes_the_teacher_uniform() -> None:
    student, constant = torch.zeros(2, 3, 4096), torch.randn(4096)
    loss = DINO()(student, constant.expand(2, 3, -1), constant)
    assert loss.item() == pytest.approx(8.3178, abs=1e-3)
    assert DINO().landmarks(student, student)["collapsed"] == pytest.approx(8.3178, abs=1e-4)


def test_one_prototype_for_all_images_costs_nothing() -> None:
    logits = 50 * torch.nn.functional.one_hot(torch.zeros(2, 3, dtype=torch.int64), 8).float()
    assert DINO()(logits, logits).item() == pytest.approx(0, abs=1e-6)
    assert DINO().landmarks(logits, logits)["collapsed_to_one_prototype"] == 0


def test_no_gradient_reaches_teacher_or_center() -> None:
    student, teacher, center = torch.randn(2, 3, 4), torch.randn(2, 3, 4), torch.randn(4)
    inputs: list[Tensor] = [t.requires_grad_() for t in (student, teacher, center)]
    DINO()(*inputs).backward()
    assert student.grad is not None and teacher.grad is None and center.grad is None


@pytest.mark.parametrize(("cosine", "expected"), [(0.0, 11.28), (0.5, 10.80), (1.0, 10.32)])
def test_the_first_loss_of_65536_random_prototypes_is_known(cosine: float, expected: float) -> None:
    # Cosines of unit features with random unit prototypes in 256 dimensions are nearly normal, deviation 1/16.
    generator = torch.Generator().manual_seed(0)
    teacher, noise = torch.randn(2, 2, 8, 65536, generator=generator) / 16
    student = cosine * teacher.flip(0) + (1 - cosine**2) ** 0.5 * noise
    assert DINO()(student, teacher).item() == pytest.approx(expected, abs=0.03)


def test_it_compiles_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    # Dynamo can't trace the shape checks that pytest may put around every part.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    torch._dynamo.reset()
    student, teacher, center = torch.randn(3, 2, 5), torch.randn(2, 2, 5), torch.randn(5)
    loss = DINO(teacher_temperature=torch.tensor(0.05))
    compiled = torch.compile(loss, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(student, teacher, center), loss(student, teacher, center))
