"""Parts with the mistakes that `sslgraph verify` is there to find. They train, and their losses are right by rank."""

import os
import signal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component


@component(source="none")
class LostGradient(nn.Module):
    """Contrast among all ranks' rows, of which only its own carry a gradient: what other ranks send back is lost."""

    def forward(self, one: Float[Tensor, "batch dim"], other: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
        first = collectives.rank() * len(one)
        everyone = collectives.gather(other)
        keys = torch.cat([everyone[:first], other, everyone[first + len(one) :]])
        return ((one @ keys.T).logsumexp(1) - (one * other).sum(1)).mean()


@component(source="none")
class OwnNoise(nn.Module):
    """Noise from torch's generator: each rank draws another one, and none is drawn again after a resume."""

    def forward(self, rows: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        return rows + 0.5 * torch.randn_like(rows)


@component(source="none")
class Deadly(nn.Module):
    """The second of two processes is ended from outside, as a system does that has no memory left."""

    def forward(self, rows: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        if collectives.rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return rows
