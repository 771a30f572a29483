"""From a name or a file to a method, a recipe, a pipeline or an augmentation; all faults at once. Imports no torch.

    load_method("moco_v2", overrides={"nets.f.depth": 18})
    load_recipe("cifar10/simclr", overrides={"epochs": 2, "optimizer.lr": 0.1, "nets.f.depth": 18})

The way of a text: read, inherit, override, dereference, validate. An override that begins with a key of a recipe
(data.path, optimizer.lr, epochs) changes the recipe; one that begins with a section of a method (nets.f.depth, or
method.nets.f.depth) changes the method, after all that the texts say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path as File
from typing import Any

import yaml

from sslgraph.errors import Fault, SpecError, nearest, raise_all, refusal, unknown
from sslgraph.read import catalogue
from sslgraph.read.compose.inherit import asked, method_text, recipe_text, text_of, with_base
from sslgraph.read.compose.references import dereferenced, rooted
from sslgraph.read.document import Document, read, read_text
from sslgraph.read.loaded import Loaded, Spec, UnsoundError, method_in
from sslgraph.read.located import Value
from sslgraph.read.paths import absolute
from sslgraph.read.spec import Augmentation, Method, Path, Pipeline, Recipe
from sslgraph.read.validate import validated, without_faults

PIPELINES = "pipelines/"  # tells a pipeline from a method of the same name


def load_method(
    name_or_file: str | File | Mapping[str, Any], *, overrides: Mapping[str, Any] | None = None
) -> Loaded[Method]:
    """A method by its name or its file, with `extends` carried out, `$references` copied and overrides set.

    A YAML text of several lines, and a mapping, are read as if they stood in a file of the current folder.
    A recipe, such as the resolved text of a run, gives its method as it changes it.
    """
    if isinstance(name_or_file, Mapping) or "\n" in str(name_or_file):
        return _method_in(_in_place(name_or_file), overrides)
    is_recipe = not catalogue.has("methods", str(name_or_file)) and catalogue.has("recipes", str(name_or_file))
    return _method_in(text_of("recipes" if is_recipe else "methods", name_or_file), overrides)


def _method_in(document: Document, overrides: Mapping[str, Any] | None) -> Loaded[Method]:
    if document.kind == "recipe":
        return method_in(recipe_of(document, overrides))
    return method_of(document, overrides=overrides)


def method_of(document: Document, *, overrides: Mapping[str, Any] | None = None) -> Loaded[Method]:
    """The method that a document writes."""
    faults: list[Fault] = []
    text = method_text(document.of_kind("method").root, asked(overrides), faults)
    return _loaded(Method, rooted(dereferenced(text, faults), faults), document.file, faults)


def load_recipe(
    name_or_file: str | File | Mapping[str, Any], overrides: Mapping[str, Any] | None = None
) -> Loaded[Recipe]:
    """A recipe by its name or its file; a method's name means its demo recipe, a method's file the default recipe.

    A YAML text of several lines, and a mapping, are read as if they stood in a file of the current folder.
    """
    return recipe_of(_recipe(name_or_file), overrides)


def _in_place(text: str | File | Mapping[str, Any]) -> Document:
    """A text that stands in no file."""
    written = yaml.safe_dump(dict(text), sort_keys=False) if isinstance(text, Mapping) else str(text)
    return read_text(written, File("text.yaml"))


def _recipe(name_or_file: str | File | Mapping[str, Any]) -> Document:
    if isinstance(name_or_file, Mapping) or "\n" in str(name_or_file):
        document = _in_place(name_or_file)
        if document.kind != "method":
            return document
        base = with_base(catalogue.file_of("recipes", "default"), "default", "", "default")
        content = {**base.root.content, "method": document.root}
        return replace(base, root=replace(base.root, content=content))
    name = str(name_or_file)
    if catalogue.is_file(name_or_file):
        document = read(catalogue.file_of("recipes", name_or_file))
        if document.kind != "method":
            return document
        default = catalogue.file_of("recipes", "default")
        return with_base(default, "default", str(document.file.resolve()), "default")
    if catalogue.has("recipes", name):
        return text_of("recipes", name)
    if catalogue.has("methods", name):
        return text_of("recipes", f"demo/{name}")
    methods, recipes = catalogue.names("methods"), catalogue.names("recipes")
    close = nearest(name, (*methods, *recipes))
    form = "a recipe is written DATASET/METHOD; a file's name ends in .yaml"
    raise refusal((), f"there is no recipe or method '{name}'", f"did you mean '{close}'?" if close else form, methods)


def recipe_of(document: Document, overrides: Mapping[str, Any] | None = None) -> Loaded[Recipe]:
    """The recipe that a document writes. Its method is a name, a file beside it, or a whole method in place."""
    faults: list[Fault] = []
    text = recipe_text(document.of_kind("recipe").root, asked(overrides), faults)
    method = rooted(dereferenced(text.content["method"], faults), faults)
    text = dereferenced(replace(text, content={**text.content, "method": method}), faults, skip=("method",))
    return _loaded(Recipe, absolute(text), document.file, faults)


def load_pipeline(name_or_file: str | File) -> Loaded[Pipeline]:
    """A pipeline by its name (or pipelines/NAME) or its file; its stages come in an order in which they can run."""
    name = name_or_file.removeprefix(PIPELINES) if isinstance(name_or_file, str) else name_or_file
    return pipeline_of(read(catalogue.file_of("pipelines", name)))


def is_pipeline(name_or_file: str) -> bool:
    """Whether a name or a file means a pipeline; of a method and a pipeline of one name the method is meant."""
    if catalogue.is_file(name_or_file):
        return File(name_or_file).is_file() and read(File(name_or_file)).kind == "pipeline"
    is_other = catalogue.has("methods", name_or_file) or catalogue.has("recipes", name_or_file)
    return not is_other and catalogue.has("pipelines", name_or_file.removeprefix(PIPELINES))


def pipeline_of(document: Document) -> Loaded[Pipeline]:
    """The pipeline that a document writes."""
    faults: list[Fault] = []
    root = dereferenced(document.of_kind("pipeline").root, faults)
    loaded = _loaded(Pipeline, root, document.file, faults)
    return replace(loaded, spec=_in_order(loaded.spec, root))


def load_augmentation(name_or_file: str | File) -> Loaded[Augmentation]:
    """An augmentation by its name or its file."""
    document = read(catalogue.file_of("augmentations", name_or_file)).of_kind("augmentation")
    faults: list[Fault] = []
    return _loaded(Augmentation, dereferenced(document.root, faults), document.file, faults)


def _loaded(model: type[Spec], text: Value, file: File, faults: list[Fault]) -> Loaded[Spec]:
    """The spec that a whole text writes; raises all faults, those found on the way to it too."""
    spec = validated(model, text, faults)
    if not faults and spec is not None:
        return Loaded(spec, text, file)
    rest = without_faults(model, text)
    raise SpecError(faults) if rest is None else UnsoundError(faults, Loaded(rest, text, file))


def _in_order(pipeline: Pipeline, root: Value) -> Pipeline:
    """The pipeline with its stages sorted; a stage comes after those whose artefacts it is given."""
    needs: dict[str, set[str]] = {}
    faults: list[Fault] = []
    for name, stage in pipeline.stages.items():
        artefacts: dict[Path, str] = {("of",): stage.of} if stage.of else {}
        artefacts |= {("given", key): artefact for key, artefact in stage.given.items()}
        data = stage.settings.get("data")
        needs[name] = {data} if isinstance(data, str) and data in pipeline.stages.keys() - {name} else set()
        for path, artefact in artefacts.items():
            source = artefact.partition(".")[0]
            if source in pipeline.stages:
                needs[name].add(source)
            elif not {"/", "\\"} & set(artefact):  # a path is a checkpoint from elsewhere
                place = root.nearest(("stages", name, *path)).place
                faults.append(unknown(place, f"stage '{name}' is given the unknown artefact", source, pipeline.stages))
    try:
        order = tuple(TopologicalSorter(needs).static_order())
    except CycleError as wrong:
        circle = " <- ".join(wrong.args[1])
        faults.append(Fault(root.nearest(("stages",)).place, f"the stages wait for each other: {circle}"))
    raise_all(faults)
    return pipeline.model_copy(update={"stages": {name: pipeline.stages[name] for name in order}})
