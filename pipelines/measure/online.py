"""Nearest neighbours during a run: the encoder on images that it is not trained on, beside the baselines.

An accuracy alone says little: on small data a network with random weights, and even bare pixels, are far above chance.
Both are measured once, before the first step, and stand beside the number ever after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from sslgraph import draws
from sslgraph.errors import SslgraphError
from sslgraph.read.spec import Data
from sslgraph.schedules import Clock, duration
from sslgraph.views.views import ViewProgram, pixel_view

from ..feed.feed import Source, has_labels
from ..feed.open_source import images_of
from ..feed.portion import portion
from .features import Features, extract
from .knn import knn

CHOOSING = "knn_train"  # what `best: knn` chooses by


@dataclass(frozen=True)
class Setting:
    """The `evaluate: {knn: ...}` of a recipe.

    Settings:
        every: how often, as "5 epochs"; once, at the end, if left out.
        k, temperature: the vote's, no unit.
        bank, queries: at most so many images of the train and of the test split, as many of each class as there are.
        size: side of the fixed view, pixels; that of the first training view if left out.
    """

    every: str | None = None
    k: int = 20
    temperature: float = 0.07
    bank: int = 20_000
    queries: int = 2_000
    size: int | None = None

    def steps(self, clock: Clock) -> int:
        """How many optimizer steps lie between two evaluations; 0 for never but at the end."""
        return max(1, round(duration(self.every).steps(clock))) if self.every else 0


def setting(evaluate: Mapping[str, Any]) -> Setting | None:
    """Reads the mapping; None if the recipe asks for no nearest neighbours during training."""
    if "knn" not in evaluate:
        return None
    return Setting(**(evaluate["knn"] or {}))


class NoLabelsError(SslgraphError):
    """There is nothing to compare neighbours by."""


class OnlineKnn:
    """Measures an encoder by the labels of nearest neighbours: banks come from the train split, queries from test."""

    def __init__(
        self, setting: Setting, data: Data, view: ViewProgram, *, device: torch.device, precision: torch.dtype,
        plugins: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.setting, self.view, self.device, self.precision = setting, view, device, precision
        self.bank = _part_of(data, "train", setting.bank, plugins)
        self.queries = _part_of(data, "test", setting.queries, plugins)
        for source, which in ((self.bank, "training"), (self.queries, "held-out")):
            if not has_labels(source):
                raise NoLabelsError(f"the {which} images have no labels: nearest neighbours are not measured")

    def __str__(self) -> str:
        return f"queries {portion(self.queries)}; bank {portion(self.bank)}"

    def measure(self, encoder: nn.Module) -> dict[str, float]:
        """The accuracy of the encoder as it is; and that of a tenth of the training images among the rest of them.

        The best checkpoint is chosen by the second, so that the first stays a fair measure of it.
        """
        bank, queries = (self._features(encoder, source, self.view) for source in (self.bank, self.queries))
        return {"knn": self._compared(bank, queries), **self._among_training(bank)}

    def baseline(self, encoder: nn.Module) -> dict[str, float]:
        """What the untrained encoder reaches, and what the pixels themselves do."""
        return {"knn_random_encoder": self._accuracy(encoder), "knn_pixels": self._accuracy(nn.Flatten(), pixel_view())}

    def _accuracy(self, encoder: nn.Module, view: ViewProgram | None = None) -> float:
        bank, queries = (self._features(encoder, source, view or self.view) for source in (self.bank, self.queries))
        return self._compared(bank, queries)

    def _compared(self, bank: Features, queries: Features) -> float:
        return knn(bank, queries, k=self.setting.k, temperature=self.setting.temperature).accuracy

    def _among_training(self, bank: Features) -> dict[str, float]:
        assert bank.labels is not None
        rows = torch.nonzero(bank.labels >= 0)[:, 0]
        if len(rows) < 2:
            return {}
        is_asked = torch.zeros(len(rows), dtype=torch.bool)
        is_asked[draws.fair(len(rows), max(1, len(rows) // 10), bank.labels[rows])] = True
        return {CHOOSING: self._compared(bank.of(rows[~is_asked]), bank.of(rows[is_asked]))}

    def _features(self, encoder: nn.Module, source: Source, view: ViewProgram) -> Features:
        return extract(encoder, source, view, device=self.device, precision=self.precision, channels_last=True)


def _part_of(data: Data, split: str, most: int, plugins: tuple[str, ...]) -> Source:
    asked = data.settings.get("limit")
    return images_of(data, split, plugins, limit=min(most, asked) if isinstance(asked, int) else most)
