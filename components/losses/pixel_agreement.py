"""Pixel agreement (PixPro): cells of two crops that lie at the same place of the image point the same way."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph.component import component


@component(
    source="arXiv:2011.10043, equation 5, with the factor 2 of the authors' code",
    kind="cosine distance",
    agrees=("y", "k"),
)
class PixelAgreement(nn.Module):
    """Minus twice the mean cosine over pairs of cells.

        loss = mean over images of  -2 sum_{i, j} where[i, j] cos(y[i], k[j]) / sum_{i, j} where[i, j]

    i runs over the cells of y and j over those of k, row by row. An image whose crops do not overlap adds 0 and stays
    in the mean. From -2 (agreement) to 2.
    """

    def forward(
        self,
        y: Float[Tensor, "batch dim rows columns"],
        k: Float[Tensor, "batch dim rows_k columns_k"],
        where: Shaped[Tensor, "batch cells cells_k"],
    ) -> Float[Tensor, ""]:
        cosine = normalize(y.flatten(2), dim=1).transpose(1, 2) @ normalize(k.flatten(2), dim=1)
        weights = where.to(cosine.dtype)
        agreement = (weights * cosine).sum((1, 2)) / weights.sum((1, 2)).clamp_min(1e-6)
        return -2 * agreement.mean()

    def landmarks(
        self,
        y: Float[Tensor, "batch dim rows columns"],
        k: Float[Tensor, "batch dim rows_k columns_k"],
        where: Shaped[Tensor, "batch cells cells_k"],
    ) -> dict[str, float]:
        """Unrelated cells cost 0; equal cells everywhere reach the best value, -2."""
        return {"chance": 0.0, "collapsed": -2.0}
