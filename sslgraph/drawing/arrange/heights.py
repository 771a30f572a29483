"""Heights: the centre line of each row, of what stands between rows, and of the lines at each box."""

from __future__ import annotations

from ..elements.measure import SLANT
from .draft import PORT, TRACK, Draft
from .grid.routes import Plan, forks
from .grid.rows import FREE
from .labels import relation_labels
from .relations import margins
from .skyline import set_rows

ROW_GAP, ROW_NARROW = 30.0, 16.0  # between rows; on a narrow sheet
WORDS = 16.0  # for the words of one relation more
JOG = 5.0  # a line that would step aside by less between two boxes that stand level runs straight
NEAR = 50.0  # so far a loss moves to make one of its lines straight


def set_heights(draft: Draft) -> None:
    """Sets the height of every box, track and port of a draft."""
    if draft.is_down:
        set_rows(draft)
    else:
        _rows(draft)
    _free(draft)
    _ports(draft)
    _straighten(draft)


def _rows(draft: Draft) -> None:
    y, count = 0.0, len(draft.grid.rows)
    for number in range(count + 1):
        tracks = draft.tracks[number]
        thick = TRACK * (tracks - 1) if tracks else 0.0
        under, over = margins(draft, number - 1, is_below=True), margins(draft, number, is_below=False)
        above, below = draft.room(number - 1)[1] + under, draft.room(number)[0] + over
        if number == 0:
            draft.track_y.append(-below - 14 - thick)
        else:
            words = WORDS * max(0, _crowd(draft, number) - (not tracks or not draft.is_tight_sheet))
            spare = (ROW_NARROW if draft.is_tight_sheet else ROW_GAP) + thick + (8 if tracks else 0) + words
            draft.track_y.append(y + above + (spare - thick) / 2)
            y = y + above + spare + below
        if number < count:
            y = 0.0 if number == 0 else y
            draft.y |= dict.fromkeys(draft.grid.rows[number], y)


def _crowd(draft: Draft, gap: int) -> int:
    """How many relations with words run between two rows in one column, at most."""
    row, counts = draft.grid.row, dict[int, int]()
    for label in relation_labels(draft.panel, draft.flow).values():
        low, high = sorted((row.get(label.owner, 0), row.get(label.end, 0)))
        if low < gap <= high and draft.column(label.owner) == draft.column(label.end):
            counts[draft.column(label.owner)] = counts.get(draft.column(label.owner), 0) + 1
    return max(counts.values(), default=0)


def _free(draft: Draft) -> None:
    """Images and losses that have no row: at the mean height of their neighbours, pushed apart."""
    for kind in FREE:
        free = [name for name, box in draft.box.items() if box.kind == kind and name not in draft.grid.row]
        wanted = {name: _mean(draft, name) for name in free}
        taken = [
            (draft.y[n] - draft.extents[n].above, draft.y[n] + draft.extents[n].below)
            for n, box in draft.box.items()
            if box.kind == kind and n not in free
        ]
        for name in sorted(free, key=lambda name: (wanted[name], free.index(name))):
            draft.y[name] = _fitting(wanted[name], draft.extents[name].above, draft.extents[name].below, taken)
            taken.append((draft.y[name] - draft.extents[name].above, draft.y[name] + draft.extents[name].below))


def _fitting(wanted: float, above: float, below: float, taken: list[tuple[float, float]]) -> float:
    """The height nearest to the wanted one at which a box overlaps nothing that is taken."""
    edges = [bottom + 16 + above for _, bottom in taken] + [top - 16 - below for top, _ in taken]
    free = [
        y for y in [wanted, *edges] if all(y - above >= bottom + 15 or y + below <= top - 15 for top, bottom in taken)
    ]
    return min(free, key=lambda y: (abs(y - wanted), y))


def _mean(draft: Draft, name: str) -> float:
    """The middle of what a box is joined to; the losses' side counts what arrives, the image's what leaves."""
    heights = [draft.level(p) if p.way == "between" else draft.y.get(p.source, 0.0) for p in draft.ins[name]]
    heights += [draft.y.get(plan.target, 0.0) for plan in draft.outs[name]]
    return sum(heights) / len(heights) if heights else 0.0


def _ports(draft: Draft) -> None:
    for name in draft.box:
        _side(draft, name, draft.outs[name], draft.port_out, "target")
        _side(draft, name, draft.ins[name], draft.port_in, "source")
    for plan in draft.plans:  # a box whose only line on a side is level with its other end takes that height
        if _is_level(draft, plan):
            if len(draft.outs[plan.source]) == 1:
                _meet(draft, plan, draft.port_out, draft.port_in, plan.source)
            elif len(draft.ins[plan.target]) == 1:
                _meet(draft, plan, draft.port_in, draft.port_out, plan.target)
            elif abs(draft.port_out[plan.edge] - draft.port_in[plan.edge]) < JOG:
                draft.port_in[plan.edge] = draft.port_out[plan.edge]


def _side(draft: Draft, name: str, lines: list[Plan], port: dict[int, float], other_end: str) -> None:
    """The lines of one side of a box, in the order of where they lead, a level one at the middle."""

    def far(plan: Plan) -> float:
        return draft.level(plan) if plan.way == "between" else draft.y[getattr(plan, other_end)]

    groups = forks(draft.panel, lines) if other_end == "target" else [[plan] for plan in lines]
    ordered = sorted(groups, key=lambda group: (sum(map(far, group)) / len(group), group[0].edge))
    level = [i for i, group in enumerate(ordered) if any(_is_level(draft, plan) for plan in group)]
    middle = float(level[len(level) // 2]) if level else (len(ordered) - 1) / 2
    high = draft.extents[name].height * (1 - SLANT)
    step = draft.step(name) if other_end == "target" else PORT
    reach = max(middle, len(ordered) - 1 - middle)
    step = min(step, high / 2 / reach) if reach else step
    for i, group in enumerate(ordered):
        port |= dict.fromkeys((plan.edge for plan in group), draft.y[name] + (i - middle) * step)


def _meet(draft: Draft, plan: Plan, mine: dict[int, float], other: dict[int, float], name: str) -> None:
    if abs(other[plan.edge] - draft.y[name]) < draft.extents[name].height * 0.3:
        mine[plan.edge] = other[plan.edge]


def _is_level(draft: Draft, plan: Plan) -> bool:
    return plan.way == "straight" and abs(draft.y[plan.source] - draft.y[plan.target]) < 0.5


def _straighten(draft: Draft) -> None:
    """A loss alone in its column moves a little, so that one of its lines runs straight."""
    losses = [name for name, box in draft.box.items() if box.kind == "loss"]
    if len(losses) != 1 or losses[0] in draft.grid.row:
        return
    near = [plan for plan in draft.ins[losses[0]] if plan.way != "between"]
    moves = {plan.edge: draft.port_out[plan.edge] - draft.port_in[plan.edge] for plan in near}
    near.sort(key=lambda p: (draft.edge(p).gradient != "gradient", abs(moves[p.edge]), p.edge))
    move = next((moves[plan.edge] for plan in near if abs(moves[plan.edge]) < NEAR), 0.0)
    draft.y[losses[0]] += move
    for plan in draft.ins[losses[0]]:
        draft.port_in[plan.edge] += move
