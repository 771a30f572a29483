"""Masked self-distillation (iBOT): where a patch is hidden, the student says what the teacher sees there."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

from jaxtyping import Bool, Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import PositiveScalar

from .swav import entropy


@component(
    source="arXiv:2111.07832, equation 2, averaged as the authors' code does it",
    title="masked DINO",
    kind="cross-entropy",
    agrees=("student", "teacher"),
    centred_by="center",
    detached=("teacher", "center"),
)
class MaskedDINO(nn.Module):
    """The loss of DINO between tokens of one view, over the patches that the student did not see.

        loss = mean over images i of  sum_n where[i, n] H(P[i, n], Q[i, n]) / max(1, sum_n where[i, n])
        P = softmax((teacher - center) / teacher_temperature),   Q = softmax(student / student_temperature)

    H is the cross-entropy. An image that hides nothing adds 0 and counts in the mean.

    Settings:
        student_temperature: divides the student's logits, no unit.
        teacher_temperature: divides the teacher's centred logits, no unit; smaller is sharper.
    """

    def __init__(
        self, *, student_temperature: PositiveScalar = 0.1, teacher_temperature: PositiveScalar = 0.04
    ) -> None:
        super().__init__()
        self.student_temperature = student_temperature
        self.teacher_temperature = teacher_temperature

    def forward(
        self,
        student: Float[Tensor, "batch patches prototypes"],
        teacher: Float[Tensor, "batch patches prototypes"],
        where: Bool[Tensor, "batch patches"],
        center: Float[Tensor, "prototypes"] | None = None,
    ) -> Float[Tensor, ""]:
        centred = teacher if center is None else teacher - center
        targets = (centred.detach() / self.teacher_temperature).softmax(-1)
        costs = -(targets * (student / self.student_temperature).log_softmax(-1)).sum(-1)
        return ((costs * where).sum(1) / where.sum(1).clamp_min(1)).mean()

    def landmarks(
        self,
        student: Float[Tensor, "batch patches prototypes"],
        teacher: Float[Tensor, "batch patches prototypes"],
        where: Bool[Tensor, "batch patches"],
        center: Float[Tensor, "prototypes"] | None = None,
    ) -> dict[str, float]:
        """One prototype for all patches costs nothing; guessing depends on how many images hide something."""
        return {"collapsed_to_one_prototype": 0.0}

    def monitors(
        self,
        student: Float[Tensor, "batch patches prototypes"],
        teacher: Float[Tensor, "batch patches prototypes"],
        where: Bool[Tensor, "batch patches"],
        center: Float[Tensor, "prototypes"] | None = None,
    ) -> dict[str, Tensor]:
        """How sharp the teacher is (1: uniform), how many prototypes it uses in effect, and how much is hidden."""
        centred = teacher.float() if center is None else teacher.float() - center
        says = (centred / self.teacher_temperature).softmax(-1).flatten(0, 1)
        return {
            "teacher_entropy": entropy(says).mean() / math.log(says.shape[1]),
            "prototypes_used": entropy(says.mean(0)).exp(),
            "hidden": where.float().mean(),
        }
