"""Changes of a text by path: `remove`, `replace`, a child's own sections, `set`. Imports no torch.

A path is dotted: losses.info.temperature. Mappings merge by the name of a node only; lists never merge.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from sslgraph.errors import Fault, nearest, unknown
from sslgraph.read.located import Value
from sslgraph.read.spec import Loss, Method, Part, Path, View

EDITS = ("remove", "replace", "set")
SECTIONS = ("views", "nets", "targets", "state", "ops", "flow", "losses")  # mappings of names to nodes
TOP = tuple(Method.model_fields)
_RESERVED = {*Part.model_fields, *View.model_fields, *Loss.model_fields}


class Edit(NamedTuple):
    """One change that a text asks for: what it does, the path as written, and the value with its place."""

    word: str
    path: str
    value: Value
    for_any_method: bool = False  # a base's: a star in it may find nothing in the method at hand


def pieces(dotted: str) -> Path:
    """The steps of a dotted path. A view's settings may hold dots themselves (views.x.crop.scale)."""
    steps = dotted.split(".")
    return (*steps[:2], ".".join(steps[2:])) if steps[0] == "views" and len(steps) > 3 else tuple(steps)


def find(root: Value, path: Path) -> Value | None:
    """The value at a path, or None."""
    value: Value | None = root
    for step in path:
        value = value.child(step) if value else None
    return value


def merge(parent: Value, child: Value) -> Value:
    """The parent's text with the child's own sections: nodes by name, everything else as a whole."""
    content = {key: value for key, value in parent.content.items() if key != "picture"}  # each draws itself
    for key, value in child.content.items():
        if key in (*EDITS, "extends"):
            continue
        old = content.get(key)
        if key in (*SECTIONS, "lint") and old and isinstance(old.content, dict) and isinstance(value.content, dict):
            value = replace(value, content={**old.content, **value.content})
        content[key] = value
    return replace(parent, content=content)


def edits_of(text: Value, faults: list[Fault]) -> list[Edit]:
    """The changes that a text asks for, in the order in which they are made."""
    found: list[Edit] = []
    for word in EDITS:
        asked = text.child(word)
        if asked is None:
            continue
        items = asked.content
        if word == "remove" and isinstance(items, list) and all(isinstance(item.content, str) for item in items):
            found += [Edit(word, item.content, item) for item in items]
        elif word != "remove" and isinstance(items, dict):
            found += [Edit(word, path, value) for path, value in items.items()]
        else:
            form = "a list of paths: remove: [state.queue]"
            form = form if word == "remove" else f"a mapping of paths: {word}: {{export: f}}"
            faults.append(Fault(asked.place, f"{word}: takes {form}"))
    return found


def with_value(root: Value, path: Path, value: Value, faults: list[Fault], top: tuple[str, ...] = TOP) -> Value:
    """The text with one value set: one that is there, or a new setting of a node that is there."""
    above = find(root, path[:-1])
    if path[0] not in top:
        faults.append(unknown(value.key or value.place, "no path begins with", str(path[0]), top))
    elif above is None and len(path) == 2 and (top is not TOP or path[0] == "lint"):
        return _put(root, path[:1], Value({str(path[1]): value}, value.place, value.key))
    elif above is None or (find(root, path) is None and (_is_node(path) or not isinstance(above.content, dict))):
        faults.append(missing(root, path, value))
    elif path[-1] == "use" and find(root, path) and (left := _settings(above)):
        whole = ".".join(str(step) for step in path[:-1])
        problem = f"a new use: of '{whole}' would leave the settings {', '.join(left)} of the old part behind"
        cure = f"give it whole: replace: {{{whole}: {{use: {value.plain}, ...}}}}"
        faults.append(Fault(value.key or value.place, problem, (), cure))
    else:
        return _put(root, path, value)
    return root


def removed(root: Value, dotted: str, item: Value, faults: list[Fault]) -> Value:
    """The text without a node or a setting that is there."""
    path = pieces(dotted)
    above = find(root, path[:-1])
    if find(root, path) is None or above is None:
        faults.append(missing(root, path, item))
        return root
    if isinstance(above.content, list) and path[0] != "phases":
        problem = f"'{dotted}' is one item of a list, and lists change as a whole"
        faults.append(Fault(item.place, problem, (), "use set:"))
        return root
    return _put(root, path, None)


def replaced(root: Value, dotted: str, value: Value, faults: list[Fault]) -> Value:
    """The text with another node in the place of one that is there."""
    path = pieces(dotted)
    if find(root, path) is None:
        faults.append(missing(root, path, value))
    elif not _is_node(path) and path[0] != "phases":
        problem = f"'{dotted}' is not a node, and replace: takes whole nodes such as nets.f"
        faults.append(Fault(value.key or value.place, problem, (), "use set:"))
    else:
        return _put(root, path, value)
    return root


def _settings(node: Value) -> list[str]:
    return [key for key in node.content if key not in _RESERVED]


def _is_node(path: Path) -> bool:
    return len(path) == 2 and path[0] in SECTIONS


def missing(root: Value, path: Path, asked: Value) -> Fault:
    """The fault of a path that is not there: what is, and what was likely meant."""
    known = [step for i, step in enumerate(path) if find(root, path[: i + 1]) is not None]
    around = find(root, tuple(known)) or root
    name = str(path[min(len(known), len(path) - 1)])
    here = f"'{'.'.join(str(step) for step in known)}'" if known else "the text"
    names = tuple(around.content) if isinstance(around.content, dict) else _names(around)
    close = nearest(name, names)
    is_new = known == [path[0]] and path[0] in SECTIONS
    cure = f"did you mean '{close}'?" if close else f"a method writes a new node under {path[0]}:" if is_new else ""
    return Fault(asked.key or asked.place, f"{here} has no '{name}'", names, cure)


def _names(phases: Value) -> tuple[str, ...]:
    items = phases.content if isinstance(phases.content, list) else []
    return tuple(str(name.plain) for item in items if (name := item.child("name")))


def _put(value: Value, path: Path, new: Value | None) -> Value:
    """A copy with `new` at the path, or, for None, without the value there."""
    step, rest = path[0], path[1:]
    inner = value.child(step)
    if rest:
        assert inner is not None
        new = _put(inner, rest, new)
    if isinstance(value.content, list):
        changed: list[Value | None] = [new if item is inner else item for item in value.content]
        return replace(value, content=[item for item in changed if item is not None])
    content = dict(value.content)
    if new is None:
        del content[step]
    else:
        # The key's place stays where the key was written; a new setting's key is where it was set.
        content[step] = replace(new, key=inner.key if rest and inner else new.key)
    return replace(value, content=content)
