"""Two methods in words: each change goes to the statement that explains it, the most important first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from sslgraph.read.spec import Method

from .changes import Added, Change, Changed, Removed, Rewired
from .compare import Comparison
from .essence import Essence
from .figure import Figure
from .idea import Idea
from .ideas import ideas, stops
from .phrases import THINGS, in_short, of_settings
from .statements import LEVELS, Account, Ideas, Level, Sign, Statement, compared, headline, in_place, listed

Kind = TypeVar("Kind", bound=Change)
_NUMBERS = ("view", "target", "loss")  # kinds whose settings are numbers of a method rather than its structure


def account(one: Method, other: Method, plugins: tuple[str, ...] = ()) -> Account:
    """What a reader of both papers would say makes `one` into `other`; every difference of the texts is in it.

    `plugins` are the modules whose parts may be read.
    """
    return _Teller(Comparison(Figure(one, plugins), Figure(other, plugins))).account()


class _Teller:
    """Takes changes off the pile, those of the ideas first, until none is left."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.one, self.other = comparison.one, comparison.other
        self.left = list(comparison.changes)
        self.ideas: Ideas = compared(*_with_equal_stops(self.one, self.other))

    def account(self) -> Account:
        one, other, found = self.one.method.method, self.other.method.method, self.ideas
        if not self.left:
            return Account(f"{one} and {other} are the same method.", kept=found.kept)
        kinds = self._kinds()
        told = [*self._of_ideas(), *self._of_losses(), *self._of_wiring(), *self._of_nodes(), *self._of_settings()]
        told = sorted(_merged(told), key=lambda statement: LEVELS.index(statement.level))
        less, more = in_short(change for s in told if s.sign != "=" for change in s.changes)
        said = headline(one, other, found, kinds, less, more)
        return Account(said, tuple(told), found.gone, found.come, found.turned, found.kept)

    def _kinds(self) -> list[str]:
        """What the first loss of either measures, where that differs and is known."""
        kinds = []
        for figure in (self.one, self.other):
            said = [figure.traits(loss.use).kind for loss in figure.training.losses.values()]
            kinds.append(next(filter(None, said), ""))
        return kinds if all(kinds) and kinds[0] != kinds[1] else []

    def _of_ideas(self) -> Iterator[Statement]:
        found, readings = self.ideas, self._explained()
        for old, new in found.swaps:
            was = listed([idea.detail for idea in old if idea.detail])
            details = listed([idea.detail for idea in new if idea.detail]) + (f"; was {was}" if was else "")
            yield Statement("≠", "structure", in_place(old, new), (), details, self._carried(*old, *new))
        lone = [idea for idea in (*found.gone, *found.come) if idea not in found.swapped]
        for idea in lone:
            sign: Sign = "-" if idea in found.gone else "+"
            is_copy = idea.name == "momentum encoder" and sign == "-" and bool(readings)
            same = f"; the other view runs through the same {listed(self._followed())}" if is_copy else ""
            changes = (*self._carried(idea), *readings)
            readings = ()
            yield Statement(sign, "structure", idea.name, (), f"{idea.detail}{same}", changes)
        for former, form in found.turned:
            detail = f" ({form.detail})" if form.detail else ""
            changes = self._carried(former, form)
            yield Statement("≠", "structure", form.name, (), f"{form.how}{detail}, was {former.how}", changes)
        kept = tuple(idea.name for idea in found.kept if idea.is_headline)
        if kept:
            changes = (*self._carried(*found.kept), *readings)
            yield Statement("=", "structure", "kept", (), listed(kept), changes)

    def _followed(self) -> list[str]:
        """The nets that the slow copies followed, in the other method's letters."""
        names = self.comparison.match.forward("nets")
        nets = map(self.one.method.net_of, self.one.method.averages)
        return [names.get(net, net) for net in nets]

    def _explained(self) -> tuple[Change, ...]:
        """The readings of losses that follow from the ideas and need no sentence of their own."""
        found = self.ideas
        differing = [*found.gone, *found.come, *(idea for pair in found.turned for idea in pair)]
        if not any(idea.is_headline for idea in differing):
            return ()
        essence = Essence(self.comparison, [node for idea in differing for node in idea.nodes])
        return tuple(self._pick(Rewired, lambda change: change.kind == "loss" and essence.is_same(change)))

    def _carried(self, *told: Idea) -> tuple[Change, ...]:
        """The changes that ideas cover: nodes that came or went, and the writes of their states."""
        nodes = {node for idea in told for node in idea.nodes}
        owners = {name for kind, name in nodes if kind in ("state", "net")}

        def is_told(change: Change) -> bool:
            if isinstance(change, Added | Removed):
                is_write = change.kind == "write" and change.name.split(".")[0] in owners
                return is_write or (change.kind, change.name) in nodes
            return isinstance(change, Changed) and change.setting == "copies" and ("view", change.other) in nodes

        return self._take(is_told)

    def _of_losses(self) -> Iterator[Statement]:
        """Which losses there are and what they measure; the change of a class covers its settings."""
        for use in self._pick(Changed, lambda c: c.kind == "loss" and c.setting == "use"):
            before, after = self.one.traits(use.before or ""), self.other.traits(use.after or "")
            went = self._settings_gone(use)
            if before.affine_in and before.affine_in == after.affine_in:
                text = f"equal up to a constant factor and offset, affine in {after.affine_in}"
                yield Statement("=", "structure", "loss", (use.other,), text, (use, *went))
            else:
                kinds = [f" ({part.kind})" if part.kind else "" for part in (after, before)]
                text = f"{use.after}{kinds[0]}, was {use.before}{kinds[1]}"
                yield Statement("≠", "structure", "loss", (use.other,), text, (use, *went))

    def _settings_gone(self, use: Changed) -> list[Changed]:
        return self._pick(Changed, lambda c: c.kind == "loss" and c.one == use.one and c.after is None)

    def _of_wiring(self) -> Iterator[Statement]:
        """What the losses read, said once for losses that read alike; then the operations of the flow."""
        readings: dict[tuple[str, str], list[Rewired]] = {}
        for change in self._pick(Rewired, lambda c: c.kind == "loss"):
            readings.setdefault((change.one, change.other), []).append(change)
        if readings:
            (names, first), *others = readings.items()
            reads = listed([f"{c.after}{_port(c)}" for c in first if c.after]) or "less"
            read = listed([f"{c.before}{'' if c.after else _port(c)}" for c in first if c.before])
            likewise = listed([other for (_, other), _ in others])
            text = reads + (f", was {read}" if read else "") + (f"; {likewise} likewise" if likewise else "")
            changes = tuple(change for group in readings.values() for change in group)
            yield Statement("≠", "structure", f"loss {_both(*names)} reads", (), text, changes)
        went = self._pick(Removed, lambda c: c.kind == "wiring")
        came = self._pick(Added, lambda c: c.kind == "wiring")
        if went:
            yield Statement("-", "structure", "wiring", (), _operations(self.one, went), tuple(went))
        if came:
            yield Statement("+", "structure", "wiring", (), _operations(self.other, came), tuple(came))

    def _of_nodes(self) -> Iterator[Statement]:
        """Nodes, writes and phases that no idea covers."""
        for gone in self._pick(Removed, lambda _: True):
            yield _lone("-", gone)
        for come in self._pick(Added, lambda _: True):
            yield _lone("+", come)
        for wired in self._pick(Rewired, lambda _: True):
            what = "order of writes" if wired.port == "order" else f"{wired.kind} {wired.other} {wired.port}s"
            reads = f"{wired.after or 'nothing'}, was {wired.before or 'nothing'}"
            yield Statement("≠", "structure", what, (), reads, (wired,))

    def _of_settings(self) -> Iterator[Statement]:
        for change in self._pick(Changed, lambda c: c.kind == "export"):
            yield Statement("≠", "structure", "exports", (), f"{change.after}, was {change.before}", (change,))
        nodes: dict[tuple[str, str, str], list[Changed]] = {}
        for change in self._pick(Changed, lambda _: True):
            nodes.setdefault((change.kind, change.one, change.other), []).append(change)
        for (kind, one, other), group in nodes.items():
            what = "slow copy" if kind == "target" else group[0].role or kind
            level: Level = "numbers" if kind in _NUMBERS else "settings"
            yield Statement("≠", level, what, (_both(one, other),), of_settings(group), tuple(group))

    def _pick(self, kind: type[Kind], test: Callable[[Kind], bool]) -> list[Kind]:
        taken = self._take(lambda change: isinstance(change, kind) and test(change))
        return [change for change in taken if isinstance(change, kind)]

    def _take(self, test: Callable[[Change], bool]) -> tuple[Change, ...]:
        taken = tuple(change for change in self.left if test(change))
        self.left = [change for change in self.left if not test(change)]
        return taken


