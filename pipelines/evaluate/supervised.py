"""The supervised baseline: a run's encoder trained as a classifier, or with weights from a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SpecError, SslgraphError
from sslgraph.files.write_whole import put_whole
from sslgraph.read import catalogue
from sslgraph.read.document import read_text
from sslgraph.read.load import recipe_of

from ..check import check
from ..check.request import located
from ..storage import checkpoint
from ..train import summary
from ..train.loop import train
from ..weights.given import given
from .restored import newest, opened, sized_as_trained

FOLDER = "supervised"
BASE, NET, HEAD = "stages/fine_tune", "f", "head"  # the recipe of an encoder with a classifier, and its nets
# A net of another run's making begins afresh, and all of it learns.
OF_THE_METHOD = ("weights", "frozen", "freeze", "mode", "role")
# What a recipe says of the method's own nets, of what it is followed by, and of who is told.
LEFT_OUT = ("given", "begin_with", "expect", "evaluate", "track", "monitor", "recompute", "checkpoint")


@dataclass(frozen=True)
class Supervised:
    """An encoder that has seen labels, and where it comes from, in words."""

    encoder: nn.Module
    said: str
    run: Path | None = None  # where it was trained


def supervised(
    run: Path, labels: Tensor | None, seen: str, *, weights: str | None = None, trains: bool = False,
    device: torch.device, plugins: tuple[str, ...] = (),
) -> Supervised | None:  # fmt: skip
    """The encoder with the weights of a file; or trained in a folder of the run, now or earlier; None if neither is.

    It is trained on one view of each image, that of the name `seen`; images, batch, steps and optimizer are the run's.
    """
    folder, classes = run / FOLDER, 1 if labels is None or not len(labels) else int(labels.max()) + 1
    if trains and weights is not None:
        raise SslgraphError(
            "--supervised trains a net, and --supervised-weights has one that is trained; give one of them"
        )
    if trains and classes < 2:
        raise SslgraphError("--supervised tells classes apart, and the images have fewer than two; give labelled data")
    if weights is None and not trains and summary.read(folder) is None:
        return None
    text = (newest(run) / checkpoint.TEXT).read_text(encoding="utf-8")
    if weights is not None:
        recipe = yaml.safe_dump(classifier(yaml.safe_load(text), classes, seen, located(weights)), sort_keys=False)
        try:
            encoder = _given(recipe, run, device, plugins)
        except SpecError as wrong:
            raise SslgraphError(f"--supervised-weights {weights}: {wrong.faults[0].problem}") from wrong
        return Supervised(encoder, f"supervised: the weights of {weights}")
    if trains:
        recipe = yaml.safe_dump(classifier(yaml.safe_load(text), classes, seen), sort_keys=False)
        file = run / f"{FOLDER}.yaml"
        put_whole(file, recipe)
        train({"recipe": str(file), "out": str(folder), "plugins": plugins})
    found = opened(folder, newest(folder), device=device, plugins=plugins)
    said = f"supervised: the same net and images with their labels, {found.step} steps of one view, the run's optimizer"
    return Supervised(found.trained, said, folder)


def classifier(recipe: Mapping[str, Any], classes: int, seen: str, weights: str | None = None) -> dict[str, Any]:
    """The recipe of a run with the method exchanged: its encoder, and a linear classifier that reads `x.label`."""
    method, whole = recipe["method"], {key: value for key, value in recipe.items() if key not in LEFT_OUT}
    f, output = exported(method, f"--{FOLDER}")
    view = method["views"][seen]
    kept = {key: value for key, value in view.items() if key not in ("copies", "crop_of", "shift")}
    optimizer = dict(recipe["optimizer"])
    optimizer["groups"] = [group for group in optimizer.get("groups") or () if "net" not in group]
    base = yaml.safe_load(catalogue.file_of("recipes", BASE).read_text(encoding="utf-8"))["method"]
    nets = {**base["nets"], NET: {**f, "weights": f"${FOLDER}"} if weights else f}
    nets[HEAD] = {**nets[HEAD], "out": classes}
    flow = {name: call.replace(f"{NET}(x)", f"{NET}(x){output}") for name, call in base["flow"].items()}
    made = {**base, "method": "Supervised", "views": {"x": kept}, "nets": nets, "flow": flow, "export": NET + output}
    return {
        **whole,
        "recipe": f"{whole['recipe']}, supervised",
        "method": made,
        "optimizer": optimizer,
        **({"given": {FOLDER: weights}} if weights else {}),
        "monitor": None,
        "checkpoint": {"keep": 1},
    }


def exported(method: Mapping[str, Any], wish: str) -> tuple[dict[str, Any], str]:
    """The net that a method exports, as another recipe says it, and which output: ".pooled", or "" for its first."""
    found = re.fullmatch(r"\s*(\w+)((?:\.\w+)?)\s*", str(method["export"]))
    if found is None:
        raise SslgraphError(
            f"{wish} trains one net with a classifier, and the method exports {method['export']}; leave {wish} away"
        )
    name, output = found.groups()
    followed = (method.get("targets") or {}).get(name)
    net = method["nets"][followed["ema_of"] if followed else name]
    return {key: value for key, value in net.items() if key not in OF_THE_METHOD}, output


def _given(recipe: str, run: Path, device: torch.device, plugins: tuple[str, ...]) -> nn.Module:
    """The encoder of a recipe's text as it begins with the weights that it names."""
    loaded = recipe_of(read_text(recipe, run / f"{FOLDER}.yaml"))
    sized = sized_as_trained(loaded, run, plugins)
    states = given(sized, loaded.spec.given).states
    allowed = check.allowed_in(loaded, plugins)
    return CompiledMethod(sized, seed=0, plugins=allowed, given=states).to(device).encoder().eval()
