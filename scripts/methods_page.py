"""python scripts/methods_page.py: docs/methods.md, made of the specs, their headers and what they differ in."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from sslgraph.files import write_whole
from sslgraph.page import Shown, family
from sslgraph.pipelines.commands.texts.page import shown
from sslgraph.read import catalogue

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "methods.md"
PICTURES = ROOT / "tests" / "golden"  # a test keeps them as the code draws them
HEAD = """\
# Methods

Made by `python scripts/methods_page.py`; a test says when it is old. {count} methods, by family and year. "From" names
the earlier method that a method differs from least. "Claimed" is the paper's or a library's figure, "measured" is ours
([results](results.md)). `sslgraph show NAME` prints a method's text, `sslgraph page` writes one page to search and to
compare all of them, `sslgraph diff A B` says what two of them differ in.
"""


def page(methods: Sequence[Shown]) -> str:
    """The whole text."""
    children = {child.key: child for child in family(methods)}
    names = {method.key: method.method.method for method in methods}
    text = [HEAD.format(count=len(methods))]
    ordered = sorted(methods, key=lambda method: (method.method.family or "", method.order))
    for name in dict.fromkeys(method.method.family for method in ordered):
        text.append(f"## {str(name).capitalize()}\n")
        for method in (each for each in ordered if each.method.family == name):
            child = children[method.key]
            text += _entry(method, names.get(child.parent or ""), child.words)
    return "\n".join(text)


def _entry(method: Shown, parent: str | None, words: tuple[str, ...]) -> Iterator[str]:
    paper, head = method.method.paper, header(method.texts[0][1])
    yield f"### {method.method.method}, {paper.year if paper else 'no year'}\n"
    idea = method.line.partition(": ")[2].partition(" arXiv:")[0].rstrip(". ")
    yield _line("", f"{idea[:1].upper()}{idea[1:]}.\n")
    if paper:
        title = f"[{paper.title}](https://arxiv.org/abs/{paper.arxiv})" if paper.arxiv else paper.title
        yield _line("* ", f"Paper: {title}")
    if parent:
        yield _line("* ", f"From {parent}: {', '.join(words)}")
    yield _line("* ", f"Claimed: {head['Claimed']}")
    yield _line("* ", f"Measured: {head['Measured']}")
    yield f"* Name: `{method.key}`\n"
    yield f"![{method.method.method}]({os.path.relpath(PICTURES / f'{method.key}.svg', FILE.parent)})\n"


def _line(begin: str, text: str) -> str:
    """Text in lines of at most 120 letters; an address is never broken."""
    indent = " " * len(begin)
    filled = textwrap.fill(begin + text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return filled + "\n" * text.endswith("\n")


def header(text: str) -> dict[str, str]:
    """What the comment above a spec says after "Claimed:" and "Measured:", over as many lines as it takes."""
    lines = [line.removeprefix("#").strip() for line in re.match(r"(#.*\n)+", text)[0].splitlines()]  # type: ignore[index]
    found: dict[str, str] = {}
    word = ""
    for line in lines:
        parts = re.split(r"\b(Claimed|Measured): ", line)
        if word:
            found[word] += f" {parts[0].strip()}" if parts[0].strip() else ""
        for word, said in zip(parts[1::2], parts[2::2], strict=True):
            found[word] = said.strip()
    return found


if __name__ == "__main__":
    text = page([shown(name, name) for name in catalogue.names("methods")])
    write_whole.put_whole(FILE, text)
    print(FILE)
