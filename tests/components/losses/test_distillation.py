"""Distillation: a value by hand, the entropy at its best, and no gradient for the teacher."""

import math

import pytest
import torch

from sslgraph.components.losses.distillation import Distillation


def test_a_value_by_hand() -> None:
    student, teacher = torch.tensor([[math.log(3.0), 0.0]]), torch.tensor([[0.0, math.log(3.0)]])
    loss = Distillation()(student, teacher)  # Q = 3/4, 1/4; P = 1/4, 3/4
    assert loss.item() == pytest.approx(-0.25 * math.log(0.75) - 0.75 * math.log(0.25))


def test_a_student_like_its_teacher_has_the_entropy_of_its_classes_and_no_gradient() -> None:
    torch.manual_seed(0)
    teacher = torch.randn(5, 7, dtype=torch.float64)
    student = teacher.clone().requires_grad_()
    loss = Distillation(temperature=0.5)(student, teacher)
    odds = (teacher / 0.5).softmax(1)
    torch.testing.assert_close(loss.detach(), -(odds * odds.log()).sum(1).mean())
    (gradient,) = torch.autograd.grad(loss, student)
    assert gradient.abs().max() < 1e-16


def test_the_teacher_gets_no_gradient_and_a_shift_of_all_scores_changes_nothing() -> None:
    student, teacher = torch.randn(4, 3, requires_grad=True), torch.randn(4, 3, requires_grad=True)
    loss = Distillation()(student, teacher)
    assert torch.autograd.grad(loss, teacher, allow_unused=True) == (None,)
    torch.testing.assert_close(Distillation()(student + 2, teacher - 3), loss)
