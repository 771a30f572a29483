"""The programs of a method as Python that reads like the paper."""

from __future__ import annotations

from sslgraph.compile.program import Program
from sslgraph.settle.sized import SizedGraph


def code(sized: SizedGraph) -> str:
    """The program of every leg; each has a heading if there are several."""
    legs = [leg for outer in sized.legs for leg in (outer, outer.then) if leg is not None and leg.leg.values]
    legs += [sized.export] if "(" in sized.graph.method.export else []
    texts = []
    for leg in legs:
        outputs = {loss.name: loss.name for loss in leg.leg.losses}
        outputs |= {piece.tensor: piece.tensor for write in leg.writes for _, piece in write.inputs}
        if leg.leg.collect:
            outputs |= {piece.tensor: piece.tensor for piece in leg.pieces[leg.leg.collect]}
        heading = f"# {leg.leg.name}\n" if len(legs) > 1 else ""
        texts.append(heading + Program(leg, sized.parts, frozenset(), outputs).code)
    return "\n\n".join(texts)
