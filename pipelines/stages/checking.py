"""What can be found wrong with a pipeline before it runs: each stage's text, and that weights handed on fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError
from sslgraph.settle.sized import SizedGraph

from ..check.check import Examination, examine
from ..weights.given import given
from ..weights.opening import Opened, opened
from .stage_kinds import KINDS
from .stage_plan import Planned


def checked(stages: Sequence[Planned], plugins: tuple[str, ...] = ()) -> Iterator[tuple[str, Examination | None]]:
    """A line about each stage, and what the check of its recipe found; SslgraphError at the first that is wrong.

    An earlier stage need not have run: names and shapes of its weights follow from its text.
    """
    sized: dict[str, SizedGraph] = {}
    for stage in stages:
        if not KINDS[stage.stage.do].trains:
            yield f"{stage.name}: OK", None
            continue
        overrides = {path: value for path, value in stage.request["overrides"].items() if not path.startswith("given.")}
        names = {word: other for word, other in stage.inputs.items() if word != "of"}
        try:
            found = examine(stage.request["recipe"], plugins=plugins, overrides=overrides)
            assert found.sized is not None
            said = given(found.sized, names, is_check=True, read=lambda place: _opened(place, sized)).said
        except SslgraphError as wrong:
            raise SslgraphError(f"stage '{stage.name}': {wrong}") from wrong
        sized[stage.name] = found.sized
        facts = [counted(sum(map(found.sized.parameters, found.sized.parts)), "parameter"), *said]
        yield f"{stage.name}: OK ({'; '.join(facts)})", found


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
