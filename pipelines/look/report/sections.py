"""The page: its sections in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sslgraph.errors import SslgraphError
from sslgraph.files.write_whole import put_whole, writable

from . import curves, pictures, scatter, tables
from .chart import Chart, draw
from .gather import Gathered, gather
from .markup import Child, Markup, details, document, element
from .records import read, short
from .seen import Seen
from .sources import Sources

Runs = Sequence[Gathered]


def write_report(
    folders: Sequence[Path],
    out: Path | None = None,
    *,
    data: str | None = None,
    most: int = 2_000,
    plugins: tuple[str, ...] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Writes the page of these runs and returns its place: if none is given, in the folder of a single run, else here.

    `most` is how many images of each split are encoded for neighbours and maps; `data` says where the images are now.
    `say` is told what the page has to do without.
    """
    if not folders:
        raise SslgraphError("a report is about runs, and none is given")
    place = out or (folders[0] / "report.html" if len(folders) == 1 else Path("report.html"))
    if place.suffix != ".html":
        raise SslgraphError(f"-o {place}: a report is written as .html; end the name so")
    if most < 20:
        raise SslgraphError(f"--images {most}: neighbours among so few say nothing; look at 20 or more")
    records, sources = [read(folder) for folder in folders], Sources(data)
    writable(place)
    names = short([record.folder for record in records])
    runs = [
        gather(record, sources, name=name, number=number, most=most, plugins=plugins)
        for number, (record, name) in enumerate(zip(records, names, strict=True))
    ]
    put_whole(place, page(runs))
    for run in runs:
        for part, reason in run.missing.items():
            say(f"{run.name}: {part} not shown: {reason.splitlines()[0]}")
    return place


def page(runs: Runs) -> str:
    """The whole text of the page."""
    title = " and ".join(dict.fromkeys(run.record.method.method for run in runs))
    parts = [_head(runs), *(_method(runs[0], 2) if len(runs) == 1 else ()), *_curves(runs)]
    if len(runs) > 1:
        parts += [_section("What differs", tables.differences(runs))]
        parts += [details(element("strong", run.name), *_method(run, 3), *_own(run, 3), class_="run") for run in runs]
    else:
        parts += _own(runs[0], 2)
    return document(f"{title}: {', '.join(run.record.name for run in runs)}", *parts)


def _head(runs: Runs) -> Markup:
    methods = list(dict.fromkeys(run.record.method.method for run in runs))
    heading = methods[0] if len(methods) == 1 else f"{len(runs)} runs: {', '.join(methods)}"
    paper = runs[0].record.method.paper if len(methods) == 1 else None
    said = f"{paper.title}, {paper.year}" + (f", arXiv:{paper.arxiv}" if paper.arxiv else "") if paper else None
    return element(
        "header",
        element("h1", heading),
        _note(said) if said else None,
        element("p", _in_short(runs[0])) if len(runs) == 1 else None,
        details("What ran, where and when", tables.facts(runs), is_open=True),
    )


def _in_short(run: Gathered) -> str | None:
    """The figure that matters in one sentence, never without what needs no training."""
    record = run.record
    if not record.knn:
        return None
    last, best = record.knn[-1][1], max(value for _, value in record.knn)
    highest = f" (highest {best:.1%})" if best > last else ""
    beside = ", ".join(f"{words} {value:.1%}" for words, value in record.beside.items())
    said = f"{last:.1%} of held-out images have the class that their nearest neighbours vote for{highest}."
    return f"{said} Without training: {beside}." if beside else said


def _curves(runs: Runs) -> list[Markup]:
    none = "This run recorded nothing yet." if len(runs) == 1 else "These runs recorded nothing yet."
    collapse = [_diagnosis(run, len(runs) > 1) for run in runs], _charts(curves.monitors(runs), runs)
    has_looked = any(run.record.monitors or run.record.diagnosis for run in runs)
    moving = [*curves.schedules(runs), *curves.plans(runs), *curves.whole(runs), *curves.pace(runs)]
    sections = [
        _section("Learning", _charts([*curves.losses(runs), *curves.nearest(runs)], runs) or element("p", none)),
        _section("Does it collapse?", *collapse) if has_looked else None,
        _figures(runs),
        _section("Optimizer and pace", _charts(moving, runs)) if moving else None,
    ]
    return [section for section in sections if section is not None]


