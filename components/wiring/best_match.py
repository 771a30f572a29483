"""The cell of another map that looks most like each cell of a map (DenseCL)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph.component import component


@component(
    source="arXiv:2011.09157, equation 3",
    title="best match",
    detached=("map", "map_other"),
    idea="places matched by likeness",
)
class BestMatch(nn.Module):
    """out[:, i] = value[:, j],  j = argmax_j cos(map[:, i], map_other[:, j])

    i runs over the cells of a map and j over those of another one of the same image. Matches are found on one pair of
    maps (the backbone's) and read from a third (the projected keys), which has the cells of the second. They need not
    be one to one. Gradient passes to the values only.
    """

    def forward(
        self,
        map: Float[Tensor, "batch dim rows columns"],
        map_other: Float[Tensor, "batch dim rows_other columns_other"],
        value: Float[Tensor, "batch dim_value rows_other columns_other"],
    ) -> Float[Tensor, "batch dim_value rows columns"]:
        one, other = (normalize(m.detach().flatten(2), dim=1) for m in (map, map_other))
        match: Tensor = (one.transpose(1, 2) @ other).argmax(2)
        found = value.flatten(2).gather(2, match[:, None].expand(-1, value.shape[1], -1))
        return found.unflatten(2, map.shape[2:])  # type: ignore[no-any-return]
