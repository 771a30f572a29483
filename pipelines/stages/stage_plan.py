"""Plans a pipeline: the text of each stage, what it is made from, and whether its artefact exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from sslgraph import home
from sslgraph.checked import augmentations
from sslgraph.errors import Fault, SpecError, placed, raise_all, under, unknown
from sslgraph.parts.kinds import problem as value_problem
from sslgraph.read import catalogue
from sslgraph.read.load import load_pipeline, load_recipe
from sslgraph.read.loaded import Loaded, method_in
from sslgraph.read.resolved import flat
from sslgraph.read.spec import Part, Pipeline, Recipe, Stage, Weights

from ..check import check
from ..check.request import located, request
from . import artefact
from .artefact import Sources
from .cells import Cell, Choices, cells, narrowed, refused
from .handed_on import handed_on
from .kinds.stage_kinds import KINDS, labels_problem
from .kinds.studying import study_faults
from .kinds.work import DATA, OF

State = Literal["done", "begun", "stale", "new"]
NEEDS = {
    "recipe": "the recipe that it trains", "of": "the stage that it is of", "given": "names for the stages it gathers"
}  # fmt: skip


@dataclass(frozen=True)
class Planned:
    """A stage with its recipe, if it trains; `inputs` names the stage, or the path, behind each artefact.

    `base` is its name in the text: the cells of a grid share it, and have a name each.
    """

    name: str
    base: str
    stage: Stage
    inputs: Mapping[str, str]
    folder: Path
    sources: Sources
    request: Mapping[str, Any]
    recipe: Loaded[Recipe] | None
    gathered: Mapping[str, tuple[str, Choices]] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """Done; begun and not finished; done from other sources than now; or nothing yet."""
        if artefact.done(self.folder) is not None:
            return "done"
        if self.folder.is_dir() and any(self.folder.iterdir()):
            return "begun"
        return "new" if artefact.earlier(self.folder.parent, self.name) is None else "stale"

    @property
    def why(self) -> str:
        """What has changed since a stale stage was made."""
        before = artefact.earlier(self.folder.parent, self.name) if self.state == "stale" else None
        return "" if before is None else f"made from another {self.sources.difference(before)}"


def plan(
    name: str,
    out: str | None = None,
    *,
    changes: Mapping[str, Any] | None = None,
    data: str | None = None,
    plugins: tuple[str, ...] = (),
) -> list[Planned]:
    """The stages in the order in which they run; SpecError with all that is wrong with the pipeline's own text.

    `out` is the folder of the artefacts; `changes` are those of a command line, STAGE.PATH or grid.AXIS; `data` is for
    trainings that name none.
    """
    loaded = load_pipeline(name)
    refuse(loaded)
    changes = dict(changes or {})
    axes = {path: changes.pop(path) for path in tuple(changes) if path.startswith("grid.")}
    loaded = narrowed(loaded, {path.removeprefix("grid."): choices for path, choices in axes.items()})
    told = _by_stage(loaded, changes)
    loaded = _changed(loaded, told)
    refuse(loaded)
    folder = Path(out or Path("runs", Path(name).stem)).resolve()
    made: dict[str, Planned] = {}
    for stage, cell in cells(loaded).items():
        with placed(loaded.place), under("stages", cell.base):
            made[stage] = _planned(loaded, stage, cell, made, folder, told.get(cell.base, {}), data, plugins)
    return list(made.values())


def refuse(loaded: Loaded[Pipeline]) -> None:
    """Refuses unknown kinds of stages, settings that a kind does not have, and inputs that it lacks."""
    faults = list[Fault]()
    for name, stage in loaded.spec.stages.items():
        here = ("stages", name)
        if (kind := KINDS.get(stage.do)) is None:
            faults.append(unknown((*here, "do"), f"stage '{name}': there is no kind of stage", stage.do, KINDS))
            continue
        faults += _wrong_settings(name, stage)
        lacks = "recipe" if kind.trains else "given" if kind.gathers or kind.takes else "of"
        if (
            not getattr(stage, lacks)
            and not (kind.takes or kind.begins)
            and not (kind.trains and _says_recipe(loaded.spec, stage))
        ):
            faults.append(Fault(here, f"do: {stage.do} needs {lacks}: {NEEDS[lacks]}"))
        elif kind.gathers:
            faults += study_faults(name, stage, loaded.spec)
        else:
            faults += handed_on(name, stage, loaded.spec)
    raise_all([*faults, *refused(loaded)], loaded.place)
    for cell in cells(loaded).values() if loaded.spec.grid else ():
        raise_all(_wrong_settings(cell.base, cell.stage), loaded.place)


def _wrong_settings(name: str, stage: Stage) -> Iterator[Fault]:
    kind, here = KINDS[stage.do], ("stages", name)
    for key, value in stage.settings.items():
        if key not in kind.settings:
            yield unknown((*here, key), f"do: {stage.do} has no setting", key, kind.settings)
        elif problem := labels_problem(value) if key == "labels" else value_problem(kind.settings[key], value):
            yield Fault((*here, key), f"{key}: {problem}")


def _says_recipe(pipeline: Pipeline, stage: Stage) -> bool:
    """Whether each choice of an axis says the recipe of a stage."""
    axes = [pipeline.grid.get(axis) for axis in stage.over]
    return any(isinstance(axis, dict) and all("recipe" in changes for changes in axis.values()) for axis in axes)


def _by_stage(loaded: Loaded[Pipeline], changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The changes of a command line, for each stage; a star means all that train."""
    trained = [name for name, stage in loaded.spec.stages.items() if KINDS[stage.do].trains]
    found: dict[str, dict[str, Any]] = {}
    for path, value in changes.items():
        stage, _, inner = path.partition(".")
        if not inner or stage not in ("*", *loaded.spec.stages):
            what = f"--set {path}: write STAGE.PATH; there is no stage"
            raise SpecError([unknown((), what, stage, loaded.spec.stages)])
        kind = KINDS[loaded.spec.stages[stage].do] if stage != "*" else None
        if kind is not None and not kind.trains and inner not in kind.settings:
            what = f"--set {path}: do: {loaded.spec.stages[stage].do} has no setting"
            raise SpecError([unknown((), what, inner, kind.settings)])
        for name in trained if stage == "*" else [stage]:
            found.setdefault(name, {})[inner] = value
    return found


