"""From a recipe to a run that is ready to go."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .run import Run


@dataclass(frozen=True)
class Config:
    """What a run is asked for, in plain values that travel between processes."""

    recipe: str                                      # a name or a file
    overrides: Mapping[str, Any] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()
    out: str | None = None                           # the run folder; default runs/<recipe>-<time>
    local_rank: int = 0                              # which of its machine's processes this one is
    processes: int = 1                               # how many of them there are


def settled(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The same request with an absolute run folder, after all checks that need no image and no device."""
    config = Config(**cfg)
    folder = Path(config.out or f"runs/{config.recipe.replace('/', '-')}-{time.strftime('%Y%m%d-%H%M%S')}")
    return {**asdict(config), "out": str(folder.resolve())}


def prepare(cfg: Mapping[str, Any]) -> Run:
    raise NotImplementedError
