"""Regression: one value is to equal another, in a mean over all numbers (VICReg's invariance, data2vec)."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sslgraph.component import component
from sslgraph.ranges import Positive


@component(
    source="arXiv:2105.04906, equation 5; arXiv:2202.03555, equation 2, for smooth l1",
    kind="regression",
    agrees=("prediction", "target"),
    compares="distance",
)
class Regression(nn.Module):
    """The mean over all numbers of a distance d of prediction and target.

        l2: d = e^2;     l1: d = |e|;     smooth_l1: d = e^2 / (2 knee) where |e| < knee, else |e| - knee / 2

    Zero at best; nothing here keeps a constant output from being the best.

    Settings:
        distance: l2 squared error, l1 absolute error, smooth_l1 the first near 0 and the second beyond.
        knee: the error at which smooth_l1 turns from one to the other.
    """

    def __init__(self, *, distance: Literal["l2", "l1", "smooth_l1"] = "l2", knee: Positive = 1.0) -> None:
        super().__init__()
        self.distance = distance
        self.knee = knee

    def forward(
        self, prediction: Float[Tensor, "batch *shape"], target: Float[Tensor, "batch *shape"]
    ) -> Float[Tensor, ""]:
        if self.distance == "l2":
            return functional.mse_loss(prediction, target)
        if self.distance == "l1":
            return functional.l1_loss(prediction, target)
        return functional.smooth_l1_loss(prediction, target, beta=self.knee)
