"""Which samples a step touches: one probability for all, or one for each copy of a bag."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

COLOURS = 3  # channels: red, green, blue


def chosen(word: Int64[Tensor, "rows"], p: float | list[float]) -> Bool[Tensor, "rows"]:
    """True with probability `p` for a uniform 32-bit word, by whole numbers only.

    A list has one probability for each copy of a bag, whose rows stand copy-major.
    """
    chances = p if isinstance(p, list) else [p]
    if len(word) % len(chances):
        raise ValueError(f"p lists {len(chances)} probabilities, one a copy, and {len(word)} rows are no such bag")
    thresholds = torch.tensor([round(chance * 2**32) for chance in chances], device=word.device)
    return word < thresholds.repeat_interleave(len(word) // len(chances))


def checked(p: float | list[float]) -> float | list[float]:
    """The same, or a ValueError if it is no probability."""
    if any(not 0 <= chance <= 1 for chance in (p if isinstance(p, list) else [p])):
        raise ValueError(f"p is a probability between 0 and 1, or a list with one for each copy, not {p}")
    return p


def only_colours(channels: int, p: float | list[float]) -> None:
    """A ValueError where a step that knows red, green and blue alone would change other images."""
    if channels != COLOURS and max(p if isinstance(p, list) else [p]) > 0:
        raise ValueError(
            f"it changes red, green and blue, and the images have {channels} channels (data.channels); "
            "write p: 0 to leave it out"
        )
