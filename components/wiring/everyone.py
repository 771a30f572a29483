"""The rows of all ranks: each image of one rank is then compared with the whole batch."""

from jaxtyping import Shaped
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component


@component(source="definition", rows="same", spans_batch=True)
class Everyone(nn.Module):
    """The rows of all ranks, in rank order; the gradient returns to the rank that each row came from.

    With wiring.similarity it gives the scores of each image against all images of the batch, on any number of ranks,
    and with wiring.same_index, of numbers of samples or classes, the pairs that belong together.
    """

    def forward(self, rows: Shaped[Tensor, "batch *shape"]) -> Shaped[Tensor, "everyone *shape"]:
        return collectives.gather_with_gradient(rows)
