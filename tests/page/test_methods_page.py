"""docs/methods.md says what the specs and their headers say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sslgraph.pipelines.commands.texts.page import shown
from sslgraph.read import catalogue

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import methods_page  # noqa: E402

CURE = "it is old: python scripts/methods_page.py makes it anew"


def test_each_method_stands_there_with_what_its_header_claims() -> None:
    text = " ".join(methods_page.FILE.read_text(encoding="utf-8").split())
    names = catalogue.names("methods")
    assert text.count("### ") == len(names), CURE
    for name in names:
        head = methods_page.header(catalogue.file_of("methods", name).read_text(encoding="utf-8"))
        assert f"Claimed: {head['Claimed']} * Measured: {head['Measured']} * Name: `{name}`" in text, CURE


@pytest.mark.slow
def test_the_page_is_the_one_that_is_made_now() -> None:
    made = methods_page.page([shown(name, name) for name in catalogue.names("methods")])
    assert made == methods_page.FILE.read_text(encoding="utf-8"), CURE
