"""The web site of the documentation: every page is there, and every link leads to one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sslgraph.parts import registry
from sslgraph.pipelines.commands.app import COMMANDS
from sslgraph.read import catalogue

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import site_pages


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return site_pages.pages()


def test_every_method_part_and_command_has_its_place(pages: dict[str, str]) -> None:
    for name in catalogue.names("methods"):
        assert f"pictures/methods/{name}.svg" in pages[f"methods/{name}.md"]
    for part in registry.catalogue():
        assert f"\n## {part}\n" in pages[f"reference/{part.partition('.')[0]}.md"]
    assert pages["reference/commands.md"].count("\n## sslgraph ") == len(COMMANDS) + 1  # and list
    assert "-o, --out" in pages["reference/commands.md"]
    assert "\n## SG101\n" in pages["reference/warnings.md"]


def test_every_link_leads_to_a_page_or_a_picture(pages: dict[str, str], tmp_path: Path) -> None:
    site_pages.write(pages, tmp_path)
    for path, text in pages.items():
        prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)", prose):
            if "://" not in target:
                assert (tmp_path / "pages" / path).parent.joinpath(target).is_file(), f"{path}: {target}"
    named = re.findall(r'"([\w/]+\.md)"', (tmp_path / "zensical.toml").read_text(encoding="utf-8"))
    assert sorted(named) == sorted(pages)


@pytest.mark.slow
def test_the_site_is_built_without_a_remark_and_fetches_nothing(pages: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("zensical", reason="pip install -e '.[docs]'")
    site_pages.write(pages, tmp_path)
    done = subprocess.run([sys.executable, "-m", "zensical", "build"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert "No issues found" in done.stdout + done.stderr
    for name in ("index", "methods/byol", "reference/losses"):
        html = (tmp_path / "site" / f"{name}.html").read_text(encoding="utf-8")
        assert not re.search(r'(?:src="|<link[^>]*href=")https?://', html)
