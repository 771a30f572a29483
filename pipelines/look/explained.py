"""Explains one value of a spec: what it is, where it comes from, what it does. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Any

from sslgraph import home
from sslgraph.errors import Place, SpecError, SslgraphError, nearest, unknown
from sslgraph.lint import RULES
from sslgraph.parts import registry
from sslgraph.parts.arguments import kind_in_words
from sslgraph.read.compose.edits import find, missing, pieces
from sslgraph.read.compose.inherit import RECIPE_KEYS
from sslgraph.read.load import load_augmentation, load_method
from sslgraph.read.loaded import Loaded
from sslgraph.read.located import Value, written
from sslgraph.read.spec import Loss, Method, Part, Path, Recipe, Target, View

from ..check.check import allowed_in, load

MODELS = {"nets": Part, "ops": Part, "state": Part, "losses": Loss, "targets": Target, "views": View}
LONGEST = 100


def rule(number: str) -> str:
    """A rule of the linter: what holds, where that is known from, how it is silenced. SpecError if there is none."""
    numbers = [rule.number for rule in RULES]
    if number not in numbers:
        raise SpecError([unknown((), "there is no rule", number, numbers)])
    found = RULES[numbers.index(number)]
    return (
        f"{found.number}: {found.sentence}\n"
        f"  known from  {found.source}\n"
        f'  silence it  lint: {{{found.number}: "why it does not count here"}} in the method'
    )


def value(name: str, dotted: str, plugins: tuple[str, ...], overrides: Mapping[str, Any]) -> str:
    """A value of a method or a recipe by its path. SpecError if there is none, with what there is."""
    method, recipe = load(name, overrides)
    path = pieces(dotted.removeprefix("method."))
    loaded: Loaded[Any] = recipe if recipe is not None and path[0] in (*RECIPE_KEYS, "data") else method
    if path[0] not in loaded.text.content and path[0] not in type(loaded.spec).model_fields:
        known = {*Method.model_fields, *(Recipe.model_fields if recipe else ())} - {"method"}
        raise SpecError([unknown((), "no path begins with", str(path[0]), sorted(known))])
    allowed = allowed_in(recipe or method, plugins)
    lines = list(_lines(loaded, method, path, allowed))
    return "\n".join([f"{dotted}: {lines[0][1]}", *(f"  {word:<9} {text}" for word, text in lines[1:])])


def _lines(
    loaded: Loaded[Any], method: Loaded[Method], path: Path, plugins: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """What is said of a value, each with the word in front of it; the value itself first."""
    found = find(loaded.text, path)
    use, setting = _part(loaded, path)
    if found is not None:
        yield "", _plain(found.plain)
        yield "from", _origin(found.place, method)
    else:
        default, origin = _default(loaded, path, use, setting, plugins)
        yield "", default
        yield "from", origin
    before = _published(method, path) if loaded is method else None
    if found is not None and before is not None and before.place != found.place:
        yield "method", f"{_plain(before.plain)} ({_where(before.place)})"
    if use:
        signature = registry.signature(use, plugins)
        if setting in signature.settings:
            yield "meaning", signature.meanings.get(setting, "not described")
            yield "takes", kind_in_words(signature.settings[setting])
        yield "part", f"{use} ({signature.traits.source}); sslgraph show {use}"
    paper = method.spec.paper
    if paper is not None and loaded is method:
        yield "paper", f"{paper.title}, {paper.year}" + (f", arXiv:{paper.arxiv}" if paper.arxiv else "")


def _part(loaded: Loaded[Any], path: Path) -> tuple[str, str]:
    """The part that a path's value is a setting of, and that setting; "" for none."""
    if path[0] == "views" and len(path) == 3 and path[2] not in View.model_fields:
        view = find(loaded.text, path[:2])
        steps = load_augmentation(_augmentation(view)).spec.steps if view else {}
        step, _, setting = str(path[2]).rpartition(".")
        having = [part.use for name, part in steps.items() if step in ("", name) and _has(part.use, setting)]
        return (having[0], setting) if having else ("", "")
    for end in range(len(path) - 1, 0, -1):
        node = find(loaded.text, path[:end])
        use = node.child("use") if node else None
        if use is not None and isinstance(use.content, str) and "." in use.content:
            return use.content, str(path[end])
    return "", ""


def _has(use: str, setting: str) -> bool:
    return ":" not in use and setting in registry.signature(use).settings


def _default(
    loaded: Loaded[Any], path: Path, use: str, setting: str, plugins: tuple[str, ...]
) -> tuple[str, str]:  # fmt: skip
    """A value that no text gives, and where its default is; SpecError if the path means nothing."""
    if path[0] == "views" and use:
        step = load_augmentation(_augmentation(find(loaded.text, path[:2])))
        inner = find(step.text, ("steps", *str(path[2]).split(".")))
        if inner is not None:
            return _plain(inner.plain), f"augmentation, {_where(inner.place)}"
    if use and setting in (known := registry.signature(use, plugins).settings):
        told = "must be given" if known[setting].is_required else _plain(known[setting].default)
        return told, f"default of {use}"
    model: Any = type(loaded.spec) if len(path) == 1 else MODELS.get(str(path[0])) if len(path) == 3 else None
    is_there = len(path) == 1 or find(loaded.text, path[:2]) is not None
    field = model.model_fields.get(str(path[-1])) if model and is_there else None
    if field is not None and not field.is_required():
        return _plain(field.get_default(call_default_factory=True)), "default of the language"
    above = find(loaded.text, path[:2])
    if use and setting and above is not None:
        names = [*registry.signature(use, plugins).settings]
        close = nearest(setting, names)
        cure = f"did you mean '{close}'?" if close else f"it has: {', '.join(names)}"
        raise SslgraphError(f"{use} has no setting '{setting}'; {cure}")
    place = Place("")
    fault = missing(loaded.text, path, written(None, place))
    raise SslgraphError(str(fault).removeprefix(": "))


def _augmentation(view: Value | None) -> str:
    named = view.child("augment") if view else None
    return str(named.content) if named else ""


def _published(method: Loaded[Method], path: Path) -> Value | None:
    """What the method's own text says, without a recipe and without the command line."""
    try:
        return find(load_method(method.file).text, path) if method.file.is_file() else None
    except SslgraphError:
        return None


def _origin(place: Place, method: Loaded[Method]) -> str:
    """Which text says it: the command line, a recipe, the method or one that it extends."""
    if place.file.startswith("--set"):
        return "the command line, --set"
    file = File(place.file)
    if file.is_file() and file.resolve() == method.file.resolve():
        return f"method, {_where(place)}"
    shipped = home.SPECS in file.resolve().parents
    kind = file.resolve().relative_to(home.SPECS).parts[0].removesuffix("s") if shipped else "text"
    return (
        f"{kind}, {_where(place)}" if file.is_file() else "the recipe that a name stands for: a base with this method"
    )


def _where(place: Place) -> str:
    return f"{place.file}:{place.line}" if place.line else place.file


def _plain(content: Any) -> str:
    """A value as a spec writes it, on one line."""
    if isinstance(content, Mapping):
        text = f"{{{', '.join(f'{key}: {_plain(inner)}' for key, inner in content.items())}}}"
    elif isinstance(content, list | tuple):
        text = f"[{', '.join(map(_plain, content))}]"
    else:
        text = "null" if content is None else str(content).lower() if isinstance(content, bool) else str(content)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
