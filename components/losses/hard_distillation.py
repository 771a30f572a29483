"""Hard distillation: the student names the class that a trained teacher finds most likely (BEiT's codes)."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from sslgraph.component import component

from .cross_entropy import CrossEntropy
from .swav import entropy


@component(
    source="arXiv:2106.08254, equation 2; arXiv:2012.12877, equation 3",
    title="hard distillation",
    kind="cross-entropy",
    detached=("teacher",),
    weighed_by="where",
)
class HardDistillation(nn.Module):
    """Cross-entropy of the student's scores with the teacher's most likely class as the label.

        loss = mean over what counts of  - log softmax(student)[argmax teacher]

    As losses.cross_entropy weighs it: by `where`, and by the number of rows over all ranks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cross_entropy = CrossEntropy()

    def forward(
        self,
        student: Float[Tensor, "batch *places classes"],
        teacher: Float[Tensor, "batch *places classes"],
        where: Shaped[Tensor, "batch *places"] | None = None,
    ) -> Float[Tensor, ""]:
        loss: Tensor = self.cross_entropy(student, teacher.argmax(-1), where)
        return loss

    def landmarks(
        self,
        student: Float[Tensor, "batch *places classes"],
        teacher: Float[Tensor, "batch *places classes"],
        where: Shaped[Tensor, "batch *places"] | None = None,
    ) -> dict[str, float]:
        """Uniform guessing: the log of the number of classes."""
        return {"chance": math.log(student.shape[-1])}

    def monitors(
        self,
        student: Float[Tensor, "batch *places classes"],
        teacher: Float[Tensor, "batch *places classes"],
        where: Shaped[Tensor, "batch *places"] | None = None,
    ) -> dict[str, Tensor]:
        """How often the student is right; how often it would be with the most frequent label always, and that loss."""
        labels = teacher.argmax(-1).flatten()
        shares = torch.bincount(labels, minlength=teacher.shape[-1]) / max(1, len(labels))
        right = (student.argmax(-1).flatten() == labels).float().mean()
        return {"right": right, "most_frequent": shares.max(), "label_entropy": entropy(shares)}
