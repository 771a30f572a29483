"""Label maps of the images of a batch: a class for each pixel, from the sources that have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxtyping import Int64
from torch import Tensor

from sslgraph.errors import SslgraphError

from .feed import Index, Source

MapsOf = Callable[[Index], list[Int64[Tensor, "height width"]]]


def maps_of(source: Source, classes: int | None = None) -> MapsOf | None:
    """What gives the label maps of some images of a source; None if it has none.

    A map with a number beyond so many `classes` is refused when it is read.
    """
    read: Any = getattr(source, "maps", None)
    if read is None or classes is None:
        return None if read is None else lambda index: list(read(index))

    def within(index: Index) -> list[Tensor]:
        found: list[Tensor] = list(read(index))
        for map_, image in zip(found, index.tolist(), strict=True):
            if int(map_.max()) >= classes:
                raise SslgraphError(
                    f"the label map of {source.name(image) if hasattr(source, 'name') else f'image {image}'} has a "
                    f"pixel of class {int(map_.max())}, and the method tells {classes} classes apart, counted from 0; "
                    "widen its scores, or name numbers that mean no label (data.ignore)"
                )
        return found

    return within
