"""`sslgraph draw`: every format, and one clear line for what can't be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph

STARTS = {
    "svg": b"<svg ",
    "png": b"\x89PNG",
    "pdf": b"%PDF",
    "tex": b"% RotNet",
    "mmd": b"flowchart LR",
    "dot": b"digraph {",
    "json": b"{",
}


@pytest.mark.parametrize(("kind", "start"), STARTS.items())
def test_each_format_is_written(kind: str, start: bytes, sslgraph: Command, tmp_path: Path) -> None:
    file = tmp_path / f"picture.{kind}"
    said = sslgraph("draw", "rotation_one", "-o", str(file), "--gradients")
    assert (said.code, said.out, said.err) == (0, f"drawn: {file}\n", "")
    assert file.read_bytes().startswith(start) and [f.name for f in tmp_path.iterdir()] == [file.name]


def test_without_a_file_the_svg_lies_here(sslgraph: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert sslgraph("draw", "cifar10/rotation_one", "--dark").out == "drawn: rotation_one.svg\n"
    assert (
        "#11171D" in (tmp_path / "rotation_one.svg").read_text()
        and "32²" in (tmp_path / "rotation_one.svg").read_text()
    )


def test_levels_and_shapes(sslgraph: Command, tmp_path: Path) -> None:
    file = tmp_path / "x.svg"
    sslgraph("draw", "rotation_one", "-o", str(file))
    whole = file.read_text()
    sslgraph("draw", "rotation_one", "-o", str(file), "--no-shapes", "--no-legend", "--level", "every-call")
    assert "B×3×224²" in whole and "input data<" in whole
    assert "B×3×224²</text>" not in file.read_text() and "input data</text>" not in file.read_text()


def test_a_drawing_in_the_terminal_writes_no_file(
    sslgraph: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = sslgraph("draw", "rotation_one", "--text")
    assert said.code == 0 and "encoder f" in said.out and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("byoll",), "did you mean 'byol'?"),
        (("byol", "-o", "x.tiff"), "x.tiff: a picture can't be written in this format; end its name in .svg, "),
        (("byol", "-o", "picture"), "picture: a picture can't be written in this format"),
        (
            ("rotation_one", "-o", "no/such/folder/x.svg"),
            "no/such/folder/x.svg can't be written: no such file or directory",
        ),
        (("rotation_one", "--set", "nets.f.depht=18"), "did you mean 'depth'?"),
    ],
)
def test_what_cannot_be_drawn(
    words: tuple[str, ...], message: str, sslgraph: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = sslgraph("draw", *words)
    assert said.code == 1 and message in said.err and "Traceback" not in said.err
    assert said.out == "" and list(tmp_path.iterdir()) == []


def test_names_and_focus_of_one_drawing(sslgraph: Command, tmp_path: Path) -> None:
    file = tmp_path / "x.svg"
    words = ("--label", "f=backbone", "--focus", "losses.nothing")
    assert sslgraph("draw", "rotation_one", "-o", str(file), *words).code == 1
    said = sslgraph("draw", "rotation_one", "-o", str(file), "--label", "f")
    assert said.err.startswith("--label f: write a part, an equals sign and its name")
    assert sslgraph("draw", "rotation_one", "-o", str(file), "--label", "f=backbone", "--focus", "f").code == 0
    assert "backbone" in file.read_text() and 'opacity="0.3"' in file.read_text()


def test_several_methods_stand_in_one_figure(sslgraph: Command, tmp_path: Path) -> None:
    file = tmp_path / "x.svg"
    words = ("rotation_one", "rotation", "--grid", "2x1", "-o", str(file), "--width", "6.9in")
    assert sslgraph("draw", *words).code == 0
    text = file.read_text()
    assert text.count(">trained</text>") == 1 and ">RotNet</tspan>" in text and ">RotNet with one turn</tspan>" in text
    said = sslgraph("draw", "rotation_one", "rotation", "--grid", "1x1", "-o", str(file))
    assert said.code == 1 and "--grid 1x1: write rows, x and columns with room for 2 methods" in said.err
    assert "can't be in one .json" in sslgraph("draw", "rotation_one", "rotation", "-o", "x.json").err


def test_an_svg_for_editors_and_readers(sslgraph: Command, tmp_path: Path) -> None:
    file = tmp_path / "x.svg"
    assert sslgraph("draw", "rotation_one", "-o", str(file), "--transparent").code == 0
    text = file.read_text()
    assert 'id="encoder-f_' in text and "<desc>" in text and "reads encoder f (gradient flows back)" in text
    assert "<rect width=" not in text
    printed = sslgraph("draw", "rotation_one", "-o", "-")
    assert printed.out.startswith("<svg ") and "<rect width=" in printed.out


def test_a_picture_for_a_column(sslgraph: Command, tmp_path: Path) -> None:
    file = tmp_path / "x.svg"
    assert sslgraph("draw", "rotation_one", "-o", str(file), "--width", "3.25in").code == 0
    assert 'width="3.25in"' in file.read_text()
    assert sslgraph("draw", "rotation_one", "-o", str(file), "--width", "139.7mm", "--compact").code == 0
    assert 'width="5.5in"' in file.read_text() and "23.5 M" not in file.read_text()


def test_a_figure_that_no_page_holds_says_so(sslgraph: Command, tmp_path: Path) -> None:
    file = tmp_path / "x.svg"
    said = sslgraph("draw", "pcl", "-o", str(file), "--width", "3.25in")
    assert said.code == 0 and said.out == f"drawn: {file}\n"
    high = float(re.search(r'height="([\d.]+)in"', file.read_text())[1])  # type: ignore[index]
    assert high > 9 and said.err == (
        f"PCL is {high:.1f} in high, and a page holds 9 in: a wider --width makes it lower, "
        "and `hide` under `picture:` leaves parts out\n"
    )
    lower = sslgraph("draw", "pcl", "-o", str(file), "--width", "5.5in")
    assert lower.code == 0 and lower.err == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--width", "3.25"), "--width 3.25: write a length with its unit: in, cm, mm, pt; for example 3.25in"),
        (("--width", "1in"), "RotNet with one turn: its picture is not readable 1 in wide; at 7 pt it needs 1."),
        (("--width", "3in", "--font-size", "4pt"), "ask for --font-size 6.85 or more"),
    ],
)
def test_what_cannot_be_printed(words: tuple[str, ...], message: str, sslgraph: Command, tmp_path: Path) -> None:
    said = sslgraph("draw", "rotation_one", "-o", str(tmp_path / "x.svg"), *words)
    assert said.code == 1 and message in said.err and not list(tmp_path.iterdir())


def test_frames_are_files_with_one_idea_more_each(sslgraph: Command, tmp_path: Path) -> None:
    said = sslgraph("draw", "rotation_one", "-o", str(tmp_path / "x.svg"), "--frames", "--transparent")
    files = sorted(file.name for file in tmp_path.iterdir())
    assert said.code == 0 and files == [f"x-{number}.svg" for number in range(1, len(files) + 1)] and len(files) >= 3
    assert "x-1.svg, views" in said.out
    refused = sslgraph("draw", "rotation_one", "simclr", "--frames", "-o", str(tmp_path / "x.svg"))
    assert refused.code == 1 and refused.err.startswith("--frames: draws the steps of one method")


def test_a_draft_is_sketched(sslgraph: Command, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(
        "method: Draft\nviews: {x: {augment: simclr}}\nnets: {f: {use: backbones.spiral}}\nflow: {z: f(x)}\n"
        "losses: {spin: {use: losses.spin, of: [z]}}\nexport: f\n",
        encoding="utf-8",
    )
    file = tmp_path / "draft.svg"
    assert "there is no part 'backbones.spiral'" in sslgraph("draw", str(draft), "-o", str(file)).err
    assert sslgraph("draw", str(draft), "--sketch", "-o", str(file)).code == 0
    assert "not written yet</text>" in file.read_text() and "spiral" in file.read_text()


def test_the_equation_stands_below(sslgraph: Command, tmp_path: Path) -> None:
    file = tmp_path / "x.svg"
    assert sslgraph("draw", "rotation_one", "--equation", "-o", str(file)).code == 0
    assert "Σ" in file.read_text()


def test_a_drawing_is_printed_or_written(sslgraph: Command, tmp_path: Path) -> None:
    said = sslgraph("draw", "simclr", "--text", "-o", str(tmp_path / "x.svg"))
    assert (said.code, said.err) == (1, "--text draws in the terminal, and -o writes a file; give one of them\n")
    assert not (tmp_path / "x.svg").exists()
