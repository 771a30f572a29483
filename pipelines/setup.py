"""From a recipe to a run that is ready to go, with all it resolved to printed and written into the run folder."""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sslgraph import collectives, registry
from sslgraph.compile import CompiledMethod
from sslgraph.errors import SslgraphError
from sslgraph.load import load_recipe
from sslgraph.loaded import Loaded, method_in
from sslgraph.resolved import resolved
from sslgraph.schedules import Clock, duration
from sslgraph.spec import Recipe

from . import check, checkpoint, machine, online, provenance, saving, small_maps
from .display import Display
from .feed import Feed, Source
from .monitor import Monitor
from .optimizer import Optimizer
from .record import Record
from .run import Run, Start
from .strategy import spread
from .views import ViewProgram, evaluation_view


@dataclass(frozen=True)
class Config:
    """What a run is asked for, in plain values that travel between processes."""

    recipe: str  # a name or a file
    overrides: Mapping[str, Any] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()
    out: str | None = None  # the run folder; default runs/<recipe>-<time>
    local_rank: int = 0  # which of its machine's processes this one is
    processes: int = 1  # how many of them there are
    profile: bool = False  # look at a few steps: where their time goes
    from_scratch: bool = False  # begin at step 0 although steps are recorded and no checkpoint is left

    def load(self) -> Loaded[Recipe]:
        """The recipe, with what the command line says put in."""
        return load_recipe(self.recipe, self.overrides)


