"""The pages: their examples are accepted, the files and links that they name exist, their lines fit."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest
from pydantic import TypeAdapter

from sslgraph.parts import registry
from sslgraph.pipelines.check.check import examine
from sslgraph.pipelines.search.space import load_space
from sslgraph.pipelines.stages.checking import checked
from sslgraph.pipelines.stages.stage_plan import plan
from sslgraph.read import spec
from sslgraph.read.load import load_augmentation
from sslgraph.traits import Traits

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/language.md", "docs/pipelines.md", "docs/parts.md", "docs/using.md")
EVERY_PAGE = ("README.md", "CONTRIBUTING.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")))
FOLDERS = r"\.ci|specs|components|sslgraph|pipelines|tests|docs|scripts|benchmarks"
WIDTH = 120


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        found += [(page, block) for block in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)]
    return found


def headed(text: str) -> str:
    """README's method leaves its first lines out, to be short."""
    return (
        text
        if re.search(r"^(method|extends|recipe|augmentation|pipeline|search):", text, re.MULTILINE)
        else f"method: M\n{text}"
    )


def test_there_are_examples_of_every_document() -> None:
    texts = "\n".join(text for _, text in blocks("yaml"))
    for key in ("method:", "extends:", "phases:", "recipe:", "augmentation:", "pipeline:", "targets:", "after_step:"):
        assert re.search(rf"^{key}", texts, re.MULTILINE), key


@pytest.mark.parametrize(("page", "text"), blocks("yaml"))
def test_an_example_is_right(page: str, text: str, tmp_path: Path) -> None:
    first = next(block for page, block in blocks("yaml") if page == "docs/language.md")
    (tmp_path / "my_byol.yaml").write_text(first)  # the page says so, and later examples change it
    file = tmp_path / "example.yaml"
    file.write_text(headed(text))
    if text.startswith("augmentation:"):
        assert load_augmentation(file).spec.steps, page
    elif text.startswith("search:"):
        assert load_space(str(file)).variants, page
    elif text.startswith("pipeline:"):
        assert all(": OK" in line for line, _ in checked(plan(str(file), str(tmp_path)))), page
    else:
        found = examine(str(file))
        assert found.sized is not None, page
        assert [str(one) for one in found.findings if not one.reason] == [], page
        assert "lint:" not in text or any(one.reason for one in found.findings), "what it silences is there"


def test_the_pages_of_the_language_have_every_word_of_it() -> None:
    of_methods = (spec.Method, spec.Paper, spec.View, spec.Part, spec.Weights, spec.Average, spec.Snapshot)
    others = (spec.Loss, spec.Phase, spec.Drawing, spec.Recipe, spec.Data, spec.Augmentation)
    for page, models in {"language": (*of_methods, *others), "pipelines": (spec.Pipeline, spec.Stage)}.items():
        text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
        code = " ".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
        words = {field.alias or name for model in models for name, field in model.model_fields.items()} - {"settings"}
        assert {word for word in words if not re.search(rf"(?<!\w){word}(?!\w)", code)} == set(), page


@pytest.mark.parametrize(("page", "text"), [block for block in blocks("python") if "import" in block[1]])
def test_a_part_in_an_example_can_be_named(
    page: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = re.findall(r"^class (\w+)\(nn.Module\)", text, re.MULTILINE)
    module = f"example_{name.lower()}"
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    use = f"{module}:{name}"
    found = registry.signature(use, (module,))
    assert list(found.settings) in (["scale"], ["bits", "p"]), page
    assert found.ports.keys() <= {"one", "other", "rows", "images"}, page
    setting = list(found.settings)[-1]
    assert getattr(registry.build(use, {setting: 0.5}, (module,)), setting) == 0.5


def test_the_table_of_traits_has_every_trait_and_each_example_is_one() -> None:
    page = (ROOT / "docs/parts.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.*?)` \|", page.partition("| trait |")[2], re.MULTILINE))
    assert sorted(rows) == sorted(trait.name for trait in fields(Traits))
    for trait, example in rows.items():
        assert TypeAdapter(get_type_hints(Traits)[trait]).validate_python(ast.literal_eval(example), strict=True)


