"""Pictures for print: as wide as a column, every letter at least 6 points, and the same rules as on a screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest
from rules import broken
from test_layout import shipped
from toys import EYE, SQUARE, sized

from sslgraph.drawing import LIGHT, Box, Picture, layout, picture
from sslgraph.drawing.elements.forms import Group, Shape, Words
from sslgraph.drawing.elements.measure import SMALL, TITLE, TITLE_LINE, extent, width
from sslgraph.drawing.elements.wrapping import even, wrapped
from sslgraph.drawing.figure.fold import compact, joined
from sslgraph.drawing.figure.summed import gathered
from sslgraph.drawing.paint.scene import Scene
from sslgraph.drawing.write.fitted import FONT, fitted
from sslgraph.drawing.write.pdf import as_pdf
from sslgraph.drawing.write.svg import as_svg
from sslgraph.errors import SslgraphError
from sslgraph.read import catalogue

WIDTHS = (3.25, 5.5, 6.9)
SQUARE_ONES = ("moco_v2", "nnclr", "beit", "instdisc")
FEW = ("byol", "simclr", "swav", "simsiam", "deepcluster")


@cache
def drawn(name: str) -> Picture:
    return gathered(picture(shipped(name)))


def letters(shapes: tuple[Shape, ...]) -> Iterator[float]:
    """The size of every letter, in units of the picture."""
    for shape in shapes:
        if isinstance(shape, Group):
            yield from letters(shape.parts)
        elif isinstance(shape, Words):
            yield from (shape.size * (SMALL if run.is_sub else 1) for run in shape.runs if run.text.strip())


def faults(name: str, inches: float) -> list[str]:
    """What a picture in a column of this width breaks."""
    try:
        found = fitted(drawn(name), LIGHT, inches=inches)
    except SslgraphError as fault:
        least = float(re.search(r"it needs ([\d.]+) in", str(fault))[1])  # type: ignore[index]
        wider = fitted(drawn(name), LIGHT, inches=least)
        return [] if inches < least and wider.width * wider.point / 72 <= least + 0.01 else [str(fault)]
    smallest = min(letters(found.shapes)) * found.point
    wide = found.width * found.point / 72
    return [f"{name} at {inches} in: {smallest:.2f} pt, {wide:.2f} in"] * (smallest < 6 or abs(wide - inches) > 0.01)


@pytest.mark.parametrize("name", FEW)
def test_no_letter_prints_under_six_points(name: str) -> None:
    assert [fault for inches in WIDTHS for fault in faults(name, inches)] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_no_letter_of_any_method_prints_under_six_points(name: str) -> None:
    assert [fault for inches in WIDTHS for fault in faults(name, inches)] == []


@pytest.mark.parametrize(
    "name",
    [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in catalogue.names("methods")],
)
def test_a_picture_that_runs_down_keeps_every_rule(name: str) -> None:
    panels = [*drawn(name).panels, *compact(drawn(name)).panels]
    assert [fault for panel in panels for fault in broken(panel, is_down=True, wrap=84.0)] == []


@pytest.mark.parametrize("name", ["moco_v2", "dino", "swav"])
def test_a_column_of_a_paper_holds_all_boxes_of_what_is_often_drawn(name: str) -> None:
    """No branch is folded, and the picture is no higher than a page."""
    found = fitted(drawn(name), LIGHT, inches=3.25)
    nets = {box.id for box in drawn(name).panels[0].boxes if box.kind in ("encoder", "head")}
    assert nets <= {shape.name for shape in found.shapes if isinstance(shape, Group) and shape.role == "box"}
    assert found.height * found.point / 72 < 9


def test_a_figure_across_the_page_is_low() -> None:
    high = {name: (scene := fitted(drawn(name), LIGHT, inches=5.5)).height * scene.point / 72 for name in FEW[:4]}
    assert high["byol"] < 3.5 and high["simsiam"] < 3.5 and high["simclr"] < 2


def test_a_figure_across_the_page_is_no_higher_than_wide_where_it_can_leave_things_out() -> None:
    high = {name: (scene := fitted(drawn(name), LIGHT, inches=5.5)).height * scene.point / 72 for name in SQUARE_ONES}
    assert high["moco_v2"] < 4 and max(high.values()) < 5.5


def test_a_cell_of_a_grid_leaves_things_out_before_the_grid_is_higher_than_a_page() -> None:
    alone, cell = (fitted(drawn("byol"), LIGHT, inches=2.7, high=72 * high) for high in (9, 4.5))
    assert cell.height < 0.8 * alone.height and cell.width == alone.width


def test_ops_that_only_hand_on_stand_in_one_box_where_there_is_little_room() -> None:
    """Nothing is lost but the box between; what is named, stopped or read twice stays apart."""
    before, after = drawn("moco_v2").panels[0], joined(drawn("moco_v2")).panels[0]
    assert {box.title for box in after.boxes} - {box.title for box in before.boxes} == {"unshuffle, ℓ2-norm"}
    assert {value for box in after.boxes for value in box.values} == {v for box in before.boxes for v in box.values}
    gone = [edge for edge in before.edges if edge.source.startswith("unshuffle")]
    assert len(gone) == 1 and len(after.edges) == len(before.edges) - 1
    assert joined(drawn("nnclr")) == drawn("nnclr")


def test_lines_of_words_are_as_narrow_as_their_number_allows() -> None:
    assert even("contrastive cross-entropy", 100.0, 10.5) == ("contrastive", "cross-entropy")
    assert even("slow copy of f", 62.0, 10.5) == ("slow", "copy of f")
    assert even("MLP 2048→2048→256", 80.0, 10.5) == ("MLP 2048→", "2048→256")


def test_no_word_sticks_out_of_the_narrow_end_of_a_net() -> None:
    for kind in ("encoder", "decoder"):
        box = Box("d", kind, title="decoder\n", symbol="dec", sub="MAE\ndecoder, 8\nblocks")
        size = extent(box, is_narrow=True)
        wide, high = width("decoder", TITLE, is_bold=True), 2 * TITLE_LINE + 3 * 14.0
        at_corner = size.height / 2 - size.slant * (0.5 + wide / 2 / size.width)
        assert wide < size.width and at_corner >= high / 2


def test_two_panels_stand_side_by_side_where_there_is_room() -> None:
    found = fitted(drawn("deepcluster"), LIGHT, inches=5.5)
    tops = {shape.y for shape in found.shapes if isinstance(shape, Words)}
    assert len(tops) <= 2 and found.height * found.point / 72 < 6.5


def test_a_value_that_is_stopped_for_three_losses_is_stopped_in_words_once() -> None:
    found = fitted(drawn("un_mix"), LIGHT, inches=5.5)
    stops = [shape for shape in found.shapes if isinstance(shape, Group) and shape.role == "stop"]
    assert len(stops) == sum(isinstance(part, Words) for stop in stops for part in stop.parts) == 1


def test_figures_of_one_paper_have_one_size_of_letters() -> None:
    sizes = [fitted(drawn(name), LIGHT, inches=5.5) for name in ("byol", "simclr")]
    assert len({(scene.point, round(scene.width * scene.point / 72, 3)) for scene in sizes}) == 1


def test_a_sheet_is_as_wide_as_it_says() -> None:
    found: Scene = fitted(drawn("simclr"), LIGHT, inches=3.25)
    assert 'width="3.25in"' in as_svg(found)
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ", as_pdf(found))
    assert box is not None and abs(float(box[1]) - 3.25 * 72) < 0.5


def test_letters_that_are_too_small_are_refused() -> None:
    with pytest.raises(SslgraphError, match=r"letters of 5 pt print indices at 4.4 pt.*ask for --font-size 6.85"):
        fitted(drawn("simclr"), LIGHT, inches=6.9, font=5.0)
    small, usual = (fitted(drawn("simclr"), LIGHT, inches=6.9, font=font) for font in (6.85, FONT))
    assert small.point < usual.point


def test_a_compact_picture_leads_from_the_image_straight_to_its_views() -> None:
    panel = compact(drawn("simclr")).panels[0]
    assert not [box for box in panel.boxes if box.kind == "augmentation"]
    assert ("image", "x") in {(edge.source, edge.target) for edge in panel.edges}
    assert {box.sub for box in panel.boxes if box.kind == "encoder"} == {"ResNet-50"}


def test_long_words_go_on_in_the_next_line() -> None:
    name = "a_very_long_name_of_an_encoder_of_images"
    found = picture(sized(nets={name: EYE}, flow={"y": f"{name}(x)"}, losses={"l": {**SQUARE, "of": ["y", "y"]}}))
    box = next(box for box in found.panels[0].boxes if box.part == name)
    lines = wrapped(box, 84.0).symbol.split("\n")
    assert "".join(lines) == name and len(lines) > 1
    assert broken(found.panels[0], wrap=84.0) == []
    assert max(place.extent.width for place in layout(found.panels[0], wrap=84.0).places.values()) < 140