def _diagnosis(run: Gathered, is_one_of_many: bool) -> Markup | None:
    """What the run said of itself; if it looked and found nothing wrong, that."""
    record = run.record
    if record.diagnosis:
        found = [element("li", finding) for finding in record.diagnosis]
        return element("div", element("p", f"{run.name} says of itself:"), element("ul", found), class_="missing")
    if "diagnosis" not in record.summary:
        return None
    well = "the edges that were watched showed no collapse at the end."
    return element("p", f"{run.name}: {well}" if is_one_of_many else well.capitalize())


def _charts(charts: Sequence[Chart], runs: Runs) -> Markup | None:
    last = max(run.record.steps for run in runs)
    return element("div", [draw(chart, last=last) for chart in charts], class_="charts") if charts else None


def _figures(runs: Runs) -> Markup:
    found = tables.measures(runs)
    if found is None:
        return _section(
            "Figures", element("p", "No accuracy was measured: the images have no labels, or are not there.")
        )
    notes = [(run.name, words) for run in runs if (words := tables.measured_on(run))]
    if len(runs) == 1:
        return _section("Figures", found, [_note(words) for _, words in notes])
    said = [element("li", f"{name}: {words}") for name, words in notes]
    return _section("Figures", found, element("ul", said, class_="note"))


def _method(run: Gathered, level: int) -> list[Markup]:
    """The method's picture, light and dark, of which a reader sees one."""
    if not run.drawn:
        return [_section("Method", _why("The method can't be drawn", run.missing.get("graph")), level=level)]
    drawn = [element("div", Markup(text), class_=theme) for theme, text in run.drawn.items()]
    return [_section("Method", element("div", drawn, class_="scroll method", tabindex=0), level=level)]


def _own(run: Gathered, level: int) -> list[Markup]:
    """What belongs to one run alone."""
    missing = run.missing
    sheet = (
        [_note(run.sheet.words), pictures.contact_sheet(run.sheet)]
        if run.sheet
        else _why("The views can't be shown", missing.get("images") or missing.get("views"))
    )
    parts = [_section("Views", sheet, level=level)]
    if (seen := run.seen) is None:
        why = missing.get("images") or missing.get("features")
        parts.append(_section("What the encoder sees", _why("Images can't be encoded", why), level=level))
    else:
        parts += [_section(title, *children, level=level) for title, *children in _seen(seen)]
    code = details("The training step as code", element("pre", run.code)) if run.code else None
    spec = details("The resolved text: recipe and method", element("pre", run.record.text.rstrip()))
    return [*parts, _section("Spec", code, spec, level=level)]


def _seen(seen: Seen) -> Iterator[tuple[str, *tuple[Child, ...]]]:
    """What the encoder makes of images: the titles of sections, each with what is in it."""
    bank = f"{seen.bank:,} training images"
    said = f"At step {seen.step:,}: the nearest of {bank} by the cosine of features less their mean."
    notes = [_note(f"{note[0].upper()}{note[1:]}.") for note in seen.notes]
    yield "Nearest neighbours", _note(said), notes, pictures.neighbours(seen)
    if seen.coloured:
        rows, columns = seen.coloured[0].places
        said = (
            f"{rows} x {columns} places of each held-out image. Alike colours are alike features: red, green and blue "
            "are the three directions in which the features of all these places spread most."
        )
        yield "Places", _note(said), pictures.places(seen.coloured)
    for part in dict.fromkeys(one.part for one in seen.painted):
        its = [one for one in seen.painted if one.part == part]
        said = f"By {part}, of held-out images; grey is what the method does not see."
        yield "Painted", _note(said), pictures.painted(its)
    if seen.maps:
        drawn = element("div", [scatter.draw(map_) for map_ in seen.maps], class_="charts maps")
        yield "Map of held-out images", scatter.legend(seen.maps[0]), drawn


def _note(text: str) -> Markup:
    return element("p", text, class_="note")


def _why(what: str, reason: str | None) -> Markup:
    return element("p", f"{what}: {reason or 'nothing says why'}.", class_="missing")


def _section(title: str, *children: Child, level: int = 2) -> Markup:
    return element("section", element(f"h{level}", title), *children)
