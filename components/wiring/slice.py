"""Some places of tokens, in a row: without the first, without the last (AIM's patches and the ones that follow)."""

from jaxtyping import Shaped
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition; arXiv:2401.08541, equation 1", title="places", cuts="tokens")
class Slice(nn.Module):
    """out = tokens[:, start:stop],   as Python counts: below 0 from the end, and `stop` itself is left out

    Settings:
        start: the first place that is kept; 1 leaves the first out.
        stop: the place before which it ends; -1 leaves the last out; without it, all the rest.
    """

    def __init__(self, *, start: int = 0, stop: int | None = None) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, tokens: Shaped[Tensor, "batch places *shape"]) -> Shaped[Tensor, "batch kept *shape"]:
        kept = tokens[:, self.start : self.stop]
        if not kept.shape[1]:
            end = "" if self.stop is None else self.stop
            raise ValueError(f"[{self.start}:{end}] of {tokens.shape[1]} places is none; change start or stop")
        return kept
