"""InfoNCE (MoCo): a query finds its own key among the keys of other images."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import PositiveScalar


@component(
    source="arXiv:1911.05722, equation 1; arXiv:2104.02057, Algorithm 1, for keys of the batch; "
    "arXiv:2010.01028, section 4, for own negatives; arXiv:2103.10957, section 3, for where",
    kind="contrastive cross-entropy",
    agrees=("query", "key"),
    repels="samples",
    rows="unit",
    spans_batch=True,
    unless="negatives",
    weighed_by="where",
    sane={"temperature": (0.03, 1.0)},
    remedies={
        "collapse": "lower the temperature or the learning rate, and normalise what is compared "
        "(arXiv:2002.05709, table 5)"
    },
)
class InfoNCE(nn.Module):
    """Contrast of each query with its key against negatives.

    With q, k and n of unit length:

        loss = mean over the batch of  -log( e(k) / (e(k) + sum_n e(n)) ),     e(x) = exp(q.x / temperature)

    Without the port `negatives` (MoCo v3) they are the keys of the other images on all ranks; MoCo v3's factor of twice
    the temperature is then the loss's weight. Rows of the port `own_negatives` are further n, for their query alone.
    With `where` the mean is over the rows that count, on all ranks, and a key that does not count is no n either.

    Settings:
        temperature: divides the similarities, no unit.
    """

    def __init__(self, *, temperature: PositiveScalar = 0.2) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(
        self,
        query: Float[Tensor, "batch dim"],
        key: Float[Tensor, "batch dim"],
        negatives: Float[Tensor, "size dim"] | None = None,
        own_negatives: Float[Tensor, "batch own dim"] | None = None,
        where: Shaped[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, ""]:
        positive = (query * key).sum(1)
        if negatives is None:
            choices = query @ collectives.gather_with_gradient(key).T / self.temperature
            if where is not None:
                choices = choices.masked_fill(collectives.gather(where) == 0, torch.finfo(choices.dtype).min)
        else:
            choices = torch.cat([positive[:, None], query @ negatives.T], 1) / self.temperature
        if own_negatives is not None:
            choices = torch.cat([choices, (own_negatives @ query[:, :, None])[..., 0] / self.temperature], 1)
        costs = choices.logsumexp(1) - positive / self.temperature
        return collectives.mean_where(costs, where)

    def landmarks(
        self,
        query: Float[Tensor, "batch dim"],
        key: Float[Tensor, "batch dim"],
        negatives: Float[Tensor, "size dim"] | None = None,
        own_negatives: Float[Tensor, "batch own dim"] | None = None,
        where: Shaped[Tensor, "batch"] | None = None,
    ) -> dict[str, float]:
        """Chance, and equally the value when all queries and keys are one: the log of the number of choices.

        Nothing where only some keys of the batch count, for how many is not known from shapes.
        """
        if where is not None and negatives is None:
            return {}
        choices = len(query) * collectives.ranks() if negatives is None else 1 + len(negatives)
        choices += 0 if own_negatives is None else own_negatives.shape[1]
        return {"chance": math.log(choices), "collapsed": math.log(choices)}

    def monitors(
        self,
        query: Float[Tensor, "batch dim"],
        key: Float[Tensor, "batch dim"],
        negatives: Float[Tensor, "size dim"] | None = None,
        own_negatives: Float[Tensor, "batch own dim"] | None = None,
        where: Shaped[Tensor, "batch"] | None = None,
    ) -> dict[str, Tensor]:
        """How far the choices of a query lie apart, over the temperature: 0, all are alike."""
        others = key if negatives is None else negatives
        return {"choice_spread": (query.float() @ others.float().T / self.temperature).std(1).mean()}
