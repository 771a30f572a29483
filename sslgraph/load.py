"""From a name or a file to a method, a recipe, a pipeline or an augmentation; all faults at once. Imports no torch.

    load_method("moco_v2", overrides={"nets.f.depth": 18})
    load_recipe("cifar10/simclr", overrides={"epochs": 2, "optimizer.lr": 0.1, "nets.f.depth": 18})

An override that begins with a key of a recipe (data.path, optimizer.lr, epochs) changes the recipe; one that begins
with a section of a method (nets.f.depth, or method.nets.f.depth) changes the method, after all that the texts say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path as File
from typing import Any, TypeVar

from sslgraph import catalogue, home
from sslgraph.document import Document, read, read_value
from sslgraph.edits import EDITS, TOP, edited, with_value
from sslgraph.errors import Fault, Place, SpecError, nearest, refusal, unknown
from sslgraph.loaded import LoadedAugmentation as LoadedAugmentation
from sslgraph.loaded import LoadedMethod as LoadedMethod
from sslgraph.loaded import LoadedPipeline as LoadedPipeline
from sslgraph.loaded import LoadedRecipe as LoadedRecipe
from sslgraph.references import dereferenced, rooted
from sslgraph.spec import Augmentation, Method, Path, Pipeline, Recipe
from sslgraph.validate import validated
from sslgraph.values import Value, written

Model = TypeVar("Model")
RECIPE_KEYS = tuple(key for key in Recipe.model_fields if key not in EDITS)


def load_method(name_or_file: str | File, *, overrides: Mapping[str, Any] | None = None) -> LoadedMethod:
    """A method by its name or its file, with `extends` carried out, `$references` copied and overrides set.

    A recipe, such as the resolved text of a run, gives its method as it changes it.
    """
    is_recipe = not catalogue.has("methods", str(name_or_file)) and catalogue.has("recipes", str(name_or_file))
    document = read(catalogue.file_of("recipes" if is_recipe else "methods", name_or_file))
    if document.kind == "recipe":
        return recipe_of(document, overrides).method
    return method_of(document, overrides=overrides)


def method_of(document: Document, *, overrides: Mapping[str, Any] | None = None) -> LoadedMethod:
    """The method that a document writes."""
    _check_kind(document, "method")
    faults: list[Fault] = []
    text = _whole(document.root, document.file, faults)
    for path, value in (overrides or {}).items():
        text = with_value(text, path.removeprefix("method."), _given(path, value), faults)
    loaded = _method(text, document.file, faults)
    return _without_faults(loaded, faults)


def load_recipe(name_or_file: str | File, overrides: Mapping[str, Any] | None = None) -> LoadedRecipe:
    """A recipe by its name or its file; a method's name means its demo recipe, a method's file the default recipe."""
    if not catalogue.is_file(name_or_file) and not catalogue.has("recipes", str(name_or_file)):
        if catalogue.has("methods", str(name_or_file)):
            return demo_recipe(str(name_or_file), overrides)
        raise SpecError([_nowhere(str(name_or_file))])
    document = read(catalogue.file_of("recipes", name_or_file))
    if document.kind == "method":
        return _default_recipe(str(document.file.resolve()), overrides)
    return recipe_of(document, overrides)


def _nowhere(name: str) -> Fault:
    methods, recipes = catalogue.names("methods"), catalogue.names("recipes")
    close = nearest(name, (*methods, *recipes))
    cure = (
        f"did you mean '{close}'?"
        if close
        else "a method's recipes are written demo/simclr; a file's name ends in .yaml"
    )
    return Fault(None, f"there is no recipe or method '{name}'", methods, cure)


def demo_recipe(method: str, overrides: Mapping[str, Any] | None = None) -> LoadedRecipe:
    """The small recipe of a shipped method that needs no data: its own under recipes/demo, else the default one."""
    if catalogue.has("recipes", f"demo/{method}"):
        return load_recipe(f"demo/{method}", overrides)
    catalogue.file_of("methods", method)
    return _default_recipe(method, overrides)


def recipe_of(document: Document, overrides: Mapping[str, Any] | None = None) -> LoadedRecipe:
    """The recipe that a document writes. Its method is a name, a file beside it, or a whole method in place."""
    _check_kind(document, "recipe")
    faults: list[Fault] = []
    own, inner = _divided(overrides or {}, faults)
    root = _one_length(document.root, own)
    for path, given in own.items():
        root = with_value(root, path, given, faults, RECIPE_KEYS)
    method = _method_of_recipe(root, document.file, inner, faults)
    value = root.child("method")
    if method and value and isinstance(value.content, dict):
        root = replace(root, content={**root.content, "method": replace(value, content=method.method.method)})
    root = dereferenced(root, faults, skip=("method", *EDITS))
    recipe = validated(Recipe, root, faults)
    loaded = LoadedRecipe(recipe, method, root, document.file) if recipe and method else None
    return _without_faults(loaded, faults)


def load_pipeline(name_or_file: str | File) -> LoadedPipeline:
    """A pipeline by its name or its file; its stages come back in an order in which they can run."""
    return pipeline_of(_read(catalogue.file_of("pipelines", name_or_file), "pipeline"))


def pipeline_of(document: Document) -> LoadedPipeline:
    """The pipeline that a document writes."""
    _check_kind(document, "pipeline")
    faults: list[Fault] = []
    root = dereferenced(document.root, faults)
    pipeline = validated(Pipeline, root, faults)
    ordered = _in_order(pipeline, root, faults) if pipeline else None
    return _without_faults(LoadedPipeline(ordered, root, document.file) if ordered else None, faults)


def load_augmentation(name_or_file: str | File) -> LoadedAugmentation:
    """An augmentation by its name or its file."""
    document = _read(catalogue.file_of("augmentations", name_or_file), "augmentation")
    faults: list[Fault] = []
    root = dereferenced(document.root, faults)
    augmentation = validated(Augmentation, root, faults)
    return _without_faults(LoadedAugmentation(augmentation, root, document.file) if augmentation else None, faults)


def parse_overrides(settings: Sequence[str]) -> dict[str, Any]:
    """Reads what follows --set on a command line: ["nets.f.depth=18", "targets.fk.momentum={cosine: [0.99, 1]}"]."""
    found = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path.strip():
            raise refusal(None, f"--set takes path=value, and is given '{setting}'", "write --set nets.f.depth=18")
        found[path.strip()] = read_value(value, f"--set {path.strip()}")
    return found


def _read(file: File, kind: str) -> Document:
    document = read(file)
    _check_kind(document, kind)
    return document


def _check_kind(document: Document, kind: str) -> None:
    if document.kind != kind:
        raise refusal(document.root.place, f"this is a {document.kind}, and a {kind} is asked for")


def _whole(root: Value, file: File, faults: list[Fault], chain: tuple[File, ...] = ()) -> Value:
    """The text of a method with its parent's, edited as it says."""
    chain = (*chain, file.resolve())
    parent = root.child("extends")
    if parent is None:
        for word in EDITS:
            if value := root.child(word):
                problem = f"{word}: changes a parent, and this method has none"
                faults.append(Fault(value.key, problem, (), "add extends: and its name"))
        return replace(root, content={key: value for key, value in root.content.items() if key not in EDITS})
    if not isinstance(parent.content, str):
        known = catalogue.names("methods")
        raise refusal(parent.place, "extends: takes the name of one method, or its file", there_are=known)
    from_file = catalogue.file_of("methods", parent.content, asks="the method extends", value=parent)
    if from_file.resolve() in chain:
        raise refusal(parent.place, f"'{parent.content}' extends this method in turn", "cut the circle")
    return edited(_whole(_read(from_file, "method").root, from_file, faults, chain), root, faults, sections=root)


