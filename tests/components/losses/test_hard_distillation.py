"""Hard distillation: torch's cross-entropy with the teacher's choices, without a gradient into it."""

import math

import pytest
import torch
from torch.nn import functional

from sslgraph.components.losses.hard_distillation import HardDistillation

STUDENT = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
TEACHER = torch.randn(6, 8, generator=torch.Generator().manual_seed(1))


def test_the_teachers_most_likely_class_is_the_label_and_no_gradient_reaches_it() -> None:
    student, teacher = STUDENT.clone().requires_grad_(), TEACHER.clone().requires_grad_()
    loss = HardDistillation()(student, teacher)
    torch.testing.assert_close(loss, functional.cross_entropy(STUDENT, TEACHER.argmax(1)))
    loss.backward()
    assert student.grad is not None and teacher.grad is None
    where = torch.tensor([1.0, 0, 0, 0, 0, 1.0])
    chosen = HardDistillation()(STUDENT[[0, 5]], TEACHER[[0, 5]])
    torch.testing.assert_close(HardDistillation()(STUDENT, TEACHER, where), chosen)


def test_chance_and_the_value_of_a_student_that_knows_frequencies_only() -> None:
    """With shares 1/2, 1/4 and 1/4 of three labels, the best constant answer costs their entropy, 1.5 log 2."""
    teacher = functional.one_hot(torch.tensor([0, 0, 1, 2]), 8).float()
    assert HardDistillation().landmarks(STUDENT, TEACHER) == {"chance": math.log(8)}
    constant = torch.tensor([0.5, 0.25, 0.25, 0, 0, 0, 0, 0]).log().expand(4, 8)
    found = HardDistillation().monitors(constant, teacher)
    assert HardDistillation()(constant, teacher).item() == pytest.approx(1.5 * math.log(2))
    assert found["label_entropy"].item() == pytest.approx(1.5 * math.log(2))
    assert found["right"].item() == found["most_frequent"].item() == 0.5
