"""iBOT's patch loss: the authors' loop over images, what it ignores, and its value for a uniform student."""

from __future__ import annotations

import math

import torch

from sslgraph.components.losses.masked_dino import MaskedDINO

NOISE = torch.Generator().manual_seed(0)
STUDENT, TEACHER = (torch.randn(3, 5, 7, generator=NOISE, dtype=torch.float64) for _ in range(2))
CENTER = torch.randn(7, generator=NOISE, dtype=torch.float64)
WHERE = torch.tensor([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [0, 1, 0, 0, 0]], dtype=torch.bool)


def test_it_is_the_mean_over_images_of_the_mean_over_hidden_patches() -> None:
    total = 0.0
    for image in range(3):
        costs = []
        for patch in WHERE[image].nonzero().flatten().tolist():
            p = ((TEACHER[image, patch] - CENTER) / 0.04).softmax(0)
            costs.append(-(p * (STUDENT[image, patch] / 0.1).log_softmax(0)).sum())
        total += sum(costs) / max(1, len(costs)) / 3
    torch.testing.assert_close(MaskedDINO()(STUDENT, TEACHER, WHERE, CENTER), total, atol=1e-12, rtol=1e-12)


def test_where_nothing_is_hidden_it_is_zero() -> None:
    assert MaskedDINO()(STUDENT, TEACHER, torch.zeros_like(WHERE)) == 0


def test_a_uniform_student_costs_the_log_of_the_prototypes_in_each_image_that_hides_something() -> None:
    loss = MaskedDINO()(torch.zeros_like(STUDENT), TEACHER, WHERE)
    assert math.isclose(loss, 2 / 3 * math.log(7), rel_tol=1e-6)


def test_it_reads_hidden_patches_only_and_trains_the_student_alone() -> None:
    student, teacher = STUDENT.clone().requires_grad_(), TEACHER.clone().requires_grad_()
    MaskedDINO()(student, teacher, WHERE, CENTER).backward()
    assert teacher.grad is None and student.grad is not None
    assert torch.equal(student.grad.abs().sum(-1) > 0, WHERE)
