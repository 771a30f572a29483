"""Trains a method that is named alone, or its file, on a folder of photographs, by the recipe for photographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from sslgraph.amounts import counted
from sslgraph.checked import augmentations
from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.read import catalogue
from sslgraph.read.document import read
from sslgraph.read.load import load_recipe
from sslgraph.read.loaded import method_in
from sslgraph.read.spec import Method, Part

from . import check

DATASET = "photos"
SMALLEST = 64  # shorter side in pixels from which an image counts as a photograph
LARGE = 160  # the same from which views of the paper's size show more than smaller ones
TRIED = 16
SHARE, STRIDE = 96 / 224, 16  # smaller views: this share of the paper's, in whole patches of this many pixels
STEPS, EPOCHS = 600, (20, 200)  # the least number of steps, and the range of epochs


@dataclass(frozen=True)
class Chosen:
    """The recipe to train (its name, or its text), what it is changed by, and why, in words."""

    name: str
    overrides: Mapping[str, Any]
    said: str


def chosen(name: str, path: str, use: str, given: Mapping[str, Any], plugins: tuple[str, ...]) -> Chosen | None:
    """The recipe for the images that `use` reads at a path; None if `name` is a recipe, or they are no photographs.

    What is given stays as it is given.
    """
    recipe = _recipe(name)
    if recipe is None:
        return None
    known = registry.signature(use).settings
    limit = {"limit": given["data.limit"]} if "data.limit" in given and "limit" in known else {}
    asked = {"split": "train", "path": path, "memory": 0.0, **limit}
    source = registry.build(use, {key: value for key, value in asked.items() if key in known})
    side, count = _side(source), len(source)
    if side < SMALLEST:
        return None
    more: dict[str, Any] = {}
    whole = load_recipe(recipe, dict(given)).spec
    batch = whole.batch
    if count < batch and "batch" not in given:
        batch = more["batch"] = 2 ** (max(2, count).bit_length() - 1)
    if not {"epochs", "steps", "begin_with"} & given.keys():
        more["epochs"] = min(max(-(-STEPS // max(1, count // batch)), EPOCHS[0]), EPOCHS[1])
    more |= _queues(whole.method, batch, count, given)
    small, why = _smaller(recipe, {**given, **more}, plugins), _reason(side)
    is_small = bool(why and small)
    more |= small if is_small else {}
    sides = " and ".join(map(str, sorted(set(small.values()), reverse=True)))
    sizes = f"views of {sides} pixels, because {why}" if is_small else f"views of {_whose(name)} size"
    epochs = f"{counted(more['epochs'], 'epoch')}, " if "epochs" in more else ""
    said = (
        f"{_called(name)}: {counted(count, 'photograph')} to train on, of about {side:.0f} pixels; "
        f"{sizes}; {epochs}batch {batch}\n  other recipes: sslgraph list; other numbers: --epochs, --batch, --set"
    )
    return Chosen(recipe, more, said)


def _called(name: str) -> str:
    return Path(name).name if catalogue.is_file(name) else f"{DATASET}/{name}"


def _whose(name: str) -> str:
    return "their own" if catalogue.is_file(name) else "the paper's"


def _has_sizes(recipe: str, method: Method) -> bool:
    """Whether the author of a method's file has written how large its views are."""
    return "\n" in recipe and any("size" in view.settings for view in method.views.values())


def _recipe(name: str) -> str | None:
    """The recipe for photographs of a method, or of a method's file; None of anything else."""
    if catalogue.has("methods", name):
        return f"{DATASET}/{name}"
    if not catalogue.is_file(name) or read(catalogue.file_of("methods", name)).kind != "method":
        return None
    title, file = f"{DATASET}-{Path(name).stem}", str(Path(name).resolve())
    return yaml.safe_dump({"recipe": title, "extends": f"{DATASET}/default", "method": file}, sort_keys=False)


def _queues(method: Method, batch: int, count: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """A size for each queue that is longer than there are images: whole batches, and no more than the images."""
    shipped = registry.catalogue("memory")
    queues = (name for name, part in method.state.items() if part.use in shipped and _is_queue(part))
    sizes = {f"state.{name}.size": count // batch * batch for name in queues}
    states = {f"state.{name}.size": part.settings.get("size", 0) for name, part in method.state.items()}
    return {path: size for path, size in sizes.items() if path not in given and states[path] > count}


def _is_queue(part: Part) -> bool:
    return registry.signature(part.use).traits.role == "queue"


def _side(source: Any) -> float:
    """The median of the shorter sides of some images, spread over the set."""
    import torch

    rows = (torch.arange(min(TRIED, len(source))) * len(source)) // min(TRIED, len(source))
    images, _ = source.read(rows)
    return float(median(min(image.shape[1:]) for image in images))


def _reason(side: float) -> str:
    """Why views are made smaller than the paper's; "" if they are not."""
    import torch

    if side < LARGE:
        return "the images are small"
    return "" if torch.cuda.is_available() else "there is no GPU"


def _smaller(recipe: str, given: Mapping[str, Any], plugins: tuple[str, ...]) -> dict[str, Any]:
    """A size for each view by which the method still fits together; none if it does not, or sizes are written."""
    from sslgraph.views.views import ViewProgram

    loaded = method_in(load_recipe(recipe, dict(given)))
    if any(path.startswith("views.") and path.endswith(".size") for path in given) or _has_sizes(recipe, loaded.spec):
        return {}
    sizes = ViewProgram.build(loaded.spec.views, augmentations(loaded, plugins)).sizes(512, 512)
    found = {f"views.{view}.size": max(2, round(side * SHARE / STRIDE)) * STRIDE for view, (side, _) in sizes.items()}
    try:
        check.examine(recipe, plugins=plugins, overrides={**given, **found})
    except SslgraphError:  # such as tiles that no longer fit: the method is trained at its own size
        return {}
    return found
