"""Pixel contrast (PixContrast): a cell finds the cells of another crop that lie at its place among all of that crop."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import PositiveScalar


@component(
    source="arXiv:2011.10043, equation 2",
    kind="contrastive cross-entropy",
    agrees=("y", "k"),
    repels="samples",
    idea="negative places",
    sane={"temperature": (0.03, 1.0)},
)
class PixelContrast(nn.Module):
    """Cross-entropy over the cells of one other crop of the image; the cells at the same place count together.

        loss = mean over cells i that have a pair of
               -log( sum_j where[i, j] e(i, j) / sum_j e(i, j) ),     e(i, j) = exp(cos(y[i], k[j]) / temperature)

    i runs over the cells of y and j over those of k, row by row. The mean is taken in an image, and then over the
    images of all ranks whose crops overlap. 0 if none do.

    Settings:
        temperature: divides the cosines, no unit.
    """

    def __init__(self, *, temperature: PositiveScalar = 0.3) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(
        self,
        y: Float[Tensor, "batch dim rows columns"],
        k: Float[Tensor, "batch dim rows_k columns_k"],
        where: Shaped[Tensor, "batch cells cells_k"],
    ) -> Float[Tensor, ""]:
        cosine = normalize(y.flatten(2), dim=1).transpose(1, 2) @ normalize(k.flatten(2), dim=1)
        scores, pairs = cosine / self.temperature, where.bool()
        has_pair = pairs.any(2)
        # A cell without a pair keeps all of its scores here, so that no infinity enters; it weighs nothing.
        kept = scores.masked_fill(~pairs & has_pair[:, :, None], -math.inf)
        costs = (scores.logsumexp(2) - kept.logsumexp(2)) * has_pair
        of_image = costs.sum(1) / has_pair.sum(1).clamp_min(1)
        overlapping = collectives.all_sum(has_pair.any(1).sum().to(costs.dtype)) / collectives.ranks()
        return of_image.sum() / overlapping.clamp_min(1e-6)

    def landmarks(
        self,
        y: Float[Tensor, "batch dim rows columns"],
        k: Float[Tensor, "batch dim rows_k columns_k"],
        where: Shaped[Tensor, "batch cells cells_k"],
    ) -> dict[str, float]:
        """Cells that are all alike, with one pair each: the log of the number of cells."""
        cells = math.log(where.shape[2])
        return {"chance": cells, "collapsed": cells}
