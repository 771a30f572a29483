"""InfoNCE by rows: what is seen down to a row of an image finds the rows further below (CPC)."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import Count, Whole


@component(
    source="arXiv:1807.03748, equation 4; arXiv:1905.09272, appendix A.2",
    title="InfoNCE by rows",
    kind="contrastive cross-entropy",
    agrees=("predictions", "targets"),
    repels="samples",
    rows="raw",
    spans_batch=True,
)
class RowInfoNCE(nn.Module):
    """For each step k the prediction k at (row, column) is to find the target at (row + skip + k, column).

        loss = mean over steps, rows, columns, images of  -log softmax(prediction_k . targets)[its own]

    The choices are the targets at all places of all images on all ranks. Predictions of one place stand side by side,
    step 1 first. With `skip` rows between, patches that overlap by less than that share no pixel with what was seen.

    Settings:
        steps: rows that are predicted.
        skip: rows left out below the place itself.
    """

    def __init__(self, *, steps: Count = 3, skip: Whole = 1) -> None:
        super().__init__()
        self.steps = steps
        self.skip = skip

    def forward(
        self,
        predictions: Float[Tensor, "batch grid_rows grid_columns joined"],
        targets: Float[Tensor, "batch grid_rows grid_columns dim"],
    ) -> Float[Tensor, ""]:
        batch, rows, columns, dim = targets.shape
        if rows <= self.skip + self.steps:
            raise ValueError(
                f"a grid of {rows} rows has no row {self.skip + self.steps} below its first; lower steps or skip"
            )
        if predictions.shape[3] != self.steps * dim:
            raise ValueError(
                f"{self.steps} steps of {dim} features are {self.steps * dim}, and predictions have "
                f"{predictions.shape[3]}; set the width of the net that predicts"
            )
        choices = collectives.gather_with_gradient(targets).flatten(0, 2)
        place = torch.arange(batch * rows * columns, device=targets.device).view(batch, rows, columns)
        place = place + len(place.flatten()) * collectives.rank()
        costs = []
        for step, predicted in enumerate(predictions.split(dim, 3), 1):
            below = self.skip + step
            scores = predicted[:, :-below].flatten(0, 2) @ choices.T
            costs.append(cross_entropy(scores, place[:, below:].flatten(), reduction="none"))
        return torch.cat(costs).mean()

    def landmarks(
        self,
        predictions: Float[Tensor, "batch grid_rows grid_columns joined"],
        targets: Float[Tensor, "batch grid_rows grid_columns dim"],
    ) -> dict[str, float]:
        """The log of the number of choices, when guessing and when all targets are one."""
        value = math.log(targets.shape[0] * targets.shape[1] * targets.shape[2] * collectives.ranks())
        return {"chance": value, "collapsed": value}
