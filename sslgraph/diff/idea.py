"""A thing that a method does, as a paper would call it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Ideas of one slot do one service and can take each other's place. `repulsion`: samples, clusters or features are held
# apart; `asymmetry`: the two branches differ, so that the answer that is the same for all images is not the end.
Slot = Literal["repulsion", "asymmetry", ""]
FORWARDS = "forwards"  # which views a net sees together
Carrier = tuple[str, str]  # (kind, name) of a node, as changes name them


@dataclass(frozen=True)
class Idea:
    """A thing that a method does. `how` is which of its forms, in a few words; `detail` names the nodes."""

    name: str
    how: str = ""
    detail: str = ""
    nodes: frozenset[Carrier] = frozenset()
    slot: Slot = ""
    article: str = ""  # "a" of what can be counted
    is_headline: bool = True  # whether it is worth the first line
    is_kinship: bool = True  # whether two methods that have it are akin

    @property
    def new(self) -> str:
        """As something that comes: "a predictor"."""
        return f"{self.article} {self.name}".strip()

    @property
    def old(self) -> str:
        """As something that was known: "the predictor"."""
        return f"the {self.name}" if self.article else self.name
