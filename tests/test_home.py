"""Where things lie: a module named in a spec is found, and nothing of it is run."""

import sys
from pathlib import Path

import pytest

from sslgraph.home import COMPONENTS, SPECS, source_of


def test_the_catalogue_and_the_specs_are_there() -> None:
    assert (COMPONENTS / "losses").is_dir()
    assert (SPECS / "methods").is_dir()


def test_a_module_is_found_without_running_it_or_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "strangers_parts"
    (package / "inner").mkdir(parents=True)
    for file in ("__init__.py", "one.py", "inner/__init__.py", "inner/two.py"):
        (package / file).write_text("raise SystemExit('this ran')")
    monkeypatch.syspath_prepend(tmp_path)
    assert source_of("strangers_parts.one") == package / "one.py"
    assert source_of("strangers_parts.inner.two") == package / "inner/two.py"
    assert source_of("strangers_parts") == package / "__init__.py"
    assert "strangers_parts" not in sys.modules


@pytest.mark.parametrize(
    "module", ["no_such_module", "json.no_such", "json.decoder.deeper", "", ".", "a b", "sys", "..x"]
)
def test_a_module_that_is_not_there_has_no_file(module: str) -> None:
    assert source_of(module) is None
