"""Multiplies two values number by number, or an image, tokens or rows by a weight for each place (ADIOS's masks)."""

from jaxtyping import Shaped
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition")
class Product(nn.Module):
    """out = one * other.

    `other` has the shape of `one`, or one number for each of its places, which all features of the place are multiplied
    by: [batch, rows, columns] for a map or image [batch, dim, rows, columns], [batch, places] for tokens, [batch] for
    anything. An axis of 1 for the features is a number, too. Truth values count as 0 and 1; two of them give truth
    values.
    """

    def forward(
        self, one: Shaped[Tensor, "batch *shape"], other: Shaped[Tensor, "batch *places"]
    ) -> Shaped[Tensor, "batch *shape"]:
        return one * _as_wide(other, one)


def _as_wide(weights: Tensor, like: Tensor) -> Tensor:
    if weights.shape == like.shape:
        return weights
    if like.dim() == 4 and weights.shape == (len(like), *like.shape[2:]):
        return weights[:, None]
    if like.dim() == 4 and weights.shape == (len(like), 1, *like.shape[2:]):
        return weights
    places = weights[..., 0] if weights.dim() > 1 and weights.shape[-1] == 1 else weights
    if like.dim() == 4 and places.shape == (len(like), *like.shape[2:]):
        return places[:, None]
    if places.shape != like.shape[: places.dim()] or (like.dim() == 4 and places.dim() > 1):
        raise ValueError(
            f"one of shape {tuple(like.shape)} can't be multiplied by other of shape {tuple(weights.shape)}: other has "
            "that shape, or one number for each place, without the features"
        )
    return places.reshape(*places.shape, *[1] * (like.dim() - places.dim()))
