"""Which weights of a net are frozen, and until when: matches the names under `freeze:` with the built part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import nn

from sslgraph.errors import Fault, nearest, raise_all
from sslgraph.read.spec import Path
from sslgraph.wire.graph import NetBox

MOST = 12  # names that a message lists


def freezes(boxes: Iterable[NetBox], parts: dict[str, nn.Module]) -> dict[str, str]:
    """Of each net, module or weight that is frozen, its name ("f.net.patch_embed") -> "always" or a length of the run.

    A name may leave out its beginning: patch_embed is net.patch_embed. SpecError if nothing has it.
    """
    found: dict[str, str] = {}
    faults: list[Fault] = []
    for box in boxes:
        for name, until in box.spec.freezes.items():
            here: Path = (*box.path, "freeze", name) if name else (*box.path, "freeze")
            inner = _named(parts[box.name], name, f"'{box.name}' ({box.use})", here, faults) if name else ""
            found[f"{box.name}.{inner}".rstrip(".")] = until
    raise_all(faults)
    return found


def _named(part: nn.Module, name: str, who: str, here: Path, faults: list[Fault]) -> str:
    names = list(_names(part))
    fits = [name] if name in names else list(dict.fromkeys(path for path in names if path.endswith(f".{name}")))
    if len(fits) == 1:
        return fits[0]
    if fits:
        problem = f"'{name}' of {who} may be several weights; write its whole name"
        faults.append(Fault(here, problem, tuple(fits[:MOST])))
    else:
        close = nearest(name, {word for path in names for word in (path, path.rpartition(".")[2])})
        cure = f"did you mean '{close}'?" if close else ""
        faults.append(Fault(here, f"{who} has no weights '{name}'", _outer(part), cure))
    return name


def _names(part: nn.Module) -> Iterator[str]:
    """Modules that hold weights, and weights, by their names from the part on."""
    for name, module in part.named_modules():
        if name and next(module.parameters(), None) is not None:
            yield name
    yield from (name for name, _ in part.named_parameters())


def _outer(part: nn.Module) -> tuple[str, ...]:
    """The outermost names: the first level on which there are several."""
    for depth in range(8):
        found = [name for name in dict.fromkeys(_names(part)) if name.count(".") == depth]
        if len(found) > 1:
            return tuple(found[:MOST])
    return tuple(dict.fromkeys(_names(part)))[:MOST]
