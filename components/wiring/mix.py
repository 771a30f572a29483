"""Mixes each image with a partner of the batch, by a share that is drawn for the step (Un-Mix, i-Mix, CutMix)."""

from typing import Annotated, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Float64, Int64
from pydantic import Field
from torch import Tensor, nn

from sslgraph import collectives, draws
from sslgraph.component import component
from sslgraph.ranges import Share, SomeShare

TRIES = 64  # pairs of numbers of which each makes one of Beta by a chance of a half or more


class Mixed(NamedTuple):
    """The mixed images; the share of each image itself and of its partner; where in the global batch the partner is."""

    image: Float[Tensor, "batch channels rows columns"]
    share: Float[Tensor, ""]
    rest: Float[Tensor, ""]
    partner: Int64[Tensor, "batch"]


@component(
    source="arXiv:2003.05438, Algorithm 1; arXiv:2010.08887, equation 3; arXiv:1905.04899, equation 1, for boxes",
    spans_batch=True,
    idea="mixtures of images",
)
class Mix(nn.Module):
    """image[i] = share * image[i] + (1 - share) * image[partner[i]],     share ~ Beta(beta, beta), once for a step

    Partners are images of the global batch, so the result is the same on any number of ranks. wiring.partners gives
    what partners have of another value. Images come as one view.

    With chance `paste` a box of the partner is laid over the image instead, at the same place in all images: its sides
    are sqrt(1 - u) of the image's, u ~ Beta(1, 1), around a uniform centre, cut off at the border. The share is then
    that of the pixels that are left.

    Settings:
        partner: reversed, the last image for the first; permuted, by an order that is drawn for the step.
        share: the least and the greatest share where images are blended; Beta is stretched over them.
        beta: both parameters of Beta; 1 is uniform (Un-Mix), MAE's fine-tuning has 0.8.
        paste: chance of a box instead of a blend.
    """

    def __init__(
        self,
        *,
        partner: Literal["reversed", "permuted"] = "reversed",
        share: tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]] = (0.0, 1.0),
        beta: SomeShare = 1.0,
        paste: Share = 0.0,
    ) -> None:
        super().__init__()
        if share[0] > share[1]:
            raise ValueError(f"share is the least and the greatest, and {share[0]} is more than {share[1]}")
        self.partner = partner
        self.share = share
        self.beta = beta
        self.paste = paste

    def forward(self, image: Float[Tensor, "batch channels rows columns"], clock: Int64[Tensor, "3"]) -> Mixed:
        everything = collectives.gather(image)
        count, first = len(everything), len(image) * collectives.rank()
        order = torch.arange(count, device=image.device)
        if self.partner == "permuted":
            order = draws.permutation(draws.of_step(clock, "mix partners"), count)[0]
        partner = (order if self.partner == "permuted" else order.flip(0))[first : first + len(image)]
        share, others = self._share(clock).to(image.dtype), everything[partner]
        mixed = share * image + (1 - share) * others
        if self.paste:
            box = self._box(clock, *image.shape[2:])
            is_pasted = draws.uniform(draws.of_step(clock, "mix paste"), 1)[0, 0] < self.paste
            mixed = torch.where(is_pasted, torch.where(box, others, image), mixed)
            share = torch.where(is_pasted, 1 - box.to(image.dtype).mean(), share)
        return Mixed(mixed, share, 1 - share, partner)

    def _share(self, clock: Int64[Tensor, "3"]) -> Float64[Tensor, ""]:
        """The share of a blend. Beta by Johnk: x / (x + y) of the first x = u^(1 / b), y = v^(1 / b) with sum <= 1."""
        low, high = self.share
        row = draws.of_step(clock, "mix share")
        if self.beta == 1:
            return draws.uniform(row, 1, low, high)[0, 0]
        x, y = (draws.uniform(row, 2 * TRIES)[0] ** (1 / self.beta)).chunk(2)
        first = ((x + y <= 1) & (x + y > 0)).int().argmax()
        return low + (high - low) * x[first] / (x[first] + y[first])

    def _box(self, clock: Int64[Tensor, "3"], rows: int, columns: int) -> Bool[Tensor, "rows columns"]:
        """Where the partner's box lies."""
        numbers = draws.uniform(draws.of_step(clock, "mix box"), 3)[0]
        inside = []
        for side, centre in ((rows, numbers[1]), (columns, numbers[2])):
            long, middle = ((1 - numbers[0]).sqrt() * side).long(), (centre * side).long()
            at = torch.arange(side, device=clock.device)
            inside.append((at >= middle - long // 2) & (at < middle + (long + 1) // 2))
        return inside[0][:, None] & inside[1]
