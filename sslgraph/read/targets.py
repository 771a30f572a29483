"""Copies of nets in a text: moving averages, and snapshots that stand still between their steps. Imports no torch."""
# ruff: noqa: RUF012 - pydantic copies the defaults of a model

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic import ValidationInfo as Info

from sslgraph.read.values import Length, Momentum, Pause, Text


class Average(Text):
    """A copy of a net that follows it by exponential moving average and never receives a gradient."""

    ema_of: str
    momentum: Momentum
    init: Literal["copy", "independent"] = "copy"
    mode: Literal["train", "eval"] | None = None
    dtype: Literal["float32"] | None = None
    settings: dict[str, Any] = {}  # overrides of the followed net's settings, such as drop_path: 0

    @property
    def follows(self) -> str:
        """The net whose weights it takes."""
        return self.ema_of


class Snapshot(Text):
    """A copy of a net, or of its moving average, as it was at a certain step: taken anew now and then."""

    snapshot_of: str
    every: Pause | None = None
    start: Length | None = Field(default=None, alias="from")  # when it is taken first; else after `every`
    at_most: int | None = Field(default=None, ge=1)  # how often it is taken
    mode: Literal["train", "eval"] | None = None
    dtype: Literal["float32"] | None = None
    settings: dict[str, Any] = {}

    @property
    def follows(self) -> str:
        """The net or target whose weights it takes."""
        return self.snapshot_of

    @property
    def when(self) -> str:
        """In words: "every 10000 steps from 5 epochs, at most 3"."""
        times = f"every {self.every}{f' from {self.start}' if self.start else ''}" if self.every else f"at {self.start}"
        return f"{times}, at most {self.at_most}" if self.at_most and self.every else times

    @model_validator(mode="after")
    def _is_taken(self) -> Snapshot:
        if self.every is None and self.start is None:
            raise ValueError("says neither every: nor from:, so it would never be taken; write every: 10000 steps")
        if self.every is None and self.at_most not in (None, 1):
            raise ValueError(f"at_most: {self.at_most} needs every:, the time between two of them")
        return self


def kind_of_target(value: Any, info: Info) -> Average | Snapshot:
    """Reads a target as what its keys say it is."""
    kind = Snapshot if isinstance(value, dict) and "snapshot_of" in value else Average
    return value if isinstance(value, Average | Snapshot) else kind.model_validate(value, context=info.context)


Target = Average | Snapshot