def settled(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The same request with an absolute run folder, once everything is checked that needs no image and no device."""
    config = Config(**cfg)
    if config.out and "://" in config.out:
        raise SslgraphError(
            f"--out {config.out}: a run needs a folder, and this is an address; mount it, or copy later"
        )
    loaded = config.load()
    plugins = _plugins(config, loaded.spec)
    graph = check.wired(method_in(loaded), plugins)
    check.numbers(loaded, plugins)
    check.spreading(loaded, graph)
    with check.within(loaded, ("evaluate",)):
        online.setting(loaded.spec.evaluate)
    with check.within(loaded, ("checkpoint",)):
        saving.settings(loaded.spec.checkpoint, Clock(1, 1))
    name = Path(config.recipe).stem if config.recipe.endswith((".yaml", ".yml")) else config.recipe.replace("/", "-")
    folder = Path(config.out or f"runs/{name}-{time.strftime('%Y%m%d-%H%M%S')}")
    return {**asdict(config), "out": str(folder.resolve())}


def prepare(cfg: Mapping[str, Any]) -> Run:
    """Builds all that a run stands on, on every rank alike: weights come from the seed, batches from rank and step."""
    config = Config(**cfg)
    loaded, on = config.load(), machine.device(config.local_rank)
    recipe, plugins = loaded.spec, _plugins(config, loaded.spec)
    threads = machine.use(processes=config.processes, on=on)
    with check.within(loaded, ("data",)):
        source: Source = registry.build(recipe.data.use, {**recipe.data.settings, "split": "train"}, plugins)
    method = _compiled(loaded, source, plugins).to(device=on, memory_format=torch.channels_last)  # type: ignore[call-overload]
    precision = machine.precision(recipe.precision, on)
    weights = torch.float64 if precision == torch.float64 else torch.float32
    method.to(weights)
    if on.type == "cpu":
        for part in method.parts.values():
            small_maps.as_products(part)
    views, found = loaded.spec.method.views, check.augmentations(method_in(loaded))
    program = ViewProgram.build(views, found, compiled=recipe.compile)
    with check.within(loaded, ("batch",)):
        feed = Feed(
            source, program, batch=recipe.batch, seed=recipe.seed, accumulate=recipe.accumulate,
            rank=collectives.rank(), ranks=collectives.ranks(), device=on, channels_last=True, dtype=weights,
        )  # fmt: skip
    clock = clock_of(recipe, feed.steps_per_epoch)
    with check.within(loaded, ("recompute",)):
        model = spread(method, recipe, on)
    is_wrapped = model is not method
    with check.within(loaded, ("optimizer",)):
        optimizer = Optimizer(method, recipe.optimizer, batch=recipe.batch, clock=clock, averaged_elsewhere=is_wrapped)
    folder = Path(config.out or "")
    record = Record(folder, display=Display(total_steps=clock.total_steps), batch=recipe.batch)
    record.broken = source.broken
    run = Run(
        folder=folder, text=resolved(loaded.spec), seed=recipe.seed, method=method, model=model, optimizer=optimizer,
        feed=feed, record=record, clock=clock, device=on, precision=precision,
        facts=_facts(recipe, method, on, precision, threads), start=_start(config),
        **saving.settings(recipe.checkpoint, clock),
    )  # fmt: skip
    with check.within(loaded, ("evaluate",)):
        _evaluated(run, loaded, plugins)
    if recipe.monitor is not None:
        run.monitor = Monitor(method, max(1, round(duration(recipe.monitor).steps(clock))), run.record, clock)
    if collectives.rank() == 0:
        _introduce(run, loaded, source)
    return run


def clock_of(recipe: Recipe, steps_per_epoch: int) -> Clock:
    """How long a run is; what is left over at the end of an epoch is dropped."""
    if (recipe.steps is None) == (recipe.epochs is None):
        said = "both" if recipe.steps else "neither"
        raise SslgraphError(f"the recipe '{recipe.recipe}' must say either epochs: or steps:, and says {said}")
    return Clock(steps_per_epoch, recipe.steps or (recipe.epochs or 0) * steps_per_epoch)


def _compiled(loaded: Loaded[Recipe], source: Source, plugins: tuple[str, ...]) -> CompiledMethod:
    recipe = loaded.spec
    sized = check.sized_graph(
        check.wired(method_in(loaded), plugins), method_in(loaded), batch=recipe.batch, dataset=len(source),
        image=source.size or check.SOURCE, plugins=plugins,
    )  # fmt: skip
    given = {name: given_weights(name, Path(path)) for name, path in recipe.given.items()}
    method = CompiledMethod(sized, seed=recipe.seed, plugins=plugins, given=given)
    if recipe.compile:
        method.compile_programs()
    return method


def given_weights(name: str, path: Path) -> dict[str, Tensor]:
    """The weights that a recipe gives under a name, as its file has them."""
    if not path.is_file():
        raise SslgraphError(f"given: {name} is {path}, and there is no such file; give a file of exported weights")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        weights = dict(found.get("weights", found))
    except (OSError, EOFError, RuntimeError, ValueError, TypeError, AttributeError, pickle.UnpicklingError) as problem:
        cure = "give a file of exported weights: a mapping of names to tensors, which holds no code"
        raise SslgraphError(f"given: {name} is {path}, and it can't be read as weights; {cure}") from problem
    return weights


def _evaluated(run: Run, loaded: Loaded[Recipe], plugins: tuple[str, ...]) -> None:
    wish = online.setting(loaded.spec.evaluate)
    if wish is None:
        return
    views = loaded.spec.method.views
    view = evaluation_view(views, check.augmentations(method_in(loaded)), like=next(iter(views)), size=wish.size)
    data, on = loaded.spec.data, run.device
    if run.feed.source.labels is None:
        run.record.display.say(
            "the images have no labels: training needs none, and nearest neighbours are not measured"
        )
        return
    found = online.OnlineKnn(wish, data, view, device=on, precision=run.precision, plugins=plugins)
    run.evaluate, run.baseline, run.evaluate_every = found.measure, found.baseline, wish.steps(run.clock)


def _start(config: Config) -> Start:
    return Start(config.from_scratch, "".join(f" --plugin {plugin}" for plugin in config.plugins))


def _plugins(config: Config, recipe: Recipe) -> tuple[str, ...]:
    return (*recipe.plugins, *config.plugins)


def _facts(
    recipe: Recipe, method: CompiledMethod, on: torch.device, precision: torch.dtype, threads: int
) -> dict[str, Any]:
    name = torch.cuda.get_device_name(on) if on.type == "cuda" else f"processor, {threads} threads"
    return {
        "recipe": recipe.recipe, "batch": recipe.batch, "accumulate": recipe.accumulate, "ranks": collectives.ranks(),
        "trained_parameters": sum(p.numel() for p in method.parameters() if p.requires_grad),
        "device": name, "precision": str(precision).removeprefix("torch."), "torch": torch.__version__,
    }  # fmt: skip


def _introduce(run: Run, loaded: Loaded[Recipe], source: Source) -> None:
    """Says and writes down what the recipe resolved to, before anything is trained."""
    run.folder.mkdir(parents=True, exist_ok=True)
    clock = {"steps_per_epoch": run.clock.steps_per_epoch, "total_steps": run.clock.total_steps}
    provenance.note(run.folder, {**run.facts, "images": len(source), **clock})
    there = checkpoint.complete(run.checkpoints)
    if not there:
        (run.folder / "resolved.yaml").write_text(run.text)
        (run.folder / "recipe.yaml").write_text(Path(loaded.file).read_text())
    facts, epochs = run.facts, run.clock.total_steps / run.clock.steps_per_epoch
    pieces = f"{facts['ranks']} x {facts['accumulate']} x {facts['batch'] // facts['ranks'] // facts['accumulate']}"
    trained = f"{facts['trained_parameters']:,} trained parameters"
    lines = [
        f"{loaded.spec.method.method}: {trained}, {facts['device']}, {facts['precision']}",
        f"{len(source):,} images, batch {facts['batch']} (ranks x accumulation x images: {pieces}), "
        f"{run.clock.steps_per_epoch} steps an epoch, {epochs:g} epochs, {run.clock.total_steps} steps",
        *(f"loss {name}: {_landmarks(values)}" for name, values in run.method.landmarks.items() if values),
        run.optimizer.table(),
        *(["torch.compile takes about a minute, once, when a step is first run"] if loaded.spec.compile else []),
        f"run folder {run.folder}" + (f", goes on from {there[-1].name}" if there else ""),
    ]
    (run.folder / "introduction.txt").write_text("\n".join(lines) + "\n")
    run.record.display.say("\n".join(lines))


def _landmarks(values: Mapping[str, float]) -> str:
    """What values of a loss mean something, in words."""
    return ", ".join(f"{value:.4f} is {name.replace('_', ' ')}" for name, value in values.items())
