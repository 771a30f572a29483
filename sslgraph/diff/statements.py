"""The account of two methods: the idea first, then structure, then settings, then numbers; no change is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .changes import Change
from .idea import Idea

Sign = Literal["-", "+", "≠", "="]
Level = Literal["structure", "settings", "numbers"]
_PLURALS = {"loss": "losses", "slow copy": "slow copies"}
LEVELS: tuple[Level, ...] = ("structure", "settings", "numbers")


@dataclass(frozen=True)
class Statement:
    """One sentence for a reader: its subject, and what it says; `changes` are those that it covers."""

    sign: Sign
    level: Level
    what: str
    names: tuple[str, ...] = ()
    text: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def about(self) -> str:
        """The subject: "encoder f", "losses one and two"."""
        what = self.what if len(self.names) < 2 else _PLURALS.get(self.what, f"{self.what}s")
        return f"{what} {listed(self.names)}".strip()

    def __str__(self) -> str:
        return f"{self.sign} {self.about}" + (f": {self.text}" if self.text else "")


@dataclass(frozen=True)
class Account:
    """What makes one method into another; `gone`, `come` and `turned` are the ideas that differ."""

    headline: str
    statements: tuple[Statement, ...] = ()
    gone: tuple[Idea, ...] = ()
    come: tuple[Idea, ...] = ()
    turned: tuple[tuple[Idea, Idea], ...] = ()
    kept: tuple[Idea, ...] = ()

    @property
    def lines(self) -> list[str]:
        """The account as lines of text; only the headline if nothing differs."""
        lines = [self.headline]
        for level in LEVELS:
            told = [f"  {statement}" for statement in self.statements if statement.level == level]
            lines += [level, *told] if told else []
        return lines


@dataclass(frozen=True)
class Ideas:
    """Which ideas left, which came, which stayed, and which stayed in another form (the old one, the new one)."""

    gone: tuple[Idea, ...]
    come: tuple[Idea, ...]
    turned: tuple[tuple[Idea, Idea], ...]
    kept: tuple[Idea, ...]

    @property
    def swaps(self) -> list[tuple[tuple[Idea, ...], tuple[Idea, ...]]]:
        """What took the place of what: ideas of one slot, of which some left and some came."""
        slots = dict.fromkeys(idea.slot for idea in self.come if idea.slot)
        pairs = [(_of_slot(self.gone, slot), _of_slot(self.come, slot)) for slot in slots]
        return [(old, new) for old, new in pairs if old]

    @property
    def swapped(self) -> tuple[Idea, ...]:
        """The ideas in `swaps`."""
        return tuple(idea for old, new in self.swaps for idea in (*old, *new))


def compared(before: dict[str, Idea], after: dict[str, Idea]) -> Ideas:
    """The ideas of two methods, distinguished by name and form."""
    both = [(before[name], idea) for name, idea in after.items() if name in before]
    return Ideas(
        gone=tuple(idea for name, idea in before.items() if name not in after),
        come=tuple(idea for name, idea in after.items() if name not in before),
        turned=tuple((old, new) for old, new in both if _is_other(old, new)),
        kept=tuple(new for old, new in both if not _is_other(old, new)),
    )


def headline(one: str, other: str, found: Ideas, kinds: Sequence[str], less: Sequence[str], more: Sequence[str]) -> str:
    """One sentence: "SimSiam is BYOL without the momentum encoder."

    `kinds` is what the losses measure, where that differs; `less` and `more` name the changes where no idea differs.
    """
    lost = [idea.old for idea in found.gone if idea.is_headline and idea not in found.swapped]
    won = [idea.new for idea in found.come if idea.is_headline and idea not in found.swapped]
    won += [
        f"{new.name} {new.how} instead of {old.how.removeprefix('from ')}"
        for old, new in found.turned
        if new.is_headline
    ]
    said = [f"without {listed(lost)}"] if lost else []
    said += [f"with {in_place(old, new)}" for old, new in found.swaps]
    said += [f"with {listed(won)}"] if won else []
    by = f"by {kinds[1]} instead of {kinds[0]}" if kinds else ""
    if not said and not by:
        said = [f"without {listed(less)}"] if less else []
        said += [f"with {listed(more)}"] if more else []
    return f"{other} is {one} {'; '.join(filter(None, (', '.join(said), by)))}."


def in_place(old: Iterable[Idea], new: Iterable[Idea]) -> str:
    """What took the place of what, in words."""
    return f"{listed([idea.new for idea in new])} in place of {listed([idea.old for idea in old])}"


def listed(words: Sequence[str]) -> str:
    """One, two and three."""
    if len(words) < 2:
        return "".join(words)
    comma = "," if any(" and " in word for word in words) else ""
    return f"{', '.join(words[:-1])}{comma} and {words[-1]}"


def _is_other(old: Idea, new: Idea) -> bool:
    """Whether both forms are known and differ."""
    return bool(old.how and new.how) and old.how != new.how


def _of_slot(ideas: Iterable[Idea], slot: str) -> tuple[Idea, ...]:
    return tuple(idea for idea in ideas if idea.slot == slot)
