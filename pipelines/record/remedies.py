"""Advises on a collapse: by what the linter knows of the method, else by its losses or the papers."""

from __future__ import annotations

from sslgraph.lint import lint
from sslgraph.lint.queries import calls
from sslgraph.traits import Trouble
from sslgraph.wire.graph import Graph

LINT = ("SG101", "SG102", "SG103", "SG104")
# What the papers advise where no part has better advice.
GENERAL: dict[Trouble, str] = {
    "collapse": "lower the learning rate, and keep BatchNorm in projector and predictor "
    "(arXiv:2011.10566, sections 4.3, 4.4)",
    "few directions": "few directions are used; a deeper or wider projector, weaker weight decay or stronger "
    "augmentation keeps more (arXiv:2110.09348; arXiv:2210.02885)",
}


def remedy(graph: Graph, trouble: Trouble) -> str:
    """What the linter knows of this method, else what one of its parts advises, else what the papers do."""
    known = {finding.number: finding for finding in reversed(lint(graph)) if finding.number in LINT}
    if known:
        first = known[min(known)]
        return f"{first.message}; {first.cure} ({first.source})"
    own = (box.traits.remedies[trouble] for _, box in calls(graph) if trouble in box.traits.remedies)
    return next(own, GENERAL[trouble])
