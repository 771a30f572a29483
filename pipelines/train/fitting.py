"""Parts that a data set is too small for, told before the first step with the --set that makes them fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sslgraph.errors import Fault, SettingError, SpecError


def refuse(method: Any, images: int) -> None:
    """Refuses a compiled method with parts that so many images are too few for; all of them at once.

    A part asks for enough images by a method `fits(images)`, which raises SettingError.
    """
    faults = []
    for part in method.parts.values():
        try:
            getattr(part, "fits", _anything)(images)
        except SettingError as wrong:
            faults.append(_fault(method, wrong))
    if faults:
        raise SpecError(faults)


@contextmanager
def told(method: Any) -> Iterator[None]:
    """What a part finds inside, where only the numbers show it, is told in the same way."""
    try:
        yield
    except SettingError as wrong:
        raise SpecError([_fault(method, wrong)]) from wrong


def _fault(method: Any, wrong: SettingError) -> Fault:
    name = next((name for name, part in method.parts.items() if part is wrong.part), "")
    if not name:
        return Fault((), str(wrong))
    path = (*method.graph.boxes[name].path, wrong.setting)
    return Fault(path, str(wrong), (), f"write --set {'.'.join(map(str, path))}={wrong.value}")


def _anything(_: int) -> None:
    pass
