"""Two methods in one picture: everything of both is there once, with its sign; bad requests are refused."""

from __future__ import annotations

import re
from functools import cache
from itertools import permutations
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph

from sslgraph.diff import Comparison, Figure, account
from sslgraph.drawing import DARK, LIGHT, Picture, Theme, as_svg
from sslgraph.drawing.elements.forms import Group, Words
from sslgraph.drawing.elements.forms import Path as Line
from sslgraph.overlay import MARKS, Union, compared, overlay, union
from sslgraph.overlay.union import _APART, WAS, _lines
from sslgraph.page import Shown
from sslgraph.pipelines.commands.texts.page import shown

METHODS = ("byol", "simsiam", "simclr", "moco_v2", "deepcluster", "mae", "swav")


@cache
def method(name: str) -> Shown:
    return shown(name, name)


def laid_over(one: str, other: str) -> Union:
    comparison = Comparison(Figure(method(one).method), Figure(method(other).method))
    return union(method(one).paper_level, method(other).paper_level, comparison)


def ids(picture: Picture) -> set[str]:
    return {box.id for panel in picture.panels for box in panel.boxes}


def test_byol_and_simsiam_differ_by_the_lines_of_the_slow_copy() -> None:
    made = laid_over("byol", "simsiam")
    lines = {line: state for line, state in made.lines.items() if state != "same"}
    assert lines == {
        ("f_x1", "f_x2", "same"): "added",
        ("z1", "z2", "same"): "added",
        ("f_x1", "f_x2", "ema"): "removed",
        ("z1", "z2", "ema"): "removed",
    }
    assert {box for box, state in made.boxes.items() if state in ("added", "removed")} == set()
    assert made.chips["f_x2"] == made.chips["z2"] == ("slow copy → same weights",)
    assert made.chips["z1"] == ("2 → 3 layers", "hidden 4096 → 2048", "and 3 more")
    assert "equal up to a factor" in made.chips["one"]


def test_a_chip_is_cut_between_values_and_never_within_a_list() -> None:
    made = laid_over("deepcluster", "swav")
    words = [word for chips in made.chips.values() for word in chips]
    assert not [word for word in words if word.count("[") != word.count("]")]
    changed = _lines("momentum linear 0.996 to 0.9992 → cosine 0.996 to 1")
    assert changed == ("momentum linear 0.996 to 0.9992", "→ cosine 0.996 to 1")
    assert _lines("out 256 → 2048") == ("out 256 → 2048",)
    split = _APART.split("k [3000, 3000] → [10], heads (1, 2), out 3")
    assert split == ["k [3000, 3000] → [10]", "heads (1, 2)", "out 3"]


def test_a_stop_gradient_that_went_is_two_bars_in_a_gap() -> None:
    made = laid_over("simsiam", "simclr")
    drawn = overlay(made, account(method("simsiam").method, method("simclr").method), "light")
    stops = [part for part in drawn.shapes if isinstance(part, Group) and part.role == "stop"]
    body = [p for stop in stops for p in stop.parts if isinstance(p, Line)]
    assert [(line.fill, line.stroke, line.dash) for line in body] == [
        (LIGHT.ground, "none", ()),
        ("none", MARKS["light"].removed, ()),
    ]


def test_slow_copies_that_both_keep_stay_though_they_run_from_another_box_of_their_net() -> None:
    kept = [state for (_, _, kind), state in laid_over("moco_v2", "un_mix").lines.items() if kind == "ema"]
    assert kept == ["same", "same"]


def test_a_method_over_itself_is_pale_all_over() -> None:
    made = laid_over("moco_v2", "moco_v2")
    assert set(made.boxes.values()) == set(made.lines.values()) == {"same"}
    assert made.picture.panels[0].boxes == method("moco_v2").paper_level.panels[0].boxes


@pytest.mark.parametrize(("one", "other"), list(permutations(METHODS, 2)))
def test_everything_of_both_is_there_once_with_its_sign(one: str, other: str) -> None:
    made = laid_over(one, other)
    news, olds = ids(method(other).paper_level), ids(method(one).paper_level)
    gone = {box for box, state in made.boxes.items() if state == "removed"}
    assert ids(made.picture) == news | gone and gone <= {WAS + box for box in olds}
    assert set(made.boxes) == ids(made.picture)
    for panel in made.picture.panels:
        assert len({box.id for box in panel.boxes}) == len(panel.boxes)
        here = {box.id for box in panel.boxes}
        for edge in panel.edges:
            assert {edge.source, edge.target} <= here
            states = {made.boxes[edge.source], made.boxes[edge.target]}
            state = made.lines[edge.source, edge.target, edge.kind]
            assert not ("added" in states and state != "added")
            assert not ("removed" in states and state != "removed")


