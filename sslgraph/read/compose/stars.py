"""Stars in a path: `views.*.blur.p` is every view whose augmentation has a blur. Imports no torch.

A star matches each name at its place that takes the rest of the path: the rest is written there, or the node's part
(a view's augmentation, the net that a target follows) has such a setting. A setting that is inferred from the tensor
that arrives (its default is null) stays inferred, unless the node writes it. A part from elsewhere is not looked into:
whether it can be found and may be read differs from call to call, and a text must not.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path as File

from pydantic import BaseModel

from sslgraph.errors import Fault, SslgraphError, nearest
from sslgraph.parts import registry
from sslgraph.read import catalogue
from sslgraph.read.compose.edits import find, missing, pieces
from sslgraph.read.document import read
from sslgraph.read.located import Value
from sslgraph.read.spec import OWN, Average, Loss, Part, Path, Snapshot, View

_MODELS: dict[str, type[BaseModel]] = {
    "views": View, "nets": Part, "targets": Average, "state": Part, "ops": Part, "losses": Loss,
}  # fmt: skip


def spread(root: Value, dotted: str, value: Value, faults: list[Fault], *, for_any_method: bool = False) -> list[Path]:
    """The paths that a path means: itself, or, with a star, one for each name that the star matches.

    A star that matches nothing is a fault. In a base, which is written `for_any_method`, it may match nothing in this
    method, but some part of the catalogue must have the setting.
    """
    path = pieces(dotted)
    if "*" not in path:
        return [path]
    at = path.index("*")
    above, rest = find(root, path[:at]), path[at + 1 :]
    if "*" in rest:
        faults.append(Fault(value.key or value.place, f"'{dotted}' has several stars, and a path has one at most"))
        return []
    if above is None or not at:
        if not for_any_method:
            faults.append(missing(root, path, value))
        return []
    section, names = str(path[at - 1]), _names(above)
    found = [name for name in names if _takes(root, section, (*path[:at], name), rest)]
    if not found and not (for_any_method and _is_known(section, rest)):
        there_are = sorted({word for name in names for word in _words(root, section, above.child(name))})
        wanted = ".".join(map(str, rest))
        close = nearest(wanted, there_are)
        cure = "a setting of a part of your own is matched only where its line writes it"
        is_own = any(":" in _text(find(above, (name, "use"))) for name in names)
        cure = f"did you mean '{close}'?" if close else cure if is_own else ""
        problem = f"'{dotted}' matches nothing: nothing in {section} has '{wanted}'"
        faults.append(Fault(value.key or value.place, problem, tuple(there_are), cure))
    return [(*path[:at], name, *rest) for name in found]


def _names(above: Value) -> list[str | int]:
    """What a star can match: the keys of a mapping, the names in a list of named mappings, or its indices."""
    if isinstance(above.content, dict):
        return list(above.content)
    items = above.content if isinstance(above.content, list) else []
    return [str(own.content) if (own := item.child("name")) else i for i, item in enumerate(items)]


def _takes(root: Value, section: str, node: Path, rest: Path) -> bool:
    if find(root, (*node, *rest)) is not None:
        return True
    if len(rest) > 1:  # a new key of a mapping within the node: targets.*.momentum.over
        inner = find(root, (*node, *rest[:-1]))
        return inner is not None and isinstance(inner.content, dict)
    return bool(rest) and rest[0] in _words(root, section, find(root, node))


def _words(root: Value, section: str, node: Value | None) -> set[str]:
    """What may be set of a node: its reserved keys, and the settings of what it names."""
    if section not in _MODELS or node is None or not isinstance(node.content, dict):
        return set()
    source = _text(node.child("snapshot_of"))
    reserved = set((Snapshot if source else _MODELS[section]).model_fields) - {"settings"}
    if section == "views":
        return reserved | _of_augmentation(node.child("augment"), is_rendering=node.child("crop_of") is not None)
    average = find(root, ("targets", source)) or node
    named = _text(average.child("ema_of")) or source
    followed = find(root, ("nets", named)) if named else node
    use = _text(followed.child("use")) if followed else ""
    return reserved | _of_part(use) if use else reserved


def _text(value: Value | None) -> str:
    return value.content if value and isinstance(value.content, str) else ""


def _of_part(use: str) -> set[str]:
    """The settings and ports of a shipped part that a star matches; wiring says what is wrong with a part's name."""
    if use not in registry.catalogue():
        return set()
    found = registry.signature(use)
    ports = found.ports if found.family == "losses" else {}
    return {name for name, setting in found.settings.items() if setting.default is not None} | {*ports}


def _of_augmentation(name: Value | None, *, is_rendering: bool) -> set[str]:
    """The settings of an augmentation's steps, as a view writes them: size, crop.size; less those of another's crop."""
    if not _text(name):
        return set()
    try:
        file = catalogue.file_of("augmentations", _text(name), value=name)
        return _of_steps(file, file.stat().st_mtime_ns, is_rendering=is_rendering)
    except (SslgraphError, OSError):  # checking the views says what is wrong with it
        return set()


@cache
def _of_steps(file: File, _changed: int, *, is_rendering: bool = False) -> set[str]:
    steps = read(file).root.child("steps")
    found = set[str]()
    for step, line in (steps.content if steps and isinstance(steps.content, dict) else {}).items():
        use = _text(line.child("use"))
        part = registry.signature(use) if use in registry.catalogue() else None
        own = set(part.settings) if part else set[str]()
        own = own & {*OWN} if part and part.has_place and is_rendering else own
        found |= {*own, *(f"{step}.{setting}" for setting in own)}
    return found


def _is_known(section: str, rest: Path) -> bool:
    """Whether something in the catalogue has such a setting: if nothing has, it is misspelt."""
    if len(rest) != 1 or section not in _MODELS:
        return len(rest) > 1
    if rest[0] in _MODELS[section].model_fields or (section == "targets" and rest[0] in Snapshot.model_fields):
        return True
    if section == "views":
        files = [catalogue.file_of("augmentations", name) for name in catalogue.names("augmentations")]
        return any(rest[0] in _of_steps(file, file.stat().st_mtime_ns) for file in files)
    return any(rest[0] in _of_part(use) for use in registry.catalogue())
