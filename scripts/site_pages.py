"""python scripts/site_pages.py: the documentation as a web site in build/site, made of docs, specs and code.

    pip install -e '.[docs]'
    python scripts/site_pages.py && python -m http.server -d build/site

README and docs stand as they are; pages of methods, parts, commands and warnings are made anew. It needs no network.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import methods_page
import typer.main
from typer.testing import CliRunner

from sslgraph.lint import RULES
from sslgraph.parts import registry
from sslgraph.pipelines.commands.app import app
from sslgraph.pipelines.look import explained, parts
from sslgraph.read import catalogue

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
GOLDEN = ROOT / "tests" / "golden"  # a test keeps pictures and programs there as the code makes them
# Which pages there are, and in which order; a page of docs/ that is not named here stands under "More".
SECTIONS = {
    "Begin": ("tutorial",),
    "Write": ("language", "pipelines", "pictures", "parts", "glossary"),
    "Run": ("data", "using", "python", "cluster"),
    "What to expect": ("results", "performance", "reliability", "scaling"),
}


def pages() -> dict[str, str]:
    """The text of every page by its path below the site."""
    docs = {file.stem: file.read_text(encoding="utf-8") for file in sorted((ROOT / "docs").glob("*.md"))}
    found = {f"{name}.md": _moved(text) for name, text in docs.items()}
    found |= {_top(file.name): _moved(file.read_text(encoding="utf-8")) for file in sorted(ROOT.glob("*.md"))}
    found |= {f"methods/{name}.md": method(name) for name in catalogue.names("methods")}
    found |= {f"reference/{family}.md": text for family, text in families()}
    found["reference/commands.md"] = commands()
    found["reference/warnings.md"] = warnings()
    return found


def method(name: str) -> str:
    """One method: what it is, its picture, its text and its program."""
    text = catalogue.file_of("methods", name).read_text(encoding="utf-8")
    title, _, idea = text.splitlines()[0].removeprefix("# ").partition(": ")
    head = methods_page.header(text)
    program = (GOLDEN / f"{name}.py.txt").read_text(encoding="utf-8").rstrip()
    return "\n".join(
        (
            f"# {title}\n",
            f"{idea[:1].upper()}{idea[1:]}\n",
            f"![{title}](../pictures/methods/{name}.svg)\n",
            f"* Claimed: {head['Claimed']}",
            f"* Measured: {head['Measured'].replace('docs/results.md', '[results](../results.md)')}\n",
            f"```sh\nsslgraph train {name}\nsslgraph train photos/{name} --data PATH\n```\n",
            f"## Text\n\n```yaml\n{text.rstrip()}\n```\n",
            f"## Step\n\n```python\n{program}\n```\n",
        )
    )


def families() -> Iterator[tuple[str, str]]:
    """A page for each family of parts, with all that `sslgraph show` says of them."""
    names = registry.catalogue()
    for family in dict.fromkeys(name.partition(".")[0] for name in names):
        shown = [(name, parts.page(name)) for name in names if name.partition(".")[0] == family]
        entries = (f"## {name}\n\n```text\n{text.rstrip()}\n```\n" for name, text in shown)
        yield family, "\n".join((f"# {family.capitalize()}\n", *entries))


def commands() -> str:
    """The help of every command."""
    names = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    told = (
        (name, CliRunner().invoke(app, [name, "--help"], prog_name="sslgraph", env={"COLUMNS": "100"}).stdout)
        for name in names
    )
    entries = (f"## sslgraph {name}\n\n```text\n{text.strip()}\n```\n" for name, text in told)
    return "\n".join(("# Commands\n", *entries))


def warnings() -> str:
    """Every rule of the linter."""
    entries = (f"## {rule.number}\n\n```text\n{explained.rule(rule.number).rstrip()}\n```\n" for rule in RULES)
    return "\n".join(("# Errors and warnings\n", "`sslgraph explain SG101` says the same in a terminal.\n", *entries))


def _top(name: str) -> str:
    """What a text of the first folder is called on the site."""
    return "index.md" if name == "README.md" else name.lower()


def _moved(text: str) -> str:
    """The same with addresses as they are on the site."""
    moved = re.sub(r"\]\((?:\.\./)?docs/", "](", text).replace("](../tests/golden/", "](pictures/methods/")
    return re.sub(r"\]\((?:\.\./)?([A-Z]+\.md)", lambda found: f"]({_top(found[1])}", moved)


def settings(found: Mapping[str, str]) -> str:
    """The site's settings: its menu, and nothing that is fetched from elsewhere."""
    named = {name for names in SECTIONS.values() for name in names}
    rest = [path[:-3] for path in found if "/" not in path and path[:-3] not in {*named, "index", "methods"}]
    menu: list[dict[str, object]] = [{"Start": "index.md"}]
    menu += [{title: [f"{name}.md" for name in names]} for title, names in SECTIONS.items()]
    menu.append({"Methods": ["methods.md", *(path for path in found if path.startswith("methods/"))]})
    menu.append({"Reference": [path for path in found if path.startswith("reference/")]})
    menu.append({"More": [f"{name}.md" for name in rest]})
    nav = ", ".join(_inline(entry) for entry in menu)
    return f"""[project]
site_name = "sslgraph"
site_description = "Self-supervised vision methods as graphs of 15 to 50 lines"
docs_dir = "pages"
site_dir = "site"
use_directory_urls = false
nav = [{nav}]
[project.theme]
font = false
features = ["navigation.indexes", "navigation.top", "search.highlight", "content.code.copy"]
"""


def _inline(value: object) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_inline(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_inline(each) for each in value)}]"
    return json.dumps(value)


def write(found: Mapping[str, str], folder: Path) -> None:
    """The site's sources: pages, pictures, settings."""
    shutil.rmtree(folder / "pages", ignore_errors=True)
    shutil.copytree(ROOT / "docs" / "pictures", folder / "pages" / "pictures")
    for picture in GOLDEN.glob("*.svg"):
        target = folder / "pages" / "pictures" / "methods" / picture.name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(picture, target)
    for path, text in found.items():
        target = folder / "pages" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    (folder / "zensical.toml").write_text(settings(found), encoding="utf-8")


if __name__ == "__main__":
    write(pages(), BUILD)
    sys.exit(subprocess.run([sys.executable, "-m", "zensical", "build"], cwd=BUILD).returncode)
