"""Rows between the rows of an image or beyond them, drawn at random: synthetic hard negatives (MoCHi, SynCo)."""

from typing import Annotated

import torch
from jaxtyping import Float, Int64
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph import draws
from sslgraph.component import component
from sslgraph.ranges import Count


@component(
    source="arXiv:2010.01028, equations 3 and 4; below 0: arXiv:2410.02401, section 3.2",
    title="mixed rows",
    detached=("rows", "anchor"),
)
class MixedRows(nn.Module):
    """out = unit(share * one + (1 - share) * other),   share ~ uniform, for each row that is made

    One and other are rows of the image, drawn with replacement. With the port `anchor` (the query) it is the one, and
    a share below 1/2 keeps its part the smaller one. A share below 0 leads away from the one, beyond the other: SynCo's
    anchor + b (other - anchor) with b in [1, 1.5] is [-0.5, 0]. One above 1 leads beyond the one.

    Settings:
        count: rows made for each image.
        share: the least and the greatest share of the one, from -1 to 2.
    """

    def __init__(
        self,
        *,
        count: Count,
        share: tuple[Annotated[float, Field(ge=-1, le=2)], Annotated[float, Field(ge=-1, le=2)]] = (1e-6, 1.0),
    ) -> None:
        super().__init__()
        if share[0] > share[1]:
            raise ValueError(f"share goes from {share[0]:g} to {share[1]:g}; write the smaller one first")
        self.count = count
        self.share = share

    @torch.no_grad()
    def forward(
        self,
        rows: Float[Tensor, "batch kept dim"],
        draw: Int64[Tensor, "batch 4"],
        anchor: Float[Tensor, "batch dim"] | None = None,
    ) -> Float[Tensor, "batch count dim"]:
        ones, others = (
            rows.gather(1, picked[..., None].expand(-1, -1, rows.shape[2]))
            for picked in (draws.integers(draws.substream(draw, n), self.count, rows.shape[1]) for n in (0, 1))
        )
        share = draws.uniform(draws.substream(draw, 2), self.count, *self.share)[..., None].to(rows.dtype)
        return normalize(share * (ones if anchor is None else anchor[:, None]) + (1 - share) * others, dim=2)
