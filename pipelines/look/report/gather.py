"""Gathers everything that a page shows of one run; what is missing is said in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sslgraph.compile.program import Program
from sslgraph.drawing import picture, svg
from sslgraph.errors import SslgraphError
from sslgraph.read.loaded import method_in
from sslgraph.settle.sized import SizedGraph

from ...check import check
from ...feed.feed import Source
from ..contact_sheet import Sheet, contact_sheet
from .records import Record
from .seen import Seen, look
from .sources import Sources

SHOWN = 3
T = TypeVar("T")


@dataclass(frozen=True)
class Gathered:
    """A run's record and what was computed for the page; `missing` maps a part of the page to why it is not there."""

    name: str  # short, among the runs of the page
    record: Record
    landmarks: dict[str, dict[str, float]]
    drawn: dict[str, str]  # the method's picture as SVG, by theme
    code: str
    sheet: Sheet | None
    seen: Seen | None
    missing: dict[str, str]


def gather(
    record: Record, sources: Sources, *, name: str, number: int = 0, most: int, plugins: tuple[str, ...] = ()
) -> Gathered:
    """Never fails for what a page can do without: a data path that vanished, a checkpoint that is not there yet."""
    missing: dict[str, str] = {}

    def tried(part: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except SslgraphError as reason:
            missing[part] = str(reason)
            return None

    allowed = tried("plugins", lambda: check.allowed_in(record.loaded, plugins)) or plugins
    source = tried("images", lambda: sources(record.loaded.spec, "train", allowed))
    sized = tried("graph", lambda: _sized(record, source, allowed))
    sheet, seen = None, None
    if source is not None:
        sheet = tried("views", lambda: _sheet(record, source, sources.words(record.loaded.spec), allowed))
        seen = tried("features", lambda: look(record, source, sources, most=most, plugins=plugins))
    landmarks = sized.landmarks if sized else {}
    return Gathered(name, record, landmarks, _drawn(sized, number), _code(sized), sheet, seen, missing)


def _sheet(record: Record, source: Source, where: str, plugins: tuple[str, ...]) -> Sheet:
    recipe = record.loaded.spec
    return contact_sheet(
        method_in(record.loaded), source, data=where, count=SHOWN, seed=recipe.seed, batch=recipe.batch, plugins=plugins
    )


def _sized(record: Record, source: Source | None, plugins: tuple[str, ...]) -> SizedGraph:
    if source is None:
        return check.sized_recipe(record.loaded, plugins)
    return check.sized_recipe(record.loaded, plugins, images=len(source), size=source.size)


def _drawn(sized: SizedGraph | None, number: int) -> dict[str, str]:
    if sized is None:
        return {}
    drawn = picture(sized)
    return {theme: svg(drawn, theme=theme, prefix=f"{theme}-{number}-") for theme in ("light", "dark")}


def _code(sized: SizedGraph | None) -> str:
    if sized is None:
        return ""
    outputs = {loss.name: loss.name for loss in sized.training.leg.losses}
    return Program(sized.training, sized.parts, frozenset(), outputs).code.strip()
