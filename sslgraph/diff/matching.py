"""Which node of one method is which node of another: by role and place, the nearest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sslgraph.read.spec import Method, View

from .figure import Figure

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Matching:
    """For each kind of node the pairs of names (one's, other's)."""

    pairs: dict[str, Pairs]

    def forward(self, section: str) -> dict[str, str]:
        """From one's names to the other's."""
        return dict(self.pairs[section])

    def only(self, section: str, names: Sequence[str], side: int) -> list[str]:
        """The names of one side (0 or 1) that found no partner."""
        taken = {pair[side] for pair in self.pairs[section]}
        return [name for name in names if name not in taken]


def matched(one: Figure, other: Figure) -> Matching:
    """Views by reading position, nets by role and depth, targets by what they follow, the rest by what it uses."""
    a, b = one.method, other.method
    nets = paired(list(a.nets), list(b.nets), lambda x, y: _net_score(one, x, other, y))
    follow = dict(nets)
    return Matching(
        {
            "views": paired(one.views, other.views, lambda x, y: _view_score(a.views[x], b.views[y])),
            "nets": nets,
            "targets": paired(list(a.targets), list(b.targets), lambda x, y: _target_score(follow, a, x, b, y)),
            "state": paired(list(a.state), list(b.state), lambda x, y: 2 * _alike(a.state[x], b.state[y], "use")),
            "ops": paired(list(a.ops), list(b.ops), lambda x, y: _use_score(a.ops[x].use, b.ops[y].use)),
        }
    )


def paired(ones: Sequence[str], others: Sequence[str], score: Callable[[str, str], float]) -> Pairs:
    """Pairs of the highest score first, neighbours in order before strangers; a score of 0 is no pair.

    Of two pairs that share a name, score, distance and sum of positions never agree in all three, so that the result
    is the same seen from either side.
    """
    scored = [(score(x, y), i, j) for i, x in enumerate(ones) for j, y in enumerate(others)]
    taken: list[tuple[int, int]] = []
    for value, i, j in sorted(scored, key=lambda s: (-s[0], abs(s[1] - s[2]), s[1] + s[2])):
        if value > 0 and all(i != k and j != m for k, m in taken):
            taken.append((i, j))
    return [(ones[i], others[j]) for i, j in sorted(taken)]


def _same(partners: dict[str, str], a: Method, one: str, b: Method, other: str) -> bool:
    """Whether two names mean one net; names that neither method declares mean what they say."""
    return partners[one] == other if one in partners else one == other and one not in a.nets and other not in b.nets


def _target_score(partners: dict[str, str], a: Method, one: str, b: Method, other: str) -> int:
    """Copies of one net are partners, moving averages rather of moving averages."""
    is_kind = type(a.targets[one]) is type(b.targets[other])
    return _same(partners, a, a.net_of(one), b, b.net_of(other)) * (1 + is_kind)


def _net_score(one: Figure, x: str, other: Figure, y: str) -> float:
    """A net keeps its role when its class changes, and its class counts where two have one role."""
    is_role = one.role(x) == other.role(y)
    is_use = one.method.nets[x].use == other.method.nets[y].use
    is_deep = one.depth(x) == other.depth(y)
    return 4 * is_role + 2 * is_use + is_deep if is_role or (is_use and is_deep) else 0


def _use_score(one: str, other: str) -> int:
    return 2 * (one == other) + (one.split(".")[0] == other.split(".")[0] and ":" not in one)


def _view_score(one: View, other: View) -> int:
    """Any two views can be partners; many small crops rather are those of many small crops."""
    return 1 + _alike(one, other, "augment", "crop_of", "copies") + (one.copies > 2) * (other.copies > 2)


def _alike(one: Any, other: Any, *fields: str) -> int:
    return sum(getattr(one, name) == getattr(other, name) for name in fields)
