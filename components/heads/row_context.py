"""Row context: what the rows of a grid down to this one say, by masked convolutions (CPC)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from sslgraph.component import component, filled
from sslgraph.ranges import Count


@component(source="arXiv:1905.09272, appendix A.2 (the context network)")
class RowContext(nn.Module):
    """Residual steps: 1 x 1 to `width`, ReLU, 1 x 3, then 2 x 1 over this row and the one above, ReLU, 1 x 1 back.

    At the end comes a ReLU. A place sees all columns near it, but no row below its own; there is no norm that could
    tell it of them.

    Settings:
        steps: residual steps; each looks one row further up and one column further to both sides.
        width: channels inside a step.
        dim: features of a place; filled from what arrives.
    """

    def __init__(self, *, steps: Count = 5, width: Count = 256, dim: Count | None = None) -> None:
        super().__init__()
        dim = filled(dim, "dim")
        self.steps = nn.ModuleList(_Step(dim, width) for _ in range(steps))

    def forward(
        self, grid: Float[Tensor, "batch grid_rows grid_columns dim"]
    ) -> Float[Tensor, "batch grid_rows grid_columns dim"]:
        places = grid.movedim(-1, 1)
        for step in self.steps:
            places = places + step(places)
        return relu(places).movedim(1, -1)


class _Step(nn.Module):
    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(dim, width, 1)
        self.across = nn.Conv2d(width, width, (1, 3), padding=(0, 1))
        self.down = nn.Conv2d(width, width, (2, 1))
        self.wide = nn.Conv2d(width, dim, 1)

    def forward(self, places: Tensor) -> Tensor:
        beside = self.across(relu(self.narrow(places)))
        return self.wide(relu(self.down(pad(beside, (0, 0, 1, 0)))))  # type: ignore[no-any-return]
