"""Finds parts that do not fit a data set, such as more clusters than images, before the first step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import Fault, SettingError, SpecError, raise_all

from ...feed.feed import Source

LOOKED_AT = 64  # images that parts are shown before the first step


def refuse(method: CompiledMethod, source: Source) -> None:
    """Refuses a compiled method with parts that these images are too few or of the wrong kind for; all of them at once.

    A part asks for enough images by a method `fits(images)`, which raises SettingError, and for a kind of images by a
    method `suits(images)`, which is shown some of them and raises ValueError.
    """
    faults, parts = [], dict[str, Any](method.parts.items())
    for name, part in parts.items():
        try:
            if hasattr(part, "fits"):
                part.fits(len(source))
        except SettingError as wrong:
            faults.append(_fault(method, wrong))
        if hasattr(part, "suits"):
            try:
                part.suits(_some(source))
            except ValueError as wrong:
                faults.append(Fault(tuple(method.graph.boxes[name].path), str(wrong)))
    raise_all(faults)


def _some(source: Source) -> list[torch.Tensor]:
    """Images from all over a data set, as they are stored."""
    count = min(LOOKED_AT, len(source))
    return list(source.read(torch.arange(count) * len(source) // count)[0])


@contextmanager
def told(method: CompiledMethod) -> Iterator[None]:
    """Reports in the same way what a part finds only when it computes."""
    try:
        yield
    except SettingError as wrong:
        raise SpecError([_fault(method, wrong)]) from wrong


def _fault(method: CompiledMethod, wrong: SettingError) -> Fault:
    name = next((name for name, part in method.parts.items() if part is wrong.part), "")
    if not name:
        return Fault((), str(wrong))
    path = (*method.graph.boxes[name].path, wrong.setting)
    return Fault(path, str(wrong), (), f"write --set {'.'.join(map(str, path))}={wrong.value}")