def long_lines(page: Path) -> list[str]:
    """Prose has at most 120 columns; tables and code are as wide as they must be."""
    faults, is_code = [], False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        is_code ^= line.startswith("```")
        if len(line) > WIDTH and not is_code and not line.startswith(("|", "    ")):
            faults.append(f"line {number} has {len(line)} columns")
    return faults


def lost_files(page: Path) -> list[str]:
    """Files, folders and tests that a page names exist; words in capitals (NAME) stand for others."""
    text = page.read_text(encoding="utf-8")
    faults = []
    for path, test in re.findall(rf"(?<![\w/.:-])((?:{FOLDERS})/[\w./-]*\w)(?:::(\w+))?", text):
        if re.search(r"[A-Z]{4,}", path):
            continue
        file = ROOT / path
        if not file.exists():
            faults.append(path)
        elif test and f"def {test}(" not in file.read_text(encoding="utf-8"):
            faults.append(f"{path}::{test}")
    for name in re.findall(r"(?<![\w/])test_\w+\.py", text):
        if len(list((ROOT / "tests").rglob(name))) != 1:
            faults.append(f"{name}: not one file of tests")
    for module in re.findall(r"python -m ((?:tests|benchmarks)[\w.]*)", text):
        if not (ROOT / module.replace(".", "/")).with_suffix(".py").exists():
            faults.append(module)
    return faults


def lost_links(page: Path) -> list[str]:
    """Links lead to a file, and to a heading of it; a page that is named without a link exists, too."""
    text = page.read_text(encoding="utf-8")
    faults = []
    for target, heading in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)", text):
        file = page.parent / target if target else page
        if not file.exists():
            faults.append(target)
        elif heading and heading not in anchors(file):
            faults.append(f"{target}#{heading}")
    return faults + [
        name
        for name in re.findall(r"(?<![\w/-])[\w-]+\.md\b", text)
        if not any((folder / name).exists() for folder in (ROOT, ROOT / "docs"))
    ]


def anchors(page: Path) -> list[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("check", [long_lines, lost_files, lost_links])
@pytest.mark.parametrize("page", EVERY_PAGE)
def test_a_page_fits_and_names_what_exists(page: str, check: Callable[[Path], list[str]]) -> None:
    assert check(ROOT / page) == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (long_lines, "word " * 30),
        (lost_files, "see `pipelines/knn.py`"),
        (lost_files, "see tests/test_specs.py::test_that_is_not_there"),
        (lost_files, "shown by `test_that_is_not_there.py`"),
        (lost_files, "    python -m tests.soak --kills 100"),
        (lost_links, "[here](nowhere.html)"),
        (lost_links, "# One\n[here](#two)"),
        (lost_links, "see nowhere.md"),
    ],
)
def test_each_check_of_pages_can_fail(check: Callable[[Path], list[str]], text: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text)
    assert len(check(tmp_path / "page.md")) == 1


def test_tables_code_and_names_that_stand_for_others_are_left_alone(tmp_path: Path) -> None:
    wide = "word " * 30
    page = tmp_path / "page.md"
    page.write_text(
        f"| {wide} |\n\n    {wide}\n\n```yaml\n{wide}\n```\n\n`specs/methods/NAME.yaml` [x](#a-b)\n# A, b\n"
    )
    assert [fault for check in (long_lines, lost_files, lost_links) for fault in check(page)] == []


@pytest.mark.parametrize("script", ["check", "test", "docs"])
def test_each_script_can_be_run_and_is_explained(script: str) -> None:
    assert os.access(ROOT / "scripts" / script, os.X_OK)
    assert f"`scripts/{script}`" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_promise_names_a_test_that_there_is() -> None:
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    files = [file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")]
    there = {name for text in files for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}
    assert len(named) > 20 and named - there == set()
