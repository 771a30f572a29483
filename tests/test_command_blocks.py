"""The commands of the pages: each is one that there is, with options that it has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from sslgraph.pipelines.commands.app import app

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")))


def commands(page: str) -> Iterator[str]:
    """The lines of a page's blocks that call sslgraph, those that end in a backslash with the next."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"^    (sslgraph .*|python -c .*)$", text, re.MULTILINE):
        yield re.sub(r"\s{2,}[^\s'\"-].*$", "", line)  # what stands behind at a distance says what it does


def parsed(line: str) -> None:
    """Raises what click says of words that the command does not know; nothing is run."""
    line = re.sub(r"\$\(.*\)", "FOUND", line).replace(" N ", " 8 ")  # a command of the shell inside; a number
    words = shlex.split(re.split(r" [<|>] | && ", line)[0], comments=True)
    command = typer.main.get_command(app)
    with command.make_context("sslgraph", words[1:]) as context:
        if words[1:] and not words[1].startswith("-"):
            name, found, rest = command.resolve_command(context, words[1:])  # type: ignore[attr-defined]
            assert found is not None, f"there is no command {name}"
            with found.make_context(name, list(rest), resilient_parsing=False):
                pass


EVERY = [(page, line) for page in PAGES for line in commands(page) if line.startswith("sslgraph")]


@pytest.mark.parametrize("line", [line for _, line in EVERY], ids=[f"{page}-{i}" for i, (page, _) in enumerate(EVERY)])
def test_a_command_of_a_block_is_one_that_there_is(line: str) -> None:
    parsed(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sslgraph trian simclr", "No such command 'trian'"),
        ("sslgraph train simclr --epoch 3", "No such option: --epoch"),
        ("sslgraph train simclr --epochs many", "valid integer"),
    ],
)
def test_a_command_that_there_is_not_is_found(line: str, said: str) -> None:
    with pytest.raises(Exception, match=said):
        parsed(line)
    assert len(EVERY) > 40
