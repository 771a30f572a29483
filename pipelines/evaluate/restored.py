"""A run's encoder from its newest checkpoint, and the same encoder before training."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sslgraph.checked import augmentations
from sslgraph.compile.compile import CompiledMethod
from sslgraph.compile.weights import Encoder
from sslgraph.errors import SslgraphError
from sslgraph.read.load import load_recipe
from sslgraph.read.loaded import Loaded, method_in
from sslgraph.read.spec import Part, Recipe
from sslgraph.settle.sized import SizedGraph
from sslgraph.views.views import ViewProgram, evaluation_view
from sslgraph.wire.graph import Graph

from ..check import check
from ..feed.open_source import images_of
from ..measure import online
from ..storage import checkpoint, provenance
from ..train.start import bounds
from ..weights.given import given, place_of, takers
from ..weights.opening import is_there


@dataclass(frozen=True)
class Restored:
    """Two encoders of one run, the fixed view under which images are shown to them, and the first one of training.

    `begun` says in words what the second one is: an encoder may have begun with given weights.
    """

    trained: Encoder
    random: Encoder
    begun: str
    view: ViewProgram
    training_view: ViewProgram
    step: int
    wish: online.Setting
    method: CompiledMethod
    views: ViewProgram  # all those of training
    sized_view: Callable[[int], ViewProgram]  # the fixed view with another side


def newest(run: Path) -> Path:
    """The newest complete checkpoint of a run folder; SslgraphError if there is none."""
    there = checkpoint.complete(run / "checkpoints")
    if not there and not (run / checkpoint.TEXT).is_file():
        raise SslgraphError(
            f"{run} is no run folder: there is no {checkpoint.TEXT} in it; give the folder that train printed"
        )
    if not there:
        raise SslgraphError(f"{run} holds no complete checkpoint yet; let the run save one first")
    return there[-1]


def opened(folder: Path, saved: Path, *, device: torch.device, plugins: tuple[str, ...] = ()) -> Restored:
    """The encoders of the run in a folder, from one of its checkpoints; the images need not be there."""
    loaded = load_recipe(str(folder / checkpoint.TEXT))
    images, size = trained_on(folder, loaded, plugins)
    return restored(loaded, saved, images=images, size=size, device=device, plugins=plugins)


def sized_as_trained(loaded: Loaded[Recipe], folder: Path, plugins: tuple[str, ...]) -> SizedGraph:
    """The graph of another recipe for the images of the run in a folder."""
    images, size = trained_on(folder, loaded, plugins)
    return check.sized_recipe(loaded, check.allowed_in(loaded, plugins), images=images, size=size)


def trained_on(folder: Path, loaded: Loaded[Recipe], plugins: tuple[str, ...]) -> tuple[int, tuple[int, int] | None]:
    """How many images a run was trained on, and their (height, width), None if they differ; they need not be there."""
    found = provenance.read(folder)
    facts = found[-1] if found else {}
    images, size = facts.get("images"), facts.get("image_size", 0)
    if images is None or size == 0:  # a run of an earlier version: its images say it
        train = images_of(loaded.spec.data, "train", check.allowed_in(loaded, plugins))
        return len(train), train.size
    return images, None if size is None else (int(size[0]), int(size[1]))


def restored(
    loaded: Loaded[Recipe],
    saved: Path,
    *,
    images: int,
    size: tuple[int, int] | None,
    device: torch.device,
    plugins: tuple[str, ...] = (),
) -> Restored:
    """The encoders of a run; `size` is the (height, width) of its images, None if they differ."""
    recipe = loaded.spec
    allowed = check.allowed_in(loaded, plugins)
    sized = check.sized_recipe(loaded, allowed, images=images, size=size)
    found = checkpoint.load(saved)
    begun = _begun(sized, recipe.given, found.method)
    method = CompiledMethod(sized, seed=recipe.seed, plugins=allowed, given=begun).to(device)
    random = copy.deepcopy(method.encoder())
    try:
        method.load_state_dict(dict(found.method))
    except RuntimeError as wrong:
        reason = str(wrong).splitlines()[-1].strip()
        raise SslgraphError(f"the weights in {saved} do not fit this method: {reason}") from wrong
    bounds.refuse_impossible(method, {}, saved)
    wish = online.setting(recipe.evaluate) or online.Setting()
    views = recipe.method.views
    first, found_steps = sized.graph.seen, augmentations(method_in(loaded), allowed)
    view = evaluation_view(views, found_steps, like=first, size=wish.size)
    training_view = ViewProgram.build({first: views[first]}, found_steps)
    words = "encoder as it began" if _began_given(sized.graph) else "random encoder"
    return Restored(
        method.encoder(), random, words, view, training_view, found.step, wish, method,
        ViewProgram.build(views, found_steps),
        lambda side: evaluation_view(views, found_steps, like=first, size=side),
    )  # fmt: skip


def _begun(sized: SizedGraph, names: Mapping[str, str], saved: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The weights that the nets began with; those of a frozen net are in every checkpoint too."""
    kept: dict[str, dict[str, Tensor]] = {}
    for net, wish in takers(sized.graph).items():
        spec, place = sized.graph.boxes[net].spec, place_of(wish, names)
        if isinstance(spec, Part) and spec.is_frozen and place is not None and not is_there(place):
            start = f"parts.{net}."
            kept[net] = {key.removeprefix(start): value for key, value in saved.items() if key.startswith(start)}
    return {**given(sized, names, but=kept).states, **kept}


def _began_given(graph: Graph) -> bool:
    nets = [graph.boxes[graph.boxes[encoder].net].spec for encoder in graph.exported]
    return any(isinstance(net, Part) and net.weights is not None for net in nets)
