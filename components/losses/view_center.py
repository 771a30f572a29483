"""Distance to the centre: all views of an image are to meet where the first of them do on average (LeJEPA)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Count


@component(source="arXiv:2511.08544, equation 8 and Algorithm 2", title="view centre", kind="regression")
class ViewCenter(nn.Module):
    """loss = mean over views v, images and numbers of (z[v] - mean_{u < first} z[u])^2

    The gradient passes the mean, too. A constant output is its best, so another loss must keep features apart.

    Settings:
        first: views that make the mean, such as the global crops; left out, all of them.
    """

    def __init__(self, *, first: Count | None = None) -> None:
        super().__init__()
        self.first = first

    def forward(self, features: Float[Tensor, "views batch dim"]) -> Float[Tensor, ""]:
        if self.first is not None and self.first > len(features):
            raise ValueError(f"the first {self.first} views make the centre, and there are {len(features)}; set first")
        if len(features) < 2:
            raise ValueError("a single view is its own centre; give a bag of several views")
        return (features - features[: self.first].mean(0)).square().mean()
