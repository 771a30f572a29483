"""Sinkhorn over all rows together, whichever view or place they are of (the targets of DINOv2)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import Count, PositiveScalar


@component(
    source="arXiv:2304.07193, section 4 (Sinkhorn-Knopp centering); arXiv:2006.09882, appendix A",
    title="Sinkhorn",
    role="codes",
    detached=("scores",),
    float32=True,
    spans_batch=True,
    sane={"epsilon": (0.01, 0.2)},
)
class JointSinkhorn(nn.Module):
    """Assigns rows to prototypes under equal shares, over the rows of all views and ranks.

    As assignments.sinkhorn: starting from exp(scores / epsilon), each prototype's column is divided by its sum over
    rows, then each row by its sum over prototypes. Ranks may hold different numbers of rows, even none.

    Settings:
        epsilon: smoothness, a temperature; towards 0 the codes become hard, no unit.
        iterations: rounds of both divisions.
    """

    def __init__(self, *, epsilon: PositiveScalar = 0.05, iterations: Count = 3) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.iterations = iterations

    def forward(self, scores: Float[Tensor, "rows prototypes"]) -> Float[Tensor, "rows prototypes"]:
        logs = scores.detach() / self.epsilon
        for _ in range(self.iterations):
            logs = logs - collectives.gather(logs.logsumexp(0)[None]).logsumexp(0)
            logs = logs - logs.logsumexp(1, keepdim=True)
        return logs.exp()
