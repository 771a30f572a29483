"""docs/tutorial.md is followed from its first line to its last: its texts are saved, its commands run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
from test_using_page import photographs, run

from sslgraph.read.load import load_method

PAGE = (Path(__file__).parents[1] / "docs/tutorial.md").read_text(encoding="utf-8")
SMALLER = "--epochs 1 --batch 12 --device cpu"
BLOCK = re.compile(r"```(yaml|text)\n(.*?)```|((?:^    \S[^\n]*\n)+)", re.DOTALL | re.MULTILINE)


def blocks() -> Iterator[tuple[str, str]]:
    """The page's texts, commands (a block of lines) and what these print, in order."""
    for kind, text, lines in BLOCK.findall(PAGE):
        yield kind or "commands", text or lines


def test_the_page_has_its_parts_in_order() -> None:
    kinds = [kind for kind, _ in blocks()]
    assert kinds[:6] == ["yaml", "commands", "text", "yaml", "commands", "text"]
    assert kinds[6:] == ["commands", "text", "commands", "yaml", *["commands"] * 3]


def test_the_tutorial_of_a_reader_who_checks_and_compares(tmp_path: Path) -> None:
    """What the page says that is printed is printed, up to its first training."""
    said = ""
    for kind, text in blocks():
        if kind == "yaml":
            (tmp_path / "mine.yaml").write_text(text)
        elif kind == "text":
            assert text in said
        elif "sslgraph train" in text:
            break
        else:
            said = "".join(run(line.strip(), tmp_path) for line in text.splitlines())
    assert (tmp_path / "mine.svg").is_file() and (tmp_path / "change.svg").is_file()
    assert load_method(tmp_path / "mine.yaml").spec.state["queue"].settings["size"] == 256


@pytest.mark.slow  # two trainings of a ResNet-18 on 24 photographs
def test_the_tutorial_to_its_end(tmp_path: Path) -> None:
    photographs(tmp_path)
    _, mine, faster = (text for kind, text in blocks() if kind == "yaml")
    (tmp_path / "mine.yaml").write_text(mine)
    (tmp_path / "faster.yaml").write_text(faster)
    lines = [line.strip() for kind, text in blocks() if kind == "commands" for line in text.splitlines()]
    first = next(i for i, line in enumerate(lines) if line.startswith("sslgraph train"))
    said = "".join(run(line.replace("--epochs 20", SMALLER), tmp_path) for line in lines[first:])
    assert "mine.yaml: 22 photographs to train on" in said and "faster.yaml: 22" in said and "RankMe" in said
    assert (tmp_path / "runs/mine/report.html").is_file() and (tmp_path / "near.png").is_file()
    assert timm.create_model(f"local-dir:{tmp_path}/mine-timm", pretrained=True).num_features == 512
