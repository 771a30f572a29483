"""The measures of one encoder, one after another: what one of them can't say does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sslgraph import draws

from ..measure import online
from ..measure.features import Features
from ..measure.knn import Neighbours, knn
from ..measure.linear_probe import Probe, linear_probe
from ..measure.spectra import alpha_req, lidar, rankme, signal

SPECTRUM = 2_000  # images whose features' spectrum is measured: it grows with them, so it is always of as many
WORDS = {"knn": "kNN", "probe": "linear probe", "rankme": "RankMe", "alpha": "alpha-ReQ", "lidar": "LiDAR"}


@dataclass(frozen=True)
class Measured:
    """One encoder's nearest neighbours and linear probe, and measures that need no labels (see spectra).

    None: not measured yet, or not possible. LiDAR and the signal beside it are of training's first view; pixels, with
    more numbers than images, have none.
    """

    knn: Neighbours | None = None
    probe: Probe | None = None
    rankme: float | None = None
    alpha: float | None = None
    lidar: float | None = None
    signal: float | None = None


NOTHING = Measured()


@torch.no_grad()
def measures(
    bank: Features,
    queries: Features,
    wish: online.Setting,
    seen: Float[Tensor, "images views dim"] | None = None,
    *,
    labelled: bool = True,
) -> Iterator[tuple[str, Any, str]]:
    """The name of each measure, its value (None where there is none), and in words why there is none.

    `seen` are the features of several views of some images; `labelled`: nearest neighbours and the probe are asked for.
    """
    rows = bank.values[draws.fair(len(bank.values), SPECTRUM, bank.labels)]
    asked: dict[str, Callable[[], Any]] = {}
    if labelled:
        asked["knn"] = lambda: knn(bank, queries, k=wish.k, temperature=wish.temperature)
        asked["probe"] = lambda: linear_probe(bank, queries)
    asked |= {"rankme": lambda: rankme(rows), "alpha": lambda: alpha_req(rows)}
    if seen is not None:
        asked |= {"lidar": lambda: lidar(seen), "signal": lambda: signal(seen)}
    for name, measure in asked.items():
        try:
            yield name, measure(), ""
        except (ValueError, RuntimeError) as wrong:  # whatever one of them finds in these features
            yield name, None, f"{WORDS.get(name, name)} is not measured: {str(wrong).splitlines()[0]}"
