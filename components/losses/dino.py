"""Self-distillation (DINO): from every crop the student predicts what the teacher sees in another view."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import PositiveScalar

from .swav import entropy, soft_cross_entropy


@component(
    source="arXiv:2104.14294, equations 1 to 3 and Algorithm 1",
    kind="cross-entropy",
    agrees=("student", "teacher"),
    centred_by="center",
    detached=("teacher", "center"),
)
class DINO(nn.Module):
    """Cross-entropy of the student's distribution over prototypes under the teacher's centred and sharpened one.

        loss = mean over pairs (t, s) and the batch of  - sum_k P[t, k] log Q[s, k]
        P[t] = softmax((teacher[t] - center) / teacher_temperature),   Q[s] = softmax(student[s] / student_temperature)

    No gradient reaches the teacher or the centre. View t of the teacher is view t of the student.

    Settings:
        pairs: which teacher view meets which student view: all but its own (DINO), only its own, or all.
        student_temperature: divides the student's logits, no unit.
        teacher_temperature: divides the teacher's centred logits, no unit; smaller is sharper.
    """

    def __init__(
        self,
        *,
        pairs: Literal["different_views", "same_view", "all"] = "different_views",
        student_temperature: PositiveScalar = 0.1,
        teacher_temperature: PositiveScalar = 0.04,
    ) -> None:
        super().__init__()
        self.pairs: Literal["different_views", "same_view", "all"] = pairs
        self.student_temperature = student_temperature
        self.teacher_temperature = teacher_temperature

    def forward(
        self,
        student: Float[Tensor, "views_student batch prototypes"],
        teacher: Float[Tensor, "views_teacher batch prototypes"],
        center: Float[Tensor, "prototypes"] | None = None,
    ) -> Float[Tensor, ""]:
        centred = teacher if center is None else teacher - center
        targets = (centred.detach() / self.teacher_temperature).softmax(-1)
        return soft_cross_entropy(targets, student / self.student_temperature, pairs=self.pairs)

    def landmarks(
        self,
        student: Float[Tensor, "views_student batch prototypes"],
        teacher: Float[Tensor, "views_teacher batch prototypes"],
        center: Float[Tensor, "prototypes"] | None = None,
    ) -> dict[str, float]:
        """A uniform student costs the log of the prototypes, and stays there; one prototype for all images costs 0."""
        uniform = math.log(student.shape[-1])
        return {"chance": uniform, "collapsed": uniform, "collapsed_to_one_prototype": 0.0}

    def monitors(
        self,
        student: Float[Tensor, "views_student batch prototypes"],
        teacher: Float[Tensor, "views_teacher batch prototypes"],
        center: Float[Tensor, "prototypes"] | None = None,
    ) -> dict[str, Tensor]:
        """How sharp the teacher is (1: uniform) and how many prototypes it uses in effect; the student's entropy."""
        centred = teacher.float() if center is None else teacher.float() - center
        says = (centred / self.teacher_temperature).softmax(-1).flatten(0, 1)
        answers = (student.float() / self.student_temperature).softmax(-1).flatten(0, 1)
        whole = math.log(says.shape[1])
        return {
            "teacher_entropy": entropy(says).mean() / whole,
            "student_entropy": entropy(answers).mean() / whole,
            "prototypes_used": entropy(says.mean(0)).exp(),
        }
