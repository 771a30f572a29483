"""The picture of a draft: what a method will be, drawn before its parts are written."""

from __future__ import annotations

from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Method
from sslgraph.wire.graph import Leg
from sslgraph.wire.sketched import sketched
from sslgraph.wire.wire import wire

from ..elements.picture import Level, Picture
from .build import picture


def sketch(loaded: Loaded[Method], plugins: tuple[str, ...] = (), *, level: Level = "paper") -> Picture:
    """The picture of a method of which only the wiring must be right; no shape is known and nothing is built."""
    from sslgraph.settle.sized import Piece, SizedGraph, SizedLeg

    method, stand_ins = sketched(loaded.spec, plugins)
    graph = wire(method, loaded.place, plugins, imports=False, stand_ins=stand_ins)

    def leg(leg_: Leg) -> SizedLeg:
        pieces: dict[str, tuple[Piece, ...]] = dict.fromkeys(leg_.values, ())
        return SizedLeg(leg_, pieces=pieces, then=leg(leg_.then) if leg_.then else None)

    sized = SizedGraph(graph, {}, tuple(map(leg, graph.legs)), leg(graph.export), {}, {})
    return picture(sized, level=level)
