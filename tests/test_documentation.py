"""Every example in README.md and docs/language.md is a text that the program accepts."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest
from pydantic import TypeAdapter

from sslgraph.parts import registry
from sslgraph.pipelines.check.check import examine
from sslgraph.read.load import load_augmentation
from sslgraph.traits import Traits

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/language.md")


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        found += [(page, block) for block in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)]
    return found


def headed(text: str) -> str:
    """README's method leaves its first lines out, to be short."""
    return text if re.search(r"^(method|extends|recipe|augmentation):", text, re.MULTILINE) else f"method: M\n{text}"


def test_there_are_examples_of_every_document() -> None:
    texts = "\n".join(text for _, text in blocks("yaml"))
    for key in ("method:", "extends:", "phases:", "recipe:", "augmentation:", "targets:", "after_step:"):
        assert re.search(rf"^{key}", texts, re.MULTILINE), key


@pytest.mark.parametrize(("page", "text"), blocks("yaml"))
def test_an_example_is_right(page: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(headed(text))
    if text.startswith("augmentation:"):
        assert load_augmentation(file).spec.steps, page
    else:
        assert examine(str(file)).sized is not None, page


@pytest.mark.parametrize(("page", "text"), [block for block in blocks("python") if "import" in block[1]])
def test_a_part_in_an_example_can_be_named(
    page: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "example_part.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = registry.signature("example_part:Distance", ("example_part",))
    assert list(found.settings) == ["scale"] and list(found.ports) == ["one", "other"], page
    assert registry.build("example_part:Distance", {"scale": 2.0}, ("example_part",)).scale == 2


def test_the_table_of_traits_has_every_trait_and_each_example_is_one() -> None:
    page = (ROOT / "docs/language.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.*?)` \|", page.partition("| trait |")[2], re.MULTILINE))
    assert sorted(rows) == sorted(trait.name for trait in fields(Traits))
    for trait, example in rows.items():
        assert TypeAdapter(get_type_hints(Traits)[trait]).validate_python(ast.literal_eval(example), strict=True)
