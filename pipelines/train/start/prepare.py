"""From a recipe to a run that is ready to start; all that it resolved to is printed and written into the folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from sslgraph import collectives
from sslgraph.amounts import counted
from sslgraph.checked import augmentations, within
from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import Fault, SslgraphError, placed, under
from sslgraph.files import write_whole
from sslgraph.files.addresses import is_address
from sslgraph.lint import Facts, lint
from sslgraph.read import catalogue
from sslgraph.read.loaded import Loaded, UnsoundError, method_in
from sslgraph.read.plugins import folders_of
from sslgraph.read.resolved import flat, resolved
from sslgraph.read.spec import Recipe
from sslgraph.schedules import Clock, duration
from sslgraph.views.views import ViewProgram, evaluation_view

from ...check import check
from ...feed.feed import Feed, Source
from ...feed.open_source import images_of
from ...machine import machine
from ...machine.chosen_forms import Forms, of_run
from ...machine.strategy import spread
from ...measure import online
from ...optimize.optimizer import Optimizer
from ...record import trackers
from ...record.display import Display
from ...record.monitor import Monitor
from ...record.record import Record
from ...storage import checkpoint, fetching, run_folder
from ...storage.remote import Remote
from ...weights.given import given
from .. import saving
from ..run import Config, Run
from . import fitting, introduction, labelled, starting
from .fingerprint import fingerprint


def settled(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The same request with an absolute run folder, once everything is checked that needs no image and no device.

    A request that names no folder is given a new one, which is made here: no other start has it.
    """
    config = Config(**cfg)
    known: tuple[Fault, ...] = ()
    try:
        loaded = config.load()
    except UnsoundError as wrong:
        loaded, known = wrong.without, wrong.faults
    plugins = check.allowed_in(loaded, config.plugins)
    check.sound(method_in(loaded), loaded, plugins, known=known)
    is_file = catalogue.is_file(config.recipe)
    title = loaded.spec.recipe if "\n" in config.recipe else Path(config.recipe).stem if is_file else config.recipe
    name = re.sub(r"[\s/]+", "-", title)
    address = config.out if config.out and is_address(config.out) else ""
    if address:
        Remote.refuse(address)
        folder = fetching.folder_of(address)
    else:
        folder = Path(config.out).resolve() if config.out else run_folder.fresh(f"{name}-seed{loaded.spec.seed}")
    with write_whole.told(folder, "--out"):
        folder.is_dir()  # a name that can't be one
    return {**asdict(config), "plugins": plugins, "out": str(folder), "address": address}


def prepare(cfg: Mapping[str, Any]) -> Run:
    """Builds all that a run uses, on every rank alike: weights come from the seed, batches from rank and step."""
    config = Config(**cfg)
    loaded, on = config.load(), machine.device(config.local_rank)
    recipe, plugins = loaded.spec, check.allowed_in(loaded, config.plugins)
    machine.use(processes=config.processes, threads=recipe.threads)
    with within(loaded, ("data",)):
        source = images_of(recipe.data, "train", plugins)
    method, begun = compiled(loaded, images=len(source), size=source.size, plugins=plugins)
    folder = Path(config.out or "")
    with placed(loaded.place), under("method"):
        fitting.refuse(method, source)
    with within(loaded, ("data",)):
        labelled.refuse(method, source)
    nets = method.parts.values()
    forms = of_run(folder / "checkpoints", recipe.precision, nets, on, pinned=recipe.threads)
    weights = torch.float64 if forms.precision == "float64" else torch.float32
    wider = weights if weights == torch.float64 else None  # what counts in float64 goes on to
    method.to(device=on, dtype=wider, memory_format=forms.layout)  # type: ignore[call-overload]
    if on.type == "cpu":
        for part in nets:
            forms.on(part)
    feed = _feed(loaded, method, source, plugins, forms=forms, device=on, dtype=weights)
    with within(loaded, ("begin_with",)):
        begin = None if checkpoint.complete(folder / "checkpoints") else starting.begin_of(recipe.begin_with)
    clock = clock_of(recipe, feed.steps_per_epoch)
    with within(loaded, ("recompute",)):
        model = spread(method, recipe, on)
    is_wrapped = model is not method
    with within(loaded, ("optimizer",)):
        optimizer = Optimizer(
            method, recipe.optimizer, batch=recipe.batch, clock=clock, averaged_elsewhere=is_wrapped, plugins=plugins
        )
    data = fingerprint(source, recipe.data)
    with within(loaded, ("track",)):
        trackers.refuse_missing(recipe.track)
    record = Record(
        folder, display=Display(total_steps=clock.total_steps), batch=recipe.batch, track=recipe.track,
        about=flat(recipe) if recipe.track else None,
    )  # fmt: skip
    record.broken = source.broken
    run = Run(
        folder=folder, address=config.address, text=resolved(loaded.spec), seed=recipe.seed, method=method,
        model=model, optimizer=optimizer,
        feed=feed, record=record, clock=clock, device=on, forms=forms,
        facts=_facts(recipe, method, on, forms) | data
        | {"image_size": source.size, "plugins": folders_of(plugins), "steps_per_epoch": clock.steps_per_epoch,
           "total_steps": clock.total_steps},
        data=data, start=config, begin_with=begin,
        recipe_text=_written(config.recipe, loaded.file),
        **saving.settings(recipe.checkpoint, clock),
    )  # fmt: skip
    with within(loaded, ("evaluate",)):
        measured = _evaluated(run, loaded, plugins)
    if recipe.monitor is not None:
        run.monitor = Monitor(method, max(1, round(duration(recipe.monitor).steps(clock))), run.record, clock)
    said = introduction.words(run, title=loaded.spec.method.method, is_compiled=bool(recipe.compile))
    notes = [f"data: {note}" for note in getattr(source, "notes", ())]
    run.introduction = [*said, *begun, *notes, *measured, *_doubts(method, len(source))]
    return run


