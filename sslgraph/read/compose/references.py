"""`$references`: a value written once and copied by its path, such as out: $ops.kmeans.k. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sslgraph.errors import Fault, SpecError
from sslgraph.read import catalogue
from sslgraph.read.compose.edits import find, missing, pieces
from sslgraph.read.located import Value
from sslgraph.read.paths import located
from sslgraph.read.spec import Path

LIMIT = 20_000  # values, after references are copied
CHAIN = 20  # references that lead to one another


def dereferenced(root: Value, faults: list[Fault], skip: tuple[str, ...] = ()) -> Value:
    """The text with every `$path` replaced by a copy of the value at that path. `weights: $artefact` stays."""
    return _References(root, faults, skip).everywhere()


class _References:
    """Copies the values that `$paths` name, noting loops and paths that lead nowhere."""

    def __init__(self, root: Value, faults: list[Fault], skip: tuple[str, ...]) -> None:
        self.root, self.faults, self.skip, self.count = root, faults, skip, 0

    def everywhere(self) -> Value:
        """The whole text."""
        content = {k: v if k in self.skip else self._copy(v, ((k,),)) for k, v in self.root.content.items()}
        return replace(self.root, content=content)

    def _copy(self, value: Value, trail: tuple[Path, ...]) -> Value:
        self.count += 1
        if self.count > LIMIT:
            if self.count == LIMIT + 1:
                self.faults.append(Fault(value.place, f"the references of this text copy more than {LIMIT} values"))
            return Value(None, value.place, value.key)
        here = trail[-1]
        if isinstance(value.content, dict):
            inner = {k: self._copy(v, (*trail[:-1], (*here, k))) for k, v in value.content.items()}
            return replace(value, content=inner)
        if isinstance(value.content, list):
            items = [self._copy(v, (*trail[:-1], (*here, i))) for i, v in enumerate(value.content)]
            return replace(value, content=items)
        is_given = here[-1] == "weights" or here[-2:] == ("weights", "from")
        is_reference = isinstance(value.content, str) and value.content.startswith("$") and not is_given
        return self._followed(value, trail) if is_reference else value

    def _followed(self, value: Value, trail: tuple[Path, ...]) -> Value:
        path = pieces(value.content[1:])
        target = find(self.root, path)
        if target is None:
            self.faults.append(missing(self.root, path, replace(value, key=None)))
        elif len(trail) > CHAIN or any(path == step[: len(path)] for step in trail):
            problem = f"'{value.content}' comes back to itself"
            self.faults.append(Fault(value.place, problem, (), "write the value out at one place"))
        else:
            return replace(self._copy(target, (*trail, path)), place=value.place, key=value.key)
        return value


def rooted(root: Value, faults: list[Fault]) -> Value:
    """A method's text in which the files of its views and weights are whole paths: each began in its text's folder."""
    within: dict[str, Callable[[Value], Value]] = {
        "views": lambda view: _rooted_view(view, faults),
        "nets": _rooted_net,
    }
    content = dict(root.content)
    for section, change in within.items():
        nodes = root.child(section)
        if nodes is not None and isinstance(nodes.content, dict):
            content[section] = replace(nodes, content={name: change(node) for name, node in nodes.content.items()})
    return replace(root, content=content)


def _rooted_net(net: Value) -> Value:
    weights = net.child("weights")
    if weights is None:
        return net
    source = weights.child("from") or weights
    written = source.content
    if not isinstance(written, str) or written.startswith("$"):
        return net
    found = located(source)
    found = found if source is weights else replace(weights, content={**weights.content, "from": found})
    return replace(net, content={**net.content, "weights": found})


def _rooted_view(view: Value, faults: list[Fault]) -> Value:
    augment = view.child("augment")
    if augment is None or not isinstance(augment.content, str) or not catalogue.is_file(augment.content):
        return view
    try:
        file = catalogue.file_of("augmentations", augment.content, value=augment).resolve()
    except SpecError as wrong:
        faults.extend(wrong.faults)
        return view
    return replace(view, content={**view.content, "augment": replace(augment, content=str(file))})
