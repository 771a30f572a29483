"""SIGReg: seen from any direction, features are to be spread as a standard normal variable (LeJEPA)."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph import collectives, draws
from sslgraph.component import component
from sslgraph.ranges import Count, Positive, Several


@component(
    source="arXiv:2511.08544, Algorithm 1 and equation 7; rbalestr-lab/lejepa, MINIMAL.md",
    title="SIGReg",
    kind="distance to a normal law",
    repels="features",
    idea="isotropic Gaussian features",
    spans_batch=True,
    sane={"directions": (64, 4096)},
)
class SIGReg(nn.Module):
    """The Epps-Pulley statistic of features along random directions a of unit length, in a mean over these and views.

        loss = mean_a  images * integral over t of |mean_i exp(i t a.z[i]) - exp(-t^2 / 2)|^2 exp(-t^2 / 2)

    The directions are drawn anew in each step. The inner mean runs over the images of all ranks before it is squared.
    The integral goes from -reach to reach, by the trapezoid rule on `knots` points from 0 to reach, twice.

    Settings:
        directions: how many random directions.
        knots: points of the integral, 0 and reach among them.
        reach: where the integral ends; the paper's listing takes 5, the authors' minimal code 3.
    """

    def __init__(self, *, directions: Count = 256, knots: Several = 17, reach: Positive = 3.0) -> None:
        super().__init__()
        self.directions, self.knots, self.reach = directions, knots, reach

    def forward(self, features: Float[Tensor, "views batch dim"], clock: Int64[Tensor, "3"]) -> Float[Tensor, ""]:
        row = torch.cat([clock, torch.full_like(clock[:1], draws.stream_of("sigreg directions"))])[None]
        drawn = draws.normal(row, features.shape[-1] * self.directions).float().to(features.dtype)
        along = drawn.view(features.shape[-1], self.directions)
        t = torch.linspace(0, self.reach, self.knots, dtype=features.dtype, device=features.device)
        angle = (features @ (along / along.norm(dim=0)))[..., None] * t  # views, batch, directions, knots
        ranks = collectives.ranks()
        real, imaginary = (
            collectives.all_sum_with_gradient(wave.mean(1)) / ranks for wave in (angle.cos(), angle.sin())
        )
        normal = (-t.square() / 2).exp()
        apart = ((real - normal).square() + imaginary.square()) * normal
        return (2 * torch.trapezoid(apart, t, dim=-1)).mean() * features.shape[1] * ranks

    def landmarks(self, features: Float[Tensor, "views batch dim"], clock: Int64[Tensor, "3"]) -> dict[str, float]:
        """Features that all are 0: the statistic is that of one point for every image."""
        t = torch.linspace(0, self.reach, self.knots, dtype=torch.float64, device="cpu")
        normal = (-t.square() / 2).exp()
        one = 2 * torch.trapezoid((1 - normal).square() * normal, t)
        return {"collapsed": float(one) * features.shape[1] * collectives.ranks()}
