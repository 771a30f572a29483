"""Protocols that are recipes: a classifier of a run's encoder, trained on labels as the recipe says, and tested once.

The shipped ones are specs/recipes/protocols, the linear probes and the fine-tuning of papers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import nn

from sslgraph.checked import augmentations
from sslgraph.compile.weights import Encoder
from sslgraph.errors import SslgraphError
from sslgraph.files.write_whole import put_whole, write_whole
from sslgraph.parts import registry
from sslgraph.read import catalogue
from sslgraph.read.document import read_text, read_value
from sslgraph.read.load import load_recipe
from sslgraph.read.load import recipe_of as recipe_in
from sslgraph.read.loaded import Loaded, method_in
from sslgraph.read.resolved import flat
from sslgraph.read.spec import Data, Part, Recipe
from sslgraph.views.overrides import resolve, shown

from ..check import check
from ..feed.feed import Source
from ..measure.features import extract
from ..train.loop import train
from .restored import newest, opened
from .supervised import HEAD, exported

FOLDER = "protocols"  # of the recipes, and of what they train in the folder of a run
GIVEN = "encoder"  # what the encoder's net says: weights: $encoder
SET = " --set "  # between a protocol's name and what was changed of it, which is a part of its name
OF_THE_RUN = re.compile(rf"(data|given|monitor|nets\.{HEAD}\w*\.out|nets\.\w+\.(use|weights))(\.|$)")
TOLD = ("epochs", "steps", "batch", "accumulate", "optimizer", "precision")


@dataclass(frozen=True)
class Planned:
    """A protocol's recipe for one run: its text without the weights, and what is to be known of it, in words."""

    name: str
    text: Mapping[str, Any]
    setting: str
    frequent: int  # the most frequent training label


def published() -> tuple[str, ...]:
    """The names of those that are shipped."""
    start = f"{FOLDER}/"
    return tuple(name.removeprefix(start) for name in catalogue.with_files("recipes") if name.startswith(start))


def recipe_of(name: str) -> str | None:
    """The recipe of a protocol, by its name or as a file of one's own; None if it is no such protocol."""
    base = name.partition(SET)[0]
    return f"{FOLDER}/{base}" if base in published() else base if catalogue.is_file(base) else None


def changed(names: Sequence[str], changes: Sequence[str]) -> list[str]:
    """The names of protocols with changes of a command line (PATH=VALUE), which those that are recipes take."""
    if changes and not any(map(recipe_of, names)):
        raise SslgraphError(
            f"--set {changes[0]} changes a protocol that is a recipe, and none is named; "
            f"name one with --protocol: {', '.join(published())}, or a file"
        )
    return ["".join([name, *(f"{SET}{change}" for change in changes)]) if recipe_of(name) else name for name in names]


def check_changes(name: str, plugins: tuple[str, ...] = ()) -> dict[str, Any]:
    """The changes in a protocol's name, by path; SslgraphError for what is no change, or would change nothing."""
    base, *changes = name.split(SET)
    given = dict[str, Any]()
    for change in changes:
        path, sign, value = (word.strip() for word in change.partition("="))
        if not sign or not path:
            raise SslgraphError(
                f"{name}: '{change}' is no change; write a path, an equals sign and a value, as in --set epochs=10"
            )
        if OF_THE_RUN.match(path.removeprefix("method.")):
            raise SslgraphError(
                f"{base} takes no --set {path}: its encoder, images and classes are those of the run, and it has no "
                "monitor; name other images with --data"
            )
        given[path] = read_value(value, f"--set {path}")
    encoder = _taker(base, load_recipe(str(recipe_of(name)), given).spec)
    if base in published():  # what a file of one's own says may need plugins, which a pipeline names elsewhere
        # Settings of the encoder are those of the run's backbone: see planned.
        known = {path: value for path, value in given.items() if f"nets.{encoder}." not in path}
        loaded = load_recipe(str(recipe_of(name)), known)
        check.sound(method_in(loaded), loaded, check.allowed_in(loaded, plugins))
    return given


def planned(
    name: str, run: Loaded[Recipe], seen: str, data: Data, source: Source,
    plugins: tuple[str, ...],
) -> Planned:  # fmt: skip
    """A protocol's recipe with the run's encoder, images, side and normalisation, and as many classes as there are.

    `seen` is the run's view that its encoder is trained on.
    """
    base, given = name.partition(SET)[0], check_changes(name, plugins)
    loaded = load_recipe(str(recipe_of(name)), given)
    text, labels = flat(loaded.spec), source.labels
    assert labels is not None
    method = dict(text["method"])
    net = _taker(base, loaded.spec)
    theirs, output = exported(flat(run.spec)["method"], base)
    own = {key: value for key, value in method["nets"][net].items() if key != "use"}
    known = registry.signature(theirs["use"], plugins).settings
    for key in own:
        if key not in known and key not in Part.model_fields:
            raise SslgraphError(
                f"{base} is no protocol for this run: it sets {key} of the encoder, which {theirs['use']} does not have"
            )
    nets = {**method["nets"], net: {**theirs, **own}}
    for head in (head for head in nets if head.startswith(HEAD)):
        nets[head] = {**nets[head], "out": int(labels.max()) + 1}
    like = _like(run, seen, plugins)
    views = {view: {**_unsaid(like, said), **said} for view, said in method["views"].items()}
    method |= {"views": views, "nets": nets}
    bare = re.compile(rf"\b{net}\(([^()]*)\)(?!\.)")  # where no output is named, it is the one that the run exports
    method["flow"] = {key: bare.sub(rf"{net}(\1){output}", line) for key, line in method["flow"].items()}
    method["export"] = bare.sub(rf"{net}(\1){output}", method["export"])
    batch = min(text["batch"], len(source))
    text |= {"method": method, "data": {"use": data.use, **data.settings}, "batch": batch, "monitor": None}
    text |= {} if "seed" in given else {"seed": run.spec.seed}
    text |= {"plugins": [*plugins]} if plugins else {}
    return Planned(name, text, _said(text, plugins), int(labels[labels >= 0].bincount().argmax()))


