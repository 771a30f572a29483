"""Checks a pipeline before it runs: the text of each stage, and that the weights handed on fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError
from sslgraph.read.resolved import flat
from sslgraph.settle.sized import SizedGraph

from ..check import check
from ..check.check import Examination, examine
from ..check.request import moved
from ..feed.open_source import unlabelled
from ..weights.given import given
from ..weights.opening import Opened, opened
from . import artefact
from .kinds.stage_kinds import KINDS
from .kinds.studying import asked
from .kinds.work import DATA
from .stage_plan import Planned


def checked(stages: Sequence[Planned], plugins: tuple[str, ...] = ()) -> Iterator[tuple[str, Examination | None]]:
    """A line about each stage, and what the check of its recipe found; SslgraphError at the first that is wrong.

    An earlier stage need not have run: names and shapes of its weights follow from its text. Of cells that differ in
    numbers of labels and in seeds alone the first is checked, and tells about all.
    """
    sized: dict[str, SizedGraph] = {}
    found: dict[str, str] = {}
    for stage in stages:
        if stage.recipe is None:
            yield f"{stage.name}: OK", None
            continue
        if (like := found.setdefault(_text(stage, sized), stage.name)) != stage.name:
            sized[stage.name] = sized[like]
            yield f"{stage.name}: OK, like {like}", None
            continue
        examined, said = _checked(stage, sized, plugins)
        assert examined.sized is not None
        sized[stage.name] = examined.sized
        facts = [counted(sum(map(examined.sized.parameters, examined.sized.parts)), "parameter"), *said]
        yield f"{stage.name}: OK ({'; '.join(facts)})", examined


def _text(stage: Planned, sized: Mapping[str, SizedGraph]) -> str:
    """What a check depends on."""
    assert stage.recipe is not None
    told = flat(stage.recipe.spec)
    data = {key: value for key, value in told["data"].items() if key != "seed"}
    inputs = {word: id(sized[other]) if other in sized else other for word, other in stage.inputs.items()}
    return artefact.digest([{**told, "data": data, "seed": 0, "given": None}, inputs])


def _checked(
    stage: Planned, sized: Mapping[str, SizedGraph], plugins: tuple[str, ...]
) -> tuple[Examination, tuple[str, ...]]:
    """What is found about a stage that trains, and what is said of the weights that it is given."""
    overrides = {path: value for path, value in stage.request["overrides"].items() if not path.startswith("given.")}
    try:
        found = examine(stage.request["recipe"], plugins=plugins, overrides=overrides)
        assert found.sized is not None
        names = {word: stage.inputs[word] for word in stage.stage.given}
        taken = given(found.sized, names, is_check=True, read=lambda place: _opened(place, sized))
    except SslgraphError as wrong:
        raise SslgraphError(f"stage '{stage.name}': {wrong}") from wrong
    return found, tuple(taken.said)


def _opened(place: str, sized: Mapping[str, SizedGraph]) -> Opened:
    """The weights that a stage will have, without their numbers; those of a path with them."""
    if place not in sized:
        return opened(place)
    found = sized[place]
    tensors = {
        f"parts.{part}.{name}": tensor
        for part, module in found.parts.items()
        for name, tensor in module.state_dict().items()
    }
    return Opened(place, tensors, f"parts.{found.graph.method.export.partition('.')[0]}.")


def refuse_unlabelled(stages: Sequence[Planned], plugins: tuple[str, ...] = ()) -> None:
    """Refuses a study that asks for shares of right classes where images have no labels; looks at the images."""
    by_name = {stage.name: stage for stage in stages}
    seen = set[str]()
    for study in stages:
        wanted = asked(study.stage) if KINDS[study.stage.do].gathers and study.state != "done" else {}
        for name, (word, _) in study.gathered.items():
            told = by_name[name]
            facts = wanted.get(word, set()) & set(KINDS[told.stage.do].of_labels)
            trained = by_name.get(told.inputs.get("of", ""), told)
            if not facts or trained.recipe is None or DATA in {*told.inputs, *trained.inputs}:
                continue
            path = told.stage.settings.get("data") if told is not trained else None
            images = moved(trained.recipe.spec.data, path)
            text = artefact.digest([images.use, images.settings])
            split = None if text in seen else unlabelled(images, check.allowed_in(trained.recipe, plugins))
            seen.add(text)
            if split is not None:
                raise SslgraphError(
                    f"stage '{study.base}' compares {' and '.join(sorted(facts))} of '{told.base}', which needs "
                    f"labels, and the {split} images of '{trained.base}' have none; give images with labels (--data)"
                )
