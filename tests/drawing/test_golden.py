"""The picture of every shipped method, letter by letter; `pytest --renew` writes what the code draws now."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_layout import shipped

from sslgraph.drawing import as_json, picture, svg
from sslgraph.drawing.write.svg import rendered
from sslgraph.read import catalogue

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_the_picture_is_the_golden_one(name: str, request: pytest.FixtureRequest) -> None:
    file, text = GOLDEN / f"{name}.svg", svg(picture(shipped(name)))
    if request.config.getoption("--renew"):
        file.write_text(text, encoding="utf-8", newline="\n")
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ["byol", "dino"])
def test_the_readme_shows_what_the_code_draws(name: str) -> None:
    shown = GOLDEN.parent.parent / "docs/pictures" / f"{name}.svg"
    assert shown.read_text(encoding="utf-8") == svg(picture(shipped(name)))


def test_every_process_draws_the_same_bytes() -> None:
    program = (
        "import sys, hashlib\n"
        "from sslgraph.pipelines.check.check import examine\n"
        "from sslgraph.drawing import as_json, picture, svg\n"
        "drawn = picture(examine('moco_v2').sized, level='every-call')\n"
        "print(hashlib.sha256((svg(drawn, theme='dark', gradients=True) + as_json(drawn)).encode()).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=GOLDEN.parent.parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        ).stdout
        for seed in ("0", "77")
    }
    assert len(said) == 1


def test_an_svg_is_plain_and_whole() -> None:
    text = svg(picture(shipped("dino")), theme="dark", gradients=True)
    assert not any(
        word in text for word in ("foreignObject", "var(", "<style", "href", "http://www.w3.org/1999", "url(h")
    )
    assert text.count("<text") > 20 and text.endswith("</svg>\n")


def test_a_png_is_drawn_with_the_shipped_fonts() -> None:
    drawn = picture(shipped("simclr"))
    once = rendered(svg(drawn))
    assert once[:8] == b"\x89PNG\r\n\x1a\n" and once == rendered(svg(drawn))
    assert rendered(svg(drawn, shapes=False)) != once


def test_json_says_everything_of_a_box() -> None:
    import json

    found = json.loads(as_json(picture(shipped("byol"))))
    encoder = next(box for box in found["panels"][0]["boxes"] if box["kind"] == "encoder")
    assert (encoder["part"], encoder["use"], encoder["weights"]) == ("f", "backbones.resnet", "trained")
    assert encoder["parameters"] == 23_508_032 and encoder["lines"][0]["file"] == "byol.yaml"
