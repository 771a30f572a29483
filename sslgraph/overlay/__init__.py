"""Two methods in one picture: what stayed pale, what came, went and changed with a sign, a chip "old → new" below."""

from sslgraph.diff import Account, Comparison
from sslgraph.drawing import Picture, Scene
from sslgraph.drawing.elements.theme import Theme

from .marks import MARKS, Marks, overlay
from .union import Union, union

__all__ = ["MARKS", "Marks", "Union", "compared", "overlay", "union"]


def compared(
    one: Picture,
    other: Picture,
    comparison: Comparison,
    account: Account,
    *,
    theme: Theme | str = "light",
    marks: Marks | None = None,
) -> Scene:
    """The scene of two methods as one; `sslgraph.drawing.as_svg` and the other exports write it."""
    return overlay(union(one, other, comparison), account, theme, marks)
