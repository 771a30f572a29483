"""Compares two methods: both become figures, whose nodes are matched; every remaining difference is a change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sslgraph.read.spec import Average, Method, Part, Snapshot, Target, View

from .changes import Added, Change, Changed, Kind, Removed, Rewired, written
from .figure import Figure, Leg
from .matching import Matching, matched, paired

_SECTIONS: tuple[tuple[str, Kind], ...] = (
    ("views", "view"),
    ("nets", "net"),
    ("targets", "target"),
    ("state", "state"),
    ("ops", "op"),
)


def diff(one: Method, other: Method, plugins: tuple[str, ...] = ()) -> tuple[Change, ...]:
    """The changes that lead from one method to the other, part by part, then wire by wire; none between equals."""
    return Comparison(Figure(one, plugins), Figure(other, plugins)).changes


class Comparison:
    """Two matched figures; canonical numbers make nodes of both comparable."""

    def __init__(self, one: Figure, other: Figure) -> None:
        self.one, self.other = one, other
        self.match: Matching = matched(one, other)
        self.table: dict[tuple[Any, ...], int] = {}
        renamed = {section: self.match.forward(section) for section, _ in _SECTIONS}
        self.left = [0] * len(one.nodes)
        self.right = [0] * len(other.nodes)
        self._number(one, self.left, renamed, "one")
        self._number(other, self.right, {}, "other")
        self.losses: dict[str, str] = {}  # of the training: partners by name
        self.changes: tuple[Change, ...] = tuple(self._changes())

    def _number(self, figure: Figure, numbers: list[int], renamed: dict[str, dict[str, str]], side: str) -> None:
        """The same number for what is the same in both; a node without a partner keeps its side in its name."""
        partners = {section: {y for _, y in pairs} for section, pairs in self.match.pairs.items()}
        sections = {**figure.declared, **dict.fromkeys(figure.method.views, "views")}
        for i, node in enumerate(figure.nodes):
            name: Any = node.name
            if (section := sections.get(node.name)) and node.kind not in ("port", "to", "member", "wiring", "name"):
                own = node.name if node.name in partners[section] else None
                partner = renamed[section].get(node.name) if renamed else own
                name = partner if partner is not None else (side, node.name)
            key = (node.kind, name, tuple(numbers[j] for j in node.inputs))
            numbers[i] = self.table.setdefault(key, len(self.table))

    def _changes(self) -> Iterator[Change]:
        for section, kind in _SECTIONS:
            yield from self._section(section, kind)
        yield from self._wiring()
        yield from self._legs(self.one.training, self.other.training)
        both = list(zip(self.one.passes, self.other.passes, strict=False))
        for left, right in both:
            yield from self._legs(left, right)
        yield from (Removed("phase", leg.name, detail=_pass(leg)) for leg in self.one.passes[len(both) :])
        yield from (Added("phase", leg.name, detail=_pass(leg)) for leg in self.other.passes[len(both) :])
        yield from self._export()

    def _section(self, section: str, kind: Kind) -> Iterator[Change]:
        ones, others = getattr(self.one.method, section), getattr(self.other.method, section)
        for name in self.match.only(section, list(ones), 0):
            yield Removed(kind, name, _role(self.one, section, name), _detail(ones[name]))
        for name in self.match.only(section, list(others), 1):
            yield Added(kind, name, _role(self.other, section, name), _detail(others[name]))
        for x, y in self.match.pairs[section]:
            roles = {_role(self.one, section, x), _role(self.other, section, y)} - {""}
            yield from self._settings(kind, x, y, " or ".join(sorted(roles)), _said(ones[x]), _said(others[y]))

    def _wiring(self) -> Iterator[Change]:
        yield from (Removed("wiring", name) for name in self.one.wiring if name not in self.other.wiring)
        yield from (Added("wiring", name) for name in self.other.wiring if name not in self.one.wiring)

    def _legs(self, left: Leg, right: Leg) -> Iterator[Change]:
        pairs = paired(list(left.losses), list(right.losses), lambda x, y: self._loss_score(left, x, right, y))
        gone, come = left.losses.keys() - dict(pairs).keys(), right.losses.keys() - set(dict(pairs).values())
        self.losses |= dict(pairs)
        yield from (Removed("loss", name, detail=left.losses[name].use) for name in left.losses if name in gone)
        yield from (Added("loss", name, detail=right.losses[name].use) for name in right.losses if name in come)
        for x, y in pairs:
            yield from self._loss(left, x, right, y)
        if left.phase and right.phase:
            yield from self._settings("phase", left.name, right.name, "", *self._times(left, right))
            yield from self._collected(left, right)
        yield from self._writes(left, right)

    def _loss_score(self, left: Leg, x: str, right: Leg, y: str) -> float:
        same = sum(before == after for _, before, after in self._inputs(left, x, right, y))
        return 1 + 4 * (left.losses[x].use == right.losses[y].use) + same / 16

    def _inputs(self, left: Leg, x: str, right: Leg, y: str) -> Iterator[tuple[str, int | None, int | None]]:
        ones, others = self.one.wires(left.losses[x], left), self.other.wires(right.losses[y], right)
        for port in dict.fromkeys([*ones, *others]):
            yield (
                port,
                self.left[self.one.read(ones[port], left)] if port in ones else None,
                self.right[self.other.read(others[port], right)] if port in others else None,
            )

    def _loss(self, left: Leg, x: str, right: Leg, y: str) -> Iterator[Change]:
        ones, others = self.one.wires(left.losses[x], left), self.other.wires(right.losses[y], right)
        before, after = _said(left.losses[x], ones), _said(right.losses[y], others)
        nets = self.match.forward("nets")
        trained = {nets.get(net) for net in left.losses[x].trains or ()}
        if trained and trained == set(right.losses[y].trains or ()):
            del before["trains"], after["trains"]
        yield from self._settings("loss", x, y, "", before, after)
        for port, one, other in self._inputs(left, x, right, y):
            if one != other:
                was = self.one.written_out(ones[port], left) if port in ones else ""
                reads = self.other.written_out(others[port], right) if port in others else ""
                yield Rewired("loss", x, y, "", port, was, reads)

    def _times(self, left: Leg, right: Leg) -> tuple[dict[str, Any], dict[str, Any]]:
        """When two phases run and by what they sample; a state that both sample by is no difference."""
        before, after = (
            {name: getattr(leg.phase, name) for name in ("every", "start", "at", "sample")} for leg in (left, right)
        )
        states = self.match.forward("state")
        if {key: states.get(name) for key, name in (before["sample"] or {}).items()} == after["sample"]:
            del before["sample"], after["sample"]
        return before, after

    def _collected(self, left: Leg, right: Leg) -> Iterator[Change]:
        assert left.phase and right.phase
        before, after = left.phase.collect or "", right.phase.collect or ""
        if self.left[self.one.read(before, left)] != self.right[self.other.read(after, right)]:
            was, now = self.one.written_out(before, left), self.other.written_out(after, right)
            yield Rewired("phase", left.name, right.name, "", "collect", was, now)

    def _writes(self, left: Leg, right: Leg) -> Iterator[Change]:
        ones, others = _statements(left), _statements(right)
        before = [(self.left[self.one.read(text, left)], text) for text in ones]
        after = [(self.right[self.other.read(text, right)], text) for text in others]
        extra, new = Counter(n for n, _ in before), Counter(n for n, _ in after)
        yield from (Removed("write", text) for text in _first(before, extra - new))
        yield from (Added("write", text) for text in _first(after, new - extra))
        if extra == new and [n for n, _ in before] != [n for n, _ in after]:
            yield Rewired("write", left.name, right.name, "", "order", ", ".join(ones), ", ".join(others))

    def _settings(
        self, kind: Kind, one: str, other: str, role: str, before: dict[str, Any], after: dict[str, Any]
    ) -> Iterator[Changed]:
        if before.get("use") == after.get("use"):
            defaults = self._defaults(str(before.get("use")))
            before = {**{name: defaults[name] for name in after if name in defaults}, **before}
            after = {**{name: defaults[name] for name in before if name in defaults}, **after}
        for name in sorted({*before, *after}, key=lambda n: (n != "use", n)):
            if written(before.get(name)) != written(after.get(name)):
                yield Changed(kind, one, other, role, name, written(before.get(name)), written(after.get(name)))

    def _defaults(self, use: str) -> dict[str, Any]:
        """What a part presumes of settings that a spec leaves out, if the part is known."""
        found = self.one.known(use)
        settings = found.settings.values() if found else ()
        return {setting.name: setting.default for setting in settings if not setting.is_required}

    def _export(self) -> Iterator[Change]:
        one, other = self.one.method.export, self.other.method.export
        if self.left[self.one.exported] != self.right[self.other.exported]:
            yield Changed("export", one, other, "", "export", one, other)


def _said(part: Any, wired: dict[str, str] | None = None) -> dict[str, Any]:
    """What a spec says of a node apart from its wiring, and what the language presumes where it says nothing."""
    apart = ("settings", "of", "ema_of", "snapshot_of", "role")
    fields = {name: getattr(part, name) for name in type(part).model_fields if name not in apart}
    return {**fields, **{name: value for name, value in part.settings.items() if name not in (wired or {})}}


def _statements(leg: Leg) -> list[str]:
    return [*leg.after_step, *(leg.phase.then if leg.phase else ())]


def _first(numbered: list[tuple[int, str]], counts: Counter[int]) -> Iterator[str]:
    for number, text in numbered:
        if counts[number] > 0:
            counts[number] -= 1
            yield text


def _role(figure: Figure, section: str, name: str) -> str:
    if section == "nets":
        return figure.role(name)
    if section == "targets":
        net = figure.method.net_of(name)
        return figure.role(net) if net in figure.method.nets else ""
    return ""


def _detail(part: View | Part | Target) -> str:
    match part:
        case Average():
            return f"of {part.ema_of}, momentum {written(part.momentum)}"
        case Snapshot():
            return f"a snapshot of {part.snapshot_of}, {part.when}"
        case View():
            return part.augment
    return part.use


def _pass(leg: Leg) -> str:
    return f"collects {leg.phase.collect}" if leg.phase and leg.phase.collect else "trains"