def _taker(base: str, recipe: Recipe) -> str:
    """The net that takes the encoder's weights."""
    for name, net in recipe.method.nets.items():
        if net.weights is not None and net.weights.name == GIVEN:
            return name
    raise SslgraphError(f"{base} is no protocol: no net of it says weights: ${GIVEN}")


def _like(run: Loaded[Recipe], seen: str, plugins: tuple[str, ...]) -> dict[str, Any]:
    """The side and the normalisation of a run's images, as settings of a view."""
    side, normalize = shown(run.spec.method.views, augmentations(method_in(run), plugins), seen)
    settings = {**_defaults(normalize), **normalize.settings} if normalize is not None else {}
    channels = run.spec.data.image_channels
    mean, std = settings.get("mean", [0.0] * channels), settings.get("std", [1.0] * channels)
    return {**({"size": side} if side else {}), "normalize.mean": [*mean], "normalize.std": [*std]}


def _unsaid(like: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run's view that a protocol's view does not say itself, as size, crop.size or normalize.mean."""
    own = {*said, *(key.rpartition(".")[2] for key in said if key.endswith(".size"))}
    return {key: value for key, value in like.items() if not {key, key.rpartition(".")[2]} & own}


def _defaults(step: Part) -> dict[str, Any]:
    found = registry.signature(step.use, registry.let_through(step.use)).settings
    return {name: setting.default for name, setting in found.items() if not setting.is_required}


def _said(text: Mapping[str, Any], plugins: tuple[str, ...]) -> str:
    """Every number of a recipe, as the language writes it."""
    loaded = recipe_in(read_text(yaml.safe_dump(dict(text), sort_keys=False), Path(f"{text['recipe']}.yaml")))
    check.sound(method_in(loaded), loaded, plugins)
    method = text["method"]
    steps = resolve(loaded.spec.method.views, augmentations(method_in(loaded), plugins))
    said = {key: text[key] for key in TOLD if text.get(key) is not None}
    for view, parts in steps.items():
        of = {name: {"use": part.use, **_defaults(part), **flat(part.settings)} for name, part in parts.items()}
        said[f"view {view}"] = flat(of)
    said |= {word: method[word] for word in ("ops", "nets", "flow", "losses") if method.get(word)}
    return "; ".join([text["recipe"], *(f"{key} {_in_a_line(value)}" for key, value in said.items())])


def _in_a_line(value: Any) -> str:
    dumped = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6)
    return dumped.removesuffix("...\n").strip()


def learned(
    plans: Mapping[str, Planned], name: str, *, encoder: nn.Module, side: str, run: Path, saved: Path, test: Source,
    device: torch.device, plugins: tuple[str, ...],
) -> dict[str, Any]:  # fmt: skip
    """Trains the recipe of a name with the weights of one encoder of a run, and asks about the test images once.

    What it trains stays in the run's folder, so that an interrupted one continues and a finished one is not repeated.
    """
    if not isinstance(encoder, Encoder):
        return {}
    plan, place, weights = plans[name], run / FOLDER, saved.resolve()
    place.mkdir(exist_ok=True)
    if side != "trained":
        weights = (place / f"{side}.pt").resolve()
        state = encoder.net.get_submodule(encoder.nets[0]).state_dict()
        write_whole(weights, lambda out: torch.save(state, out))
    text = yaml.safe_dump({**plan.text, "given": {GIVEN: str(weights)}}, sort_keys=False)
    key = hashlib.sha256(text.encode()).hexdigest()[:8]
    stem = re.sub(r"\W+", "-", Path(plan.name).name if catalogue.is_file(plan.name) else plan.name)
    folder = place / "-".join([stem, *([side] if side != "trained" else []), key])
    file = folder.with_suffix(".yaml")
    put_whole(file, text)
    train({"recipe": str(file), "out": str(folder), "plugins": plugins})
    found = opened(folder, newest(folder), device=device, plugins=plugins)
    scores, answers = extract(found.trained, test, found.view, device=device, channels_last=True).labelled()
    right, frequent = scores.argmax(1) == answers, answers == plan.frequent
    return {"accuracy": right.double().mean().item(), "chance": frequent.double().mean().item(), "steps": found.step}
