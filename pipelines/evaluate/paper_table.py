"""The table of several evaluated runs for a paper: mean and spread over seeds, as csv, Markdown or LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

from sslgraph.errors import SslgraphError
from sslgraph.escaping import FOR_LATEX
from sslgraph.files.write_whole import put_whole

from .evaluation import figures_of, measured
from .protocols import Figure, Values
from .several import SPREAD, Group, called

COLUMNS = ("method", "run", "seeds", "encoder", "protocol", "figure", "mean", "sd")
Column = tuple[str, Figure]
Side = Mapping[str, Values]


def refuse(file: Path) -> None:
    """Refuses a name whose ending is no form of a table, before anything is measured."""
    if file.suffix not in FORMS:
        raise SslgraphError(f"-o {file}: a table is written as {', '.join(FORMS)}; end the name with one of them")


def write(file: Path, groups: Sequence[Group]) -> None:
    """Writes the table of these runs in the form that the name's ending says; SslgraphError if nothing was measured."""
    if not _columns(groups):
        raise SslgraphError(f"{file} is not written: of these runs nothing was measured that a table could say")
    put_whole(file, FORMS[file.suffix](groups))


def _csv(groups: Sequence[Group]) -> str:
    """A line for each figure of each encoder: the numbers as they were measured, shares from 0 to 1."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(COLUMNS)
    for name, group in zip(_names(groups), groups, strict=True):
        for encoder, sides in _sides(group).items():
            for one, figure in _columns(groups):
                values = _values(sides, one, figure)
                if values:
                    around = stdev(values) if len(values) > 1 else ""
                    numbers = (mean(values), around)
                    out.writerow((name, group.folders[0].name, len(group.found), encoder, one, figure.key, *numbers))
    return text.getvalue()


def _markdown(groups: Sequence[Group]) -> str:
    heading, rows = ["encoder", *map(_head, _columns(groups))], [*_rows(groups)]
    ruler = ["---", *["---:"] * (len(heading) - 1)]
    lines = [[cell.replace("|", r"\|") for cell in row] for row in (heading, ruler, *rows)]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", f"{_told(groups)}\n"])


def _latex(groups: Sequence[Group]) -> str:
    """A table of booktabs: a paper needs no more than the package."""
    heading, (first, *rest) = ["encoder", *map(_head, _columns(groups))], [*_rows(groups)]
    lines = [" & ".join(map(_for_tex, row)) + r" \\" for row in (heading, first, *rest)]
    return "\n".join(
        [
            f"% {_told(groups)} In the preamble: \\usepackage{{booktabs}}.",
            rf"\begin{{tabular}}{{l{'r' * (len(heading) - 1)}}}",
            r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule", r"\end{tabular}", "",
        ]
    )  # fmt: skip


FORMS: dict[str, Callable[[Sequence[Group]], str]] = {".csv": _csv, ".md": _markdown, ".tex": _latex}


def _columns(groups: Sequence[Group]) -> list[Column]:
    names = dict.fromkeys(name for group in groups for one in group.found for name in one.trained)
    return [(name, figure) for name in names for figure in figures_of(name)]


def _head(column: Column) -> str:
    name, figure = column
    return f"{name} {figure.words}" + (" (%)" if figure.digits is None else "")


def _rows(groups: Sequence[Group]) -> Iterator[list[str]]:
    """The trained encoders, then each baseline once: runs of one net share theirs."""
    baselines: dict[tuple[str, ...], str] = {}
    for name, group in zip(_names(groups), groups, strict=True):
        for encoder, sides in _sides(group).items():
            cells = [_cell(figure, _values(sides, one, figure)) for one, figure in _columns(groups)]
            if encoder == "trained":
                yield [name, *cells]
            elif set(cells) != {"-"}:
                baselines.setdefault((encoder, *cells), f"{encoder} ({name})")
    often = [encoder for encoder, *_ in baselines]
    for (encoder, *cells), full in baselines.items():
        yield [encoder if often.count(encoder) == 1 else full, *cells]


def _sides(group: Group) -> dict[str, list[Side]]:
    """Of each encoder that was measured the figures of every run; runs that differ in their seed begin alike."""
    all_ = [one.sides for one in group.found]
    names = dict.fromkeys(name for sides in all_ for name in sides)
    found = {name: [sides.get(name, {}) for sides in all_] for name in names}
    return {name: some for name, some in found.items() if any(some)}


def _values(sides: Sequence[Side], name: str, figure: Figure) -> list[float]:
    return measured(values.get(name, {}).get(figure.key) for values in sides)


def _cell(figure: Figure, values: Sequence[float]) -> str:
    """ "41.2 ± 0.5", without the unit, which the heading says."""
    several = [mean(values), stdev(values)] if len(values) > 1 else values
    return " ± ".join(figure.written(value).removesuffix(" %") for value in several) or "-"


def _names(groups: Sequence[Group]) -> list[str]:
    return called([group.found[0].method for group in groups], [group.folders[0] for group in groups])


def _told(groups: Sequence[Group]) -> str:
    counts = sorted({len(group.found) for group in groups})
    word = "seed" if all(len(set(group.seeds)) == len(group.seeds) for group in groups) else "run"
    seeds = " or ".join(map(str, counts)) + (f" {word}s" if counts != [1] else f" {word}")
    images = {(one.bank, one.queries, one.on) for group in groups for one in group.found}
    said = [f"{bank:,} training and {queries:,} test images{f' of {on}' if on else ''}" for bank, queries, on in images]
    return f"{seeds}; {SPREAD}; {' or '.join(sorted(said))}."


def _for_tex(text: str) -> str:
    return "".join(FOR_LATEX.get(letter, letter) for letter in text).replace("±", r"$\pm$")