def _changed(loaded: Loaded[Pipeline], told: Mapping[str, dict[str, Any]]) -> Loaded[Pipeline]:
    """The pipeline with the changes of a command line that are settings of a stage itself, such as labels."""
    stages = dict(loaded.spec.stages)
    for name, changes in told.items():
        own = {key: changes.pop(key) for key in tuple(changes) if key in KINDS[stages[name].do].settings}
        stages[name] = stages[name].model_copy(update={"settings": {**stages[name].settings, **own}})
    return replace(loaded, spec=loaded.spec.model_copy(update={"stages": stages}))


def _planned(
    loaded: Loaded[Pipeline], name: str, cell: Cell, made: Mapping[str, Planned], out: Path,
    told: Mapping[str, Any], data: str | None, plugins: tuple[str, ...],
) -> Planned:  # fmt: skip
    spec = cell.stage
    images: str | None = spec.settings.get(DATA) or (data if KINDS[spec.do].begins else None)
    if images is not None and images not in made:
        images = _path(loaded, images)
        spec = spec.model_copy(update={"settings": {**spec.settings, DATA: images}})
    named = {OF: spec.of, **spec.given, DATA: images if images in made else None}
    inputs = {word: other for word, other in named.items() if other}
    inputs = {word: other if other in made else _path(loaded, other) for word, other in inputs.items()}
    keys = {word: made[other].sources.key if other in made else other for word, other in inputs.items()}
    if not KINDS[spec.do].trains:
        text = artefact.digest([spec.do, spec.settings])
        sources = Sources(text, artefact.digest(keys), "")
        folder = artefact.folder_of(out, name, sources)
        return Planned(name, cell.base, spec, inputs, folder, sources, {}, None, cell.gathered)
    file = str(spec.recipe)
    if catalogue.is_file(file):
        file = str(Path(loaded.file).parent / file)
    overrides = {**spec.settings.get("set", {}), **told}
    overrides = {**_inherited(file, spec, made, overrides), **overrides}
    overrides |= {f"given.{word}": keys[word] for word in spec.given}
    asked = request(file, data=None if DATA in inputs else images or data, plugins=plugins, overrides=overrides)
    recipe = load_recipe(asked["recipe"], asked["overrides"])
    allowed = check.allowed_in(recipe, plugins)
    steps = {view: flat(found) for view, found in augmentations(method_in(recipe), allowed).items()}
    _refuse_unread(spec, recipe)
    whole = flat(recipe.spec)
    whole.pop("given", None)
    text = artefact.digest([spec.do, spec.settings.get("labels"), whole, steps])
    code = artefact.code_of([whole, steps], allowed)
    sources = Sources(text, artefact.digest(keys), code)
    asked = {**asked, "plugins": allowed}
    return Planned(name, cell.base, spec, inputs, artefact.folder_of(out, name, sources), sources, asked, recipe)


def _path(loaded: Loaded[Pipeline], written: str) -> str:
    """A path that a pipeline says, which starts in the folder of its text; of a shipped one, in the working folder."""
    is_shipped = Path(loaded.file).resolve().is_relative_to(home.SPECS)
    there = Path(loaded.file).resolve().parent / Path(written).expanduser()
    return str(there) if there.exists() and not is_shipped else located(written)


def _refuse_unread(spec: Stage, recipe: Loaded[Recipe]) -> None:
    """Refuses an artefact that no net of the stage takes."""
    names = sorted(net.weights.name for net in recipe.spec.method.nets.values() if net.weights and net.weights.name)
    said = "no net says weights: for the given"
    raise_all(unknown(("given", word), said, word, names) for word in spec.given if word not in names)


def _inherited(file: str, spec: Stage, made: Mapping[str, Planned], told: Mapping[str, Any]) -> dict[str, Any]:
    """The nets that take all their weights from an earlier stage, with the settings that they have there."""
    nets = load_recipe(file, told).spec.method.nets
    found: dict[str, Any] = {}
    for net, own in nets.items():
        source = made.get(spec.given.get(own.weights.name or "", "")) if own.weights is not None else None
        if source is None or source.recipe is None or own.weights is None or own.weights.leave:
            continue
        method = source.recipe.spec.method
        theirs = method.nets.get(_name_there(net, own.weights, method.nets, method.export))
        if theirs is not None:
            kept = {key: value for key, value in flat(own).items() if key in Part.model_fields and key != "use"}
            found[f"nets.{net}"] = {"use": theirs.use, **flat(theirs.settings), **kept}
    return found


def _name_there(net: str, weights: Weights, nets: Mapping[str, Part], export: str) -> str:
    """What a net is called in the method that trained it."""
    if weights.under is not None:
        return weights.under.removeprefix("parts.")
    return net if net in nets else export.partition(".")[0]
