"""A run's encoder as its newest checkpoint left it, and as it was before training."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from sslgraph.compile import CompiledMethod
from sslgraph.errors import SslgraphError
from sslgraph.loaded import LoadedRecipe

from . import check, checkpoint, online
from .feed import Source
from .views import ViewProgram, evaluation_view


@dataclass(frozen=True)
class Restored:
    """Two encoders of one run, and the fixed view under which images are shown to them."""

    trained: nn.Module
    random: nn.Module
    view: ViewProgram
    step: int
    wish: online.Setting


def restored(
    loaded: LoadedRecipe, saved: Path, train: Source, *, device: torch.device, plugins: tuple[str, ...] = ()
) -> Restored:
    """The encoders of a run; `train` is what it was trained on, whose size some states depend on."""
    recipe = loaded.recipe
    allowed = (*recipe.plugins, *plugins)
    graph = check.wired(loaded.method, allowed)
    sized = check.sized_graph(
        graph, loaded.method, batch=recipe.batch, dataset=len(train), image=train.size or check.SOURCE, plugins=allowed
    )
    method = CompiledMethod(sized, seed=recipe.seed, plugins=allowed).to(device)
    random = copy.deepcopy(method.encoder())
    found = checkpoint.load(saved)
    try:
        method.load_state_dict(dict(found.method))
    except RuntimeError as wrong:
        reason = str(wrong).splitlines()[-1].strip()
        raise SslgraphError(f"the weights in {saved} do not fit this method: {reason}") from wrong
    wish = online.setting(recipe.evaluate) or online.Setting()
    views = loaded.method.method.views
    view = evaluation_view(views, check.augmentations(loaded.method), like=next(iter(views)), size=wish.size)
    return Restored(method.encoder(), random, view, found.step, wish)
