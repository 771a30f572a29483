"""Mixes each image with a partner of the batch, by a share that is drawn for the step (Un-Mix, i-Mix)."""

from typing import Annotated, Literal, NamedTuple

import torch
from jaxtyping import Float, Int64
from pydantic import Field
from torch import Tensor, nn

from sslgraph import collectives, draws
from sslgraph.component import component


class Mixed(NamedTuple):
    """The mixed images; the share of each image itself and of its partner; where in the global batch the partner is."""

    image: Float[Tensor, "batch channels rows columns"]
    share: Float[Tensor, ""]
    rest: Float[Tensor, ""]
    partner: Int64[Tensor, "batch"]


@component(source="arXiv:2003.05438, Algorithm 1; arXiv:2010.08887, equation 3", spans_batch=True)
class Mix(nn.Module):
    """image[i] = share * image[i] + (1 - share) * image[partner[i]],     share ~ uniform, once for a step

    Partners are images of the global batch, so the result is the same on any number of ranks; uniform on [0, 1] is the
    papers' Beta(1, 1). wiring.partners gives what partners have of another value. Images come as one view.

    Settings:
        partner: reversed, the last image for the first; permuted, by an order that is drawn for the step.
        share: the least and the greatest share.
    """

    def __init__(
        self,
        *,
        partner: Literal["reversed", "permuted"] = "reversed",
        share: tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]] = (0.0, 1.0),
    ) -> None:
        super().__init__()
        if share[0] > share[1]:
            raise ValueError(f"share is the least and the greatest, and {share[0]} is more than {share[1]}")
        self.partner = partner
        self.share = share

    def forward(self, image: Float[Tensor, "batch channels rows columns"], clock: Int64[Tensor, "3"]) -> Mixed:
        everything = collectives.gather(image)
        count, first = len(everything), len(image) * collectives.rank()
        order = torch.arange(count, device=image.device)
        if self.partner == "permuted":
            order = draws.permutation(draws.of_step(clock, "mix partners"), count)[0]
        partner = (order if self.partner == "permuted" else order.flip(0))[first : first + len(image)]
        share = draws.uniform(draws.of_step(clock, "mix share"), 1, *self.share)[0, 0].to(image.dtype)
        return Mixed(share * image + (1 - share) * everything[partner], share, 1 - share, partner)
