"""Work on the pieces of a whole: the result does not depend on how many processes share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Piece = TypeVar("Piece")
Made = TypeVar("Made")


class Spread(Protocol):
    """Makes something of each piece, in their order. Each process calls `begin` once, for what works on a piece."""

    def __call__(self, begin: Callable[[], Callable[[Piece], Made]], pieces: Sequence[Piece], /) -> Iterator[Made]: ...


def here(begin: Callable[[], Callable[[Piece], Made]], pieces: Sequence[Piece], /) -> Iterator[Made]:
    """In this process."""
    if pieces:
        yield from map(begin(), pieces)
