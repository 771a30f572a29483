"""Augmentation steps that are parts from elsewhere: modules that take images, and `draw` if they draw."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sslgraph.draws import Draw
from sslgraph.errors import SslgraphError, refusal
from sslgraph.parts.signature import Signature

Images = Float[Tensor, "batch channels height width"]


class ModuleStep:
    """A step of colour around a module; its random numbers come from `draw`, as those of every step."""

    def __init__(self, part: Any, signature: Signature) -> None:
        ports = [name for name in signature.inputs if name != "draw"]
        if len(ports) != 1:
            problem = f"{signature.use} takes {', '.join(ports) or 'no tensor'}, and a step takes the images alone"
            raise refusal(("use",), problem, "write forward(self, images), or forward(self, images, draw)")
        self.part, self.use, self.draws = part, signature.use, "draw" in signature.inputs
        self.part.eval()

    def plan(self, draw: Draw) -> tuple[Tensor, ...]:
        """What the module draws from, if it draws."""
        return (draw,) if self.draws else ()

    @torch.no_grad()
    def __call__(self, images: Images, *draw: Tensor) -> Images:
        """The images that the module makes; SslgraphError if they have another shape."""
        made = self.part(images, *draw)
        if not isinstance(made, Tensor) or made.shape != images.shape:
            given = list(made.shape) if isinstance(made, Tensor) else type(made).__name__
            raise SslgraphError(f"the step {self.use} makes {given} of images {list(images.shape)}; keep their shape")
        return made.to(images.dtype)