def _with_equal_stops(one: Figure, other: Figure) -> tuple[dict[str, Idea], dict[str, Idea]]:
    """The ideas of both; a stop that one writes, the other may have by a slow copy or by a part without gradient."""
    before, after = ideas(one), ideas(other)
    stop = before.get("stop-gradient") or after.get("stop-gradient")
    if stop and stops(one) and stops(other):
        before["stop-gradient"] = after["stop-gradient"] = stop
    return before, after


def _operations(figure: Figure, changes: Iterable[Added | Removed]) -> str:
    return listed([word for change in changes if (word := _operation(figure, change.name))])


def _operation(figure: Figure, name: str) -> str:
    """What a reader calls an operation of the flow; nothing, of one that only undoes another."""
    traits = figure.traits(f"wiring.{name}")
    if traits.reorders:
        return "BatchNorm shuffled over the ranks" if traits.reorders == "away" else ""
    return f"features of unit length ({name})" if traits.rows == "unit" else name


def _lone(sign: Sign, change: Added | Removed) -> Statement:
    detail = f" ({change.detail})" if change.detail and change.kind != "target" else ""
    text = change.detail if change.kind == "target" else ""
    what = THINGS.get(change.kind) or change.role or change.kind
    return Statement(sign, "structure", what, (f"{change.name}{detail}",), text, (change,))


def _both(one: str, other: str) -> str:
    return other if one == other else f"{other} (was {one})"


def _port(change: Rewired) -> str:
    return "" if change.port.startswith("input ") else f" as {change.port}"


def _merged(statements: Iterable[Statement]) -> list[Statement]:
    """Statements that say the same of several nodes are one: "views x1 and x2"."""
    groups: dict[tuple[str, ...], list[Statement]] = {}
    for s in statements:
        groups.setdefault((s.sign, s.level, s.what, s.text if s.names else str(len(groups))), []).append(s)
    found = []
    for group in groups.values():
        names = tuple(name for s in group for name in s.names if name)
        found.append(replace(group[0], names=names, changes=tuple(change for s in group for change in s.changes)))
    return found
