"""How many class numbers a loss's scores predict, and how many the place in the image alone predicts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from sslgraph.compile.compile import CompiledMethod

from . import segmentation
from .segmentation import Counts

MOST = 1_000  # classes whose confusions are counted


@dataclass(frozen=True)
class Told:
    """Shares of class numbers predicted right, and the mean over classes of intersection over union.

    The same for the best answer that looks at no image: at each place always the class that is most frequent there.
    """

    right: float
    miou: float
    right_by_place: float
    miou_by_place: float


class Tally:
    """Counts class numbers against predicted ones, batch by batch."""

    def __init__(self) -> None:
        self._found: Counts | None = None
        self._places: Int64[Tensor, "places classes"] | None = None

    def add(self, scores: Tensor, labels: Tensor) -> None:
        """One batch: scores [batch, *places, classes] and class numbers [batch, *places]; a negative one is none.

        Scores of more classes, or of other places than the numbers, are not counted.
        """
        if scores.shape[:-1] != labels.shape or scores.shape[-1] > MOST:
            return
        classes, truth = scores.shape[-1], labels.flatten(1) if labels.dim() > 1 else labels[:, None]
        told = scores.argmax(-1).reshape(truth.shape)
        there = truth >= 0
        pairs = (truth[there] * classes + told[there]).cpu()
        places = truth.shape[1]
        at = (torch.arange(places, device=truth.device).expand_as(truth)[there] * classes + truth[there]).cpu()
        found = torch.bincount(pairs, minlength=classes**2).view(classes, classes)
        of_places = torch.bincount(at, minlength=places * classes).view(places, classes)
        self._found = found if self._found is None else self._found + found
        self._places = of_places if self._places is None else self._places + of_places

    def told(self) -> Told | None:
        """The figures; None if no place had a class."""
        if self._found is None or self._places is None or not bool(self._found.any()):
            return None
        always = self._places.argmax(1)
        by_place = torch.zeros_like(self._found).index_add_(1, always, self._places.T.contiguous())
        mine, blind = segmentation.figures(self._found), segmentation.figures(by_place)
        return Told(mine.pixels, mine.miou, blind.pixels, blind.miou)


def ports(method: CompiledMethod) -> dict[str, tuple[str, str]]:
    """The tensors of scores and of class numbers of each loss of the training step that has both."""
    leg = method.sized.training
    found, losses = {}, {loss.name for loss in leg.leg.losses}
    for step in leg.steps:
        if step.kind == "call" and step.target in losses:
            scores, labels = method.graph.boxes[step.target].traits.classifies
            inputs = dict(step.inputs)
            if scores in inputs and labels in inputs:
                found[step.target] = (inputs[scores], inputs[labels])
    return found
