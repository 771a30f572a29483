"""One text out of several: a parent, each child's changes to it, and those of the command line. Imports no torch.

A recipe changes two texts by the same paths: its own numbers (optimizer.lr), and its method (nets.f.depth).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path as File
from typing import Any

from sslgraph.errors import Fault, Place, refusal, unknown
from sslgraph.read import catalogue
from sslgraph.read.compose.edits import EDITS, TOP, Edit, edits_of, merge, removed, replaced, with_value
from sslgraph.read.compose.stars import spread
from sslgraph.read.document import Document, read
from sslgraph.read.located import Value, written
from sslgraph.read.spec import Recipe

RECIPE_KEYS = tuple(Recipe.model_fields)
_OTHER = {"steps": "epochs", "epochs": "steps"}


def text_of(kind: catalogue.Kind, name: str | File, *, value: Value | None = None) -> Document:
    """The text of a name or a file; of a recipe without a file of its own, what would be in it.

    `value` says where the name is written, for the message.
    """
    file = catalogue.file_of(kind, name, value=value)
    base = catalogue.base_of(str(name)) if kind == "recipes" and not catalogue.is_file(name) else None
    return with_base(file, base, str(name).rpartition("/")[2], str(name)) if base else read(file)


def with_base(file: File, base: str, method: str, title: str) -> Document:
    """The recipe of a method that has none of its own: a base and the method. Its file is the base's."""
    return Document(file, written({"recipe": title, "extends": base, "method": method}, Place(title)))


def asked(overrides: Mapping[str, Any] | None) -> list[Edit]:
    """The changes of a command line, which come after those of all texts."""
    return [Edit("set", path, written(value, Place(f"--set {path}"))) for path, value in (overrides or {}).items()]


def method_text(root: Value, given: Sequence[Edit], faults: list[Fault]) -> Value:
    """A method's text without `extends`: its parents' text, changed as it says, then as `given` says."""
    first, *children = _chain(root, "methods")
    for word in EDITS:
        if value := first.child(word):
            problem = f"{word}: changes a parent, and this method has none"
            faults.append(Fault(value.key or value.place, problem, (), "add extends: and its name"))
    text = merge(Value({}, root.place), first)
    for child in children:
        text = _edited(text, child, edits_of(child, faults), faults)
    own = [edit._replace(path=edit.path.removeprefix("method.")) for edit in given]
    return _changed(text, own, faults)


def recipe_text(root: Value, given: Sequence[Edit], faults: list[Fault]) -> Value:
    """A recipe's text without `extends`, `set`, `replace` and `remove`: with its method in it, as they change it."""
    text, of_method = Value({}, root.place), list[Edit]()
    for layer in _chain(root, "recipes"):
        own, inner = _divided(edits_of(layer, faults), faults)
        text = _one_length(text, [*layer.content, *(edit.path for edit in own)])
        text = _edited(text, layer, own, faults, RECIPE_KEYS)
        is_base = text.child("method") is None
        of_method += [edit._replace(for_any_method=is_base) for edit in inner]
    own, inner = _divided(given, faults)
    text = _changed(_one_length(text, [edit.path for edit in own]), own, faults, RECIPE_KEYS)
    method = text.child("method")
    if method is None:
        cure = "add method: and a method's name or file, or name a recipe that extends this one"
        raise refusal(root.place, "this recipe has no method: it is a base that others extend", cure)
    whole = method_text(_method(method), [*of_method, *inner], faults)
    return replace(text, content={**text.content, "method": replace(whole, key=method.key)})


def _chain(root: Value, kind: catalogue.Kind) -> list[Value]:
    """A text with those that it extends before it, the eldest first."""
    what, chain = kind.removesuffix("s"), [root]
    files = {File(root.place.file).resolve()}
    while parent := chain[0].child("extends"):
        if not isinstance(parent.content, str):
            known = catalogue.names(kind)
            raise refusal(parent.place, f"extends: takes the name of one {what}, or its file", there_are=known)
        if kind == "methods" and not catalogue.has(kind, parent.content) and catalogue.has("recipes", parent.content):
            raise refusal(parent.place, f"'{parent.content}' is a recipe", "a recipe opens with recipe: and its title")
        document = text_of(kind, parent.content, value=parent).of_kind(what)
        file = File(document.root.place.file).resolve()
        if file in files:
            raise refusal(parent.place, f"'{parent.content}' extends this {what} in turn", "cut the circle")
        files.add(file)
        chain.insert(0, document.root)
    return chain


def _method(value: Value) -> Value:
    """The text of a recipe's method, which is in a file or in the recipe itself."""
    if isinstance(value.content, dict):
        return value
    if not isinstance(value.content, str):
        raise refusal(value.place, "method: takes the name of a method, its file, or a whole method")
    return text_of("methods", value.content, value=value).of_kind("method").root


def _edited(text: Value, child: Value, edits: Sequence[Edit], faults: list[Fault], top: tuple[str, ...] = TOP) -> Value:
    """The text after a child's `remove` and `replace`, then its own sections, then its `set`."""
    text = _changed(text, [edit for edit in edits if edit.word != "set"], faults, top)
    return _changed(merge(text, child), [edit for edit in edits if edit.word == "set"], faults, top)


def _changed(root: Value, edits: Sequence[Edit], faults: list[Fault], top: tuple[str, ...] = TOP) -> Value:
    """The text with these changes made, one after the other."""
    for word, dotted, value, for_any_method in edits:
        if word != "set":
            root = (removed if word == "remove" else replaced)(root, dotted, value, faults)
            continue
        for path in spread(root, dotted, value, faults, for_any_method=for_any_method):
            root = with_value(root, path, value, faults, top)
    return root


def _divided(edits: Sequence[Edit], faults: list[Fault]) -> tuple[list[Edit], list[Edit]]:
    """The changes of a recipe's own values, and those of its method."""
    own, inner = list[Edit](), list[Edit]()
    for edit in edits:
        first = edit.path.partition(".")[0]
        if first in RECIPE_KEYS and not edit.path.startswith("method."):
            own.append(edit)
        elif first in TOP:
            inner.append(edit)
        else:
            known = {*RECIPE_KEYS, *TOP}
            faults.append(unknown(edit.value.key or edit.value.place, "no path begins with", first, known))
    return own, inner


def _one_length(text: Value, said: Sequence[str]) -> Value:
    """A run is as long as the last word says: `steps` of a child take the place of its parent's `epochs`."""
    dropped = {_OTHER[key] for key in said if key in _OTHER} - set(said)
    return replace(text, content={key: value for key, value in text.content.items() if key not in dropped})
