"""Pieces: a panel cut between what its losses have in common, each piece laid out by itself, one under the other.

What a cut line carries stands by name at both of its ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise

from ..elements.picture import Box, Edge, Panel
from .grid.columns import columns
from .packing import packed

Size = Callable[[Panel], tuple[float, float]]
SHARED = "shared weights"


def tiers(panel: Panel, size: Size, wide: float, high: float, apart: float) -> list[Panel] | None:
    """The panel in pieces that are no wider than this and together, if they can, no higher; None if one is wider.

    `size`: how wide and high a panel is; `apart`: what stands between two pieces. Of all ways to join pieces again the
    ones that mend most lines are taken, as long as there is room.
    """
    losses = _losses(panel)
    panel = _tied(panel, losses)
    names = _names(panel)
    parts = [_narrow(panel, group, names, size, wide) for group in _groups(panel, losses)]
    if not all(parts):
        return None
    groups = [part for some in parts for part in some]
    sizes = {frozenset(group): size(_piece(panel, group, names)) for group in groups}

    def height(parts: list[set[str]]) -> float:
        return packed([sizes[frozenset(part)] for part in parts], wide, apart)[1]

    def joined(groups: list[set[str]]) -> list[set[str]] | None:
        """The groups with the two in one that most lines run between and for which there is room."""
        now = height(groups)
        cuts = {pair: _cuts(panel, *(groups[n] for n in pair)) for pair in combinations(range(len(groups)), 2)}
        for one, other in sorted((pair for pair in cuts if cuts[pair]), key=lambda pair: -cuts[pair]):
            both = groups[one] | groups[other]
            found = sizes.setdefault(frozenset(both), size(_piece(panel, both, names)))
            tried = [both if n == one else group for n, group in enumerate(groups) if n != other]
            if found[0] <= wide and height(tried) <= max(high, now - 1):
                return tried
        return None

    while (fewer := joined(groups)) is not None:
        groups = fewer
    column = columns(panel)
    groups.sort(key=lambda group: min(column[name] for name in group))
    first, *rest = (_piece(panel, group, names) for group in groups)
    return [first, *(replace(piece, title="") for piece in rest)]


def least(panel: Panel, size: Size) -> float:
    """How wide the widest piece is if a panel is cut wherever it can be."""
    losses = _losses(panel)
    panel = _tied(panel, losses)
    names, column = _names(panel), columns(panel)
    found = [0.0]
    for group in _groups(panel, losses):
        cuts = [_before(group, column, end) for end in range(max(column.values()) + 2)]
        for before, after in pairwise(cut for cut in cuts if not _is_torn(panel, cut, group)):
            if here := after - before:
                found.append(size(_piece(panel, here, names))[0])
    return max(found)


def _before(group: set[str], column: dict[str, int], end: int) -> set[str]:
    return {name for name in group if column[name] < end}


def _losses(panel: Panel) -> dict[str, frozenset[str]]:
    """To which losses each box leads; a state that no loss reads stays with what writes it."""
    column = columns(panel)
    found = {box.id: frozenset([box.id] if box.kind == "loss" else ()) for box in panel.boxes}
    for box in sorted(panel.boxes, key=lambda box: -column[box.id]):
        for edge in panel.edges:
            if edge.kind == "data" and edge.source == box.id:
                found[box.id] |= found[edge.target]
    for edge in panel.edges:
        if edge.kind == "write" and not found[edge.target]:
            found[edge.target] = found[edge.source]
    return found


def _tied(panel: Panel, losses: dict[str, frozenset[str]]) -> Panel:
    """The panel with its EMA lines between boxes of a net and its copy that lead to the same losses, if there are."""
    part = {box.id: box.part or box.id for box in panel.boxes}

    def tied(edge: Edge) -> Edge:
        if edge.kind != "ema" or losses[edge.source] == losses[edge.target]:
            return edge
        nets, copies = ([n for n in part if part[n] == part[end]] for end in (edge.source, edge.target))
        alike = ((net, copy) for net in nets for copy in copies if losses[net] == losses[copy])
        source, target = next(alike, (edge.source, edge.target))
        return replace(edge, source=source, target=target)

    return replace(panel, edges=tuple(map(tied, panel.edges)))


def _groups(panel: Panel, losses: dict[str, frozenset[str]]) -> list[set[str]]:
    """Boxes that lead to the same losses and hang together; a net and its slow copy are never parted."""
    column = columns(panel)
    together = {name: {name} for name in losses}
    for edge in panel.edges:
        if edge.kind == "ema" or (edge.kind != "same" and losses[edge.source] == losses[edge.target]):
            _join(together, edge.source, edge.target)
    found: list[set[str]] = []
    for name in sorted(losses, key=lambda name: (-len(losses[name]), column[name])):
        found += [together[name]] if together[name] not in found else []
    return found


def _join(together: dict[str, set[str]], one: str, other: str) -> None:
    if together[one] is not together[other]:
        both = together[one] | together[other]
        together |= dict.fromkeys(both, both)


def _narrow(panel: Panel, group: set[str], names: dict[object, str], size: Size, wide: float) -> list[set[str]]:
    """A group cut between its columns into as few parts as are no wider than this; none if one column is wider."""
    column = columns(panel)
    found: list[set[str]] = []
    start, last = 0, max(column.values()) + 1
    while start < last:
        best: set[str] | None = None
        for end in range(start + 1, last + 1):
            here = _before(group, column, end) - _before(group, column, start)
            if _is_torn(panel, here, group):
                continue
            if here and size(_piece(panel, here, names))[0] > wide:
                break
            best, reached = here, end
        if best is None:
            return []
        found += [best] if best else []
        start = reached
    return found


def _is_torn(panel: Panel, here: set[str], group: set[str]) -> bool:
    """Whether a cut would part a net from its slow copy."""
    ties = (edge for edge in panel.edges if edge.kind == "ema" and edge.source in group)
    return any((edge.source in here) != (edge.target in here) for edge in ties)


def _cuts(panel: Panel, one: set[str], other: set[str]) -> int:
    """How many lines run from one piece to another."""
    return sum(
        (edge.source in one and edge.target in other) or (edge.source in other and edge.target in one)
        for edge in panel.edges
    )


def _piece(panel: Panel, here: set[str], names: dict[object, str]) -> Panel:
    """What of the panel these boxes are, with links for what comes in and goes out."""
    inside = {box.id: box for box in panel.boxes if box.id in here}
    links: dict[str, Box] = {}
    edges: dict[object, Edge] = {}
    for number, edge in enumerate(panel.edges):
        is_from, is_to = edge.source in inside, edge.target in inside
        if is_from and is_to:
            edges[number] = edge
        elif (is_from or is_to) and edge.kind == "same":
            box = inside[edge.source if is_from else edge.target]
            sub = box.sub if SHARED in box.sub else "\n".join(filter(None, (box.sub, SHARED)))
            inside[box.id] = replace(box, sub=sub)
        elif is_from or is_to:
            text, way = names[_value(edge)], "out" if is_from else "in"
            lane = inside[edge.source if is_from else edge.target].lane
            makers = (edge.source, *panel.box(edge.source).members)
            link = Box(f"{way}.{text}.{edge.kind}", "link", text, lane=lane, members=makers)
            links.setdefault(link.id, link)
            cut = replace(edge, name="", port="")
            cut = replace(cut, target=link.id) if is_from else replace(cut, source=link.id, shape="", stop=False)
            edges.setdefault((cut.source, cut.target, cut.kind, cut.gradient, cut.stop, cut.label), cut)
    return panel.with_boxes((*inside.values(), *links.values()), edges.values())


def _value(edge: Edge) -> object:
    """What a line carries: one name for all lines that carry it."""
    return edge.source, edge.kind == "write" and edge.label, edge.name, edge.port


def _names(panel: Panel) -> dict[object, str]:
    """The name at the ends of a cut line: that of the value, with its maker's where two are alike."""
    boxes = {box.id: box for box in panel.boxes}
    plain = {_value(edge): " ".join(filter(None, (edge.name, edge.port))) for edge in panel.edges}
    found: dict[object, str] = {}
    for edge in panel.edges:
        value, box = _value(edge), boxes[edge.source]
        said = plain[value]
        alike = {other for other, text in plain.items() if text == said}
        maker = (box.symbol or box.title).replace("\n", " ")
        text = " ".join(filter(None, (maker, said))) if not said or len(alike) > 1 else said
        text = f"{maker} {text}" if value not in found and text in found.values() and maker != text else text
        number, whole = 2, text
        while value not in found and whole in found.values():
            whole, number = f"{text} {number}", number + 1
        found.setdefault(value, whole)
    return found
