"""`do: losses`: an earlier training's own losses on test images, and how many nats below chance they lie; of class
numbers that are told, how many are right.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ...evaluate.held_out import held_out
from .work import Work


def stage(work: Work) -> dict[str, Any]:
    """Measures the losses."""
    found = held_out(work.inputs["of"], plugins=work.plugins)
    told = {name: one.told for name, one in found.items() if one.told is not None}
    return {
        **{f"{figure}.{name}": value for name, one in told.items() for figure, value in asdict(one).items()},
        "loss": {name: one.loss for name, one in found.items()},
        "bound": {name: one.bound for name, one in found.items() if one.bound is not None},
    }
