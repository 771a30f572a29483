"""What to do about a collapse: what the linter knows of the method, else what the papers advise."""

from __future__ import annotations

from sslgraph.graph import Graph
from sslgraph.lint import lint
from sslgraph.lint.queries import calls

LINT = ("SG101", "SG102", "SG103", "SG104")


def _known(graph: Graph) -> str:
    """What the linter says of this method, if it knows why it collapses."""
    known = {finding.number: finding for finding in reversed(lint(graph)) if finding.number in LINT}
    first = known[min(known)] if known else None
    return f"{first.message}; {first.cure} ({first.source})" if first else ""


def against_collapse(graph: Graph) -> str:
    """What the linter knows of this method, else what the papers advise."""
    if known := _known(graph):
        return known
    if any(calls(graph, "losses.nt_xent", "losses.info_nce")):
        return "lower the temperature or the learning rate, and normalise what is compared (arXiv:2002.05709, table 5)"
    return (
        "lower the learning rate, and keep BatchNorm in projector and predictor (arXiv:2011.10566, sections 4.3, 4.4)"
    )


def for_more_directions(graph: Graph) -> str:
    """What keeps more directions: what the linter knows, else the weight of a loss that is there for it."""
    if known := _known(graph):
        return known
    if any(calls(graph, "losses.barlow_twins")):
        return "features repeat each other; raise redundancy: 0.0051 is published (arXiv:2103.03230)"
    return (
        "few directions are used; a deeper or wider projector, weaker weight decay or stronger augmentation keeps more "
        "(arXiv:2110.09348; arXiv:2210.02885)"
    )