@pytest.mark.parametrize(
    ("one", "other"), [("byol", "simsiam"), ("mae", "swav"), ("swav", "mae"), ("deepcluster", "byol")]
)
def test_a_picture_of_any_two_can_be_drawn_and_is_the_same_twice(one: str, other: str) -> None:
    def text() -> str:
        comparison = Comparison(Figure(method(one).method), Figure(method(other).method))
        told = account(method(one).method, method(other).method)
        return as_svg(compared(method(one).paper_level, method(other).paper_level, comparison, told))

    drawn = text()
    assert drawn == text()
    assert "NaN" not in drawn and "var(" not in drawn and "foreignObject" not in drawn
    signs = {state: len(re.findall(f'class="badge {state}"', drawn)) for state in ("added", "removed", "changed")}
    assert signs["changed"] >= 1 and sum(signs.values()) >= 4


def test_the_readme_shows_what_the_code_draws() -> None:
    comparison = Comparison(Figure(method("byol").method), Figure(method("simsiam").method))
    told = account(method("byol").method, method("simsiam").method)
    drawn = as_svg(compared(method("byol").paper_level, method("simsiam").paper_level, comparison, told))
    file = Path(__file__).parents[2] / "docs/pictures/byol-simsiam.svg"
    assert file.read_text(encoding="utf-8") == drawn, "sslgraph diff byol simsiam -o docs/pictures/byol-simsiam.svg"


@pytest.mark.parametrize("end", ["svg", "png", "pdf", "tex", "html"])
def test_diff_writes_the_picture_and_says_the_words(sslgraph: Command, tmp_path: Path, end: str) -> None:
    out = tmp_path / f"change.{end}"
    said = sslgraph("diff", "rotation", "rotation_one", "-o", str(out))
    assert said.code == 0 and said.err == ""
    assert said.out.splitlines()[0] == "RotNet with one turn is RotNet with turn variant one instead of all."
    starts = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "tex": b"% RotNet", "html": b"<!doctype html>"}
    assert out.read_bytes().startswith(starts[end])


def test_a_spec_and_the_resolved_text_of_a_run_are_compared(sslgraph: Command, tmp_path: Path) -> None:
    resolved = tmp_path / "resolved.yaml"
    resolved.write_text(sslgraph("show", "cifar10/simclr", "--resolved").out, encoding="utf-8")
    said = sslgraph("diff", "simclr", str(resolved))
    assert said.code == 0 and "depth 50 -> 18" in said.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("diff", "byol", "simsiam", "-o", "x.jpg"), "x.jpg: a comparison can't be written in this format"),
        (
            ("diff", "byol", "simsiam", "-o", "nowhere/x.svg"),
            "nowhere/x.svg can't be written: no such file or directory",
        ),
        (("diff", "byol", "simsian"), "did you mean 'simsiam'?"),
        (("page", "missing.yaml"), "missing.yaml: there is no such file"),
        (("page", "-o", "taken"), "taken can't be a folder: a file is there"),
        (("page", "cifar10/simclr", "nothing", "-o", "new"), "there is no recipe or method 'nothing'"),
    ],
)
def test_what_can_not_be_is_one_clear_message_and_leaves_nothing(
    sslgraph: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("")
    before = sorted(tmp_path.iterdir())
    said = sslgraph(*words)
    assert said.code == 1 and message in said.err and "Traceback" not in said.err
    assert sorted(tmp_path.iterdir()) == before


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(colour: str, ground: str, share: float) -> str:
    pairs = [(int(colour[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(one * share + other * (1 - share)):02X}" for one, other in pairs)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_words_of_what_stayed_keep_their_contrast(theme: Theme) -> None:
    """On the paper, and on the pale ground of every kind of box."""
    drawn = overlay(laid_over("moco_v2", "moco_v2"), account(method("moco_v2").method, method("moco_v2").method), theme)
    boxes = [shape for shape in drawn.shapes if isinstance(shape, Group) and shape.role == "box"]
    assert len(boxes) > 8
    for box in boxes:
        pale = next(part for part in box.parts if isinstance(part, Group))
        (body, *_) = pale.parts
        fill = body.fill if isinstance(body, Line) and body.fill.startswith("#") else theme.ground
        ground = mixed(fill, theme.ground, pale.opacity)
        words = [part for part in box.parts if isinstance(part, Words)]
        inside = theme.ground if box.kinds[0] in ("view", "image") else ground
        assert all(contrast(part.fill, inside) >= 4.5 for part in words), (box.name, ground)
