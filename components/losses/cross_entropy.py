"""Cross-entropy: name the right class, of an image or of each of its places."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn
from torch.nn import functional

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import LessThanOne

PAINTED = 32  # classes of a map that can be told apart in a picture


@component(
    source="arXiv:1807.05520, equation 1; arXiv:2106.08254, equation 2, for classes of masked places; "
    "arXiv:1512.00567, section 7, for smoothing",
    title="cross-entropy",
    kind="cross-entropy",
    classifies=("logits", "labels"),
    weighed_by="where",
)
class CrossEntropy(nn.Module):
    """Negative log-likelihood of integer labels, averaged over what counts.

        loss = sum_n w[n] (- sum_c t[n, c] log softmax(logits[n])[c]) / sum_n w[n]
        t[n, c] = (1 - smoothing) [c = label[n]] + smoothing / classes

    w is 0 where the label is `ignore`, else `where` (1 without it); the sums run over images and places, and the
    denominator over all ranks, so that ragged masks weigh the same however the batch is split. 0 if nothing counts.

    Settings:
        ignore: the label of places that have none.
        smoothing: share of the target that all classes have alike, no unit.
    """

    def __init__(self, *, ignore: int = -100, smoothing: LessThanOne = 0.0) -> None:
        super().__init__()
        self.ignore = ignore
        self.smoothing = smoothing

    def forward(
        self,
        logits: Float[Tensor, "batch *places classes"],
        labels: Int64[Tensor, "batch *places"],
        where: Shaped[Tensor, "batch *places"] | None = None,
    ) -> Float[Tensor, ""]:
        costs = functional.cross_entropy(
            logits.flatten(0, -2), labels.flatten(), ignore_index=self.ignore, reduction="none",
            label_smoothing=self.smoothing,
        )  # fmt: skip
        weights = (labels != self.ignore).to(costs.dtype).flatten()
        if where is not None:
            weights = weights * where.flatten()
        return collectives.weighted_mean(costs, weights)

    def pictures(
        self,
        image: Float[Tensor, "batch 3 height width"],
        logits: Float[Tensor, "batch *places classes"],
        labels: Int64[Tensor, "batch *places"],
    ) -> dict[str, Tensor]:
        """Of a map of few classes: the image with the classes that are told, and with the true ones, nan where none."""
        if logits.dim() != 4 or logits.shape[-1] > PAINTED:
            return {}
        said = labels.where(labels != self.ignore, -1)
        return {"image": image, "told": _tinted(image, logits.argmax(-1)), "label": _tinted(image, said)}

    def landmarks(
        self,
        logits: Float[Tensor, "batch *places classes"],
        labels: Int64[Tensor, "batch *places"],
        where: Shaped[Tensor, "batch *places"] | None = None,
    ) -> dict[str, float]:
        """Uniform guessing: the log of the number of classes."""
        return {"chance": math.log(logits.shape[-1])}


def _tinted(image: Tensor, classes: Int64[Tensor, "batch rows columns"]) -> Float[Tensor, "batch 3 height width"]:
    """The image under a colour for each class but the first; nan where there is none."""
    turns = 2 * math.pi * (0.618 * (classes - 1)[:, None] - torch.arange(3, device=classes.device)[:, None, None] / 3)
    colours = (0.5 + 0.5 * turns.cos()).where(classes[:, None] > 0, image.new_tensor(0.0))
    colours = colours.masked_fill(classes[:, None] < 0, torch.nan)
    over = functional.interpolate(colours.to(image.dtype), image.shape[2:], mode="nearest")
    is_bare = (over == 0).all(1, keepdim=True)
    return torch.where(is_bare, image, 0.4 * image + 0.6 * over)
