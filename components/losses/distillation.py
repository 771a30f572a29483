"""Distillation: the student gives each class the probability that a trained teacher gives it."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import PositiveScalar


@component(
    source="arXiv:2006.10029, equation 2",
    title="distillation",
    kind="cross-entropy",
    detached=("teacher",),
    weighed_by="where",
)
class Distillation(nn.Module):
    """Cross-entropy of the student's class probabilities under the teacher's, both at one temperature.

        loss = mean over images of  - sum_k P[k] log Q[k],   P = softmax(teacher / T),  Q = softmax(student / T)

    At best the entropy of P. No gradient reaches the teacher. With `where` it is the mean over the images that count,
    on all ranks.

    Settings:
        temperature: T, no unit.
    """

    def __init__(self, *, temperature: PositiveScalar = 1.0) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(
        self,
        student: Float[Tensor, "batch classes"],
        teacher: Float[Tensor, "batch classes"],
        where: Shaped[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, ""]:
        wanted = (teacher.detach() / self.temperature).softmax(1)
        costs = -(wanted * (student / self.temperature).log_softmax(1)).sum(1)
        return collectives.mean_where(costs, where)

    def landmarks(
        self,
        student: Float[Tensor, "batch classes"],
        teacher: Float[Tensor, "batch classes"],
        where: Shaped[Tensor, "batch"] | None = None,
    ) -> dict[str, float]:
        """A student that tells nothing apart: the log of the number of classes."""
        return {"chance": math.log(student.shape[1])}
