"""Labels that use every class equally often, from a classifier's own scores (SeLa's self-labelling)."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.errors import SettingError
from sslgraph.ranges import Count, Positive, Several

from .kmeans import fitting

SMALLEST = 1e-200  # a class that no image scores still has a share


@component(
    source="arXiv:1911.05371, equations 5 to 7 and Algorithm 1",
    title="equal labels",
    role="clusters",
    detached=("logits",),
    float32=True,
)
class EqualLabels(nn.Module):
    """The labels that agree best with the scores while each class gets as many images as any other.

    Each head by itself, in float64, with P = softmax(logits), N images and K classes (Sinkhorn and Knopp):

        repeat  r[k] = 1/K / sum_i P[i, k]^power c[i],     c[i] = 1/N / sum_k P[i, k]^power r[k]
        until   sum_i |c_before[i] / c[i] - 1| <= tolerance,  asked every tenth round
        label[i] = argmax_k P[i, k]^power r[k]

    The shares of the soft labels are equal, those of the hard ones nearly; no class stays empty but by ties.

    Settings:
        classes: K; filled from the logits.
        power: of the probabilities; the higher, the nearer to the best hard labels.
        tolerance: when it stops.
        iterations: rounds at most.
    """

    def __init__(
        self,
        *,
        classes: Several | None = None,
        power: Positive = 25.0,
        tolerance: Positive = 0.1,
        iterations: Count = 2000,
    ) -> None:
        super().__init__()
        self.classes = filled(classes, "classes", "the logits")
        self.power, self.tolerance, self.iterations = power, tolerance, iterations

    def fits(self, images: int) -> None:
        """SettingError where there are fewer images than classes."""
        if images < self.classes:
            problem = f"{images} images can't fill {self.classes} classes"
            raise SettingError(self, "classes", fitting(images), problem)

    @torch.no_grad()
    def forward(self, logits: Float[Tensor, "images heads classes"]) -> Int64[Tensor, "images heads"]:
        self.fits(len(logits))
        return torch.stack([self._labels(logits[:, head]) for head in range(logits.shape[1])], 1)

    def _labels(self, logits: Tensor) -> Tensor:
        # A factor for each image cancels, so the softmax needs no divisor.
        scores = (self.power * (logits - logits.amax(1, keepdim=True)).double()).exp().clamp_min(SMALLEST)
        images, classes = scores.shape
        c = scores.new_full((images,), 1 / images)
        for number in range(1, self.iterations + 1):
            r = 1 / classes / (c @ scores)
            before, c = c, 1 / images / (scores @ r)
            if number % 10 == 0 and (before / c - 1).abs().sum() <= self.tolerance:
                break
        return (scores * r).argmax(1)
