"""One HTML file of many methods: their pictures, what stands behind each box, comparisons, and the family tree."""

from .family import Child, family
from .shown import Shown
from .whole import page

__all__ = ["Child", "Shown", "family", "page"]