def _written(recipe: str, file: Path) -> str:
    """The text of a recipe before anything is resolved; one of several lines is the text itself."""
    return recipe if "\n" in recipe else file.read_text(encoding="utf-8")


def _feed(
    loaded: Loaded[Recipe], method: CompiledMethod, source: Source, plugins: tuple[str, ...], *, forms: Forms,
    device: torch.device, dtype: torch.dtype,
) -> Feed:  # fmt: skip
    recipe = loaded.spec
    program = ViewProgram.build(recipe.method.views, augmentations(method_in(loaded), plugins))
    with within(loaded, ("batch",)):
        return Feed(
            source, program, batch=recipe.batch, seed=recipe.seed, accumulate=recipe.accumulate,
            rank=collectives.rank(), ranks=collectives.ranks(), device=device, dtype=dtype,
            channels_last=forms.channels_last, labelled=labelled.is_asked(method), maps=labelled.maps(method, source),
        )  # fmt: skip


def _doubts(method: CompiledMethod, images: int) -> list[str]:
    """Warnings that only the number of images brings up, which `check` does not know."""
    before = lint(method.graph, Facts())
    return [
        str(doubt) for doubt in lint(method.graph, Facts(images=images)) if doubt not in before and not doubt.reason
    ]


def clock_of(recipe: Recipe, steps_per_epoch: int) -> Clock:
    """How long a run is; what is left over at the end of an epoch is dropped."""
    if (recipe.steps is None) == (recipe.epochs is None):
        said = "both" if recipe.steps else "neither"
        raise SslgraphError(f"the recipe '{recipe.recipe}' must say either epochs: or steps:, and says {said}")
    return Clock(steps_per_epoch, recipe.steps or (recipe.epochs or 0) * steps_per_epoch)


def compiled(
    loaded: Loaded[Recipe], *, images: int, size: tuple[int, int] | None, plugins: tuple[str, ...]
) -> tuple[CompiledMethod, Sequence[str]]:
    """The method for so many images of a height and width, None if they differ, with the weights that it begins with.

    Beside it what is to be said of those that are given.
    """
    recipe = loaded.spec
    sized = check.sized_recipe(loaded, plugins, images=images, size=size)
    begun = given(sized, recipe.given)
    method = CompiledMethod(sized, seed=recipe.seed, plugins=plugins, given=begun.states)
    if recipe.compile:
        method.compile_programs(graphs=recipe.compile == "graphs")
    return method, begun.said


def _evaluated(run: Run, loaded: Loaded[Recipe], plugins: tuple[str, ...]) -> list[str]:
    """Lets nearest neighbours be measured where they can be; what is said about it."""
    wish = online.setting(loaded.spec.evaluate)
    if wish is None:
        return []
    views = loaded.spec.method.views
    view = evaluation_view(views, augmentations(method_in(loaded), plugins), like=run.method.graph.seen, size=wish.size)
    data, on = loaded.spec.data, run.device
    if run.feed.source.labels is None:
        return ["the images have no labels: training needs none, and nearest neighbours are not measured"]
    try:
        found = online.OnlineKnn(wish, data, view, device=on, precision=run.precision, plugins=plugins)
    except online.NoLabelsError as lacking:
        return [str(lacking)]
    run.evaluate, run.baseline, run.evaluate_every = found.measure, found.baseline, wish.steps(run.clock)
    return [f"kNN: {found}"]


def _facts(recipe: Recipe, method: CompiledMethod, on: torch.device, forms: Forms) -> dict[str, Any]:
    threads = counted(torch.get_num_threads(), "thread")
    name = torch.cuda.get_device_name(on) if on.type == "cuda" else f"CPU, {threads}"
    return {
        "recipe": recipe.recipe, "batch": recipe.batch, "accumulate": recipe.accumulate, "ranks": collectives.ranks(),
        "trained_parameters": sum(p.numel() for p in method.parameters() if p.requires_grad),
        "device": name, "precision": forms.precision, "torch": torch.__version__, "forms": forms.record(),
        **({"expect": recipe.expect} if recipe.expect else {}),
    }  # fmt: skip