def _method(text: Value, file: File, faults: list[Fault]) -> LoadedMethod | None:
    text = rooted(dereferenced(text, faults), faults)
    method = validated(Method, text, faults)
    return LoadedMethod(method, text, file) if method else None


def _method_of_recipe(root: Value, file: File, overrides: dict[str, Value], faults: list[Fault]) -> LoadedMethod | None:
    value = root.child("method")
    if value is None or not isinstance(value.content, str | dict):
        return None
    if isinstance(value.content, str):
        file = catalogue.file_of("methods", value.content, asks="the recipe trains the method", value=value)
        value = _read(file, "method").root
    text = edited(_whole(value, file, faults), root, faults)
    for path, given in overrides.items():
        text = with_value(text, path, given, faults)
    return _method(text, file, faults)


def _default_recipe(method: str, overrides: Mapping[str, Any] | None) -> LoadedRecipe:
    document = read(home.SPECS / "recipes" / "default.yaml")
    content = {**document.root.content, "method": written(method, Place(method))}
    return recipe_of(replace(document, root=replace(document.root, content=content)), overrides)


def _divided(overrides: Mapping[str, Any], faults: list[Fault]) -> tuple[dict[str, Value], dict[str, Value]]:
    """Overrides of the recipe and overrides of its method."""
    own, inner = {}, {}
    for path, value in overrides.items():
        rest = path.removeprefix("method.")
        first = rest.partition(".")[0]
        if rest != path or (first in TOP and first not in RECIPE_KEYS):
            inner[rest] = _given(path, value)
        elif first in RECIPE_KEYS:
            own[path] = _given(path, value)
        else:
            known = (*RECIPE_KEYS, *(key for key in TOP if key != "method"))
            faults.append(unknown(_given(path, value).place, "the path begins with", first, known))
    return own, inner


def _given(path: str, value: Any) -> Value:
    return written(value, Place(f"--set {path}"))


def _one_length(root: Value, own: Mapping[str, Value]) -> Value:
    """A run is as long as the last word says: steps given on the command line take the place of the file's epochs."""
    other = {"steps": "epochs", "epochs": "steps"}
    dropped = {other[key] for key in own if key in other} - set(own)
    return replace(root, content={key: value for key, value in root.content.items() if key not in dropped})


def _in_order(pipeline: Pipeline, root: Value, faults: list[Fault]) -> Pipeline | None:
    """The pipeline with its stages sorted; a stage comes after those whose artefacts it is given."""
    needs: dict[str, set[str]] = {}
    for name, stage in pipeline.stages.items():
        artefacts: dict[Path, str] = {("of",): stage.of} if stage.of else {}
        artefacts |= {("given", key): artefact for key, artefact in stage.given.items()}
        needs[name] = set()
        for path, artefact in artefacts.items():
            source = artefact.partition(".")[0]
            if source in pipeline.stages:
                needs[name].add(source)
            elif not {"/", "\\"} & set(artefact):  # a path is a checkpoint from elsewhere
                place = root.nearest(("stages", name, *path)).place
                faults.append(unknown(place, f"stage '{name}' is given", source, pipeline.stages))
    try:
        order = tuple(TopologicalSorter(needs).static_order())
    except CycleError as wrong:
        circle = " <- ".join(wrong.args[1])
        faults.append(Fault(root.nearest(("stages",)).place, f"the stages wait for each other: {circle}"))
        return None
    return pipeline.model_copy(update={"stages": {name: pipeline.stages[name] for name in order}})


def _without_faults(loaded: Model | None, faults: list[Fault]) -> Model:
    if faults or loaded is None:
        raise SpecError(faults)
    return loaded
