"""Places, ticks, levels and words of a chart, by hand."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from sslgraph.pipelines.look.report.chart import FAR, MOST, Chart, draw, limits, merged, thinned
from sslgraph.pipelines.look.report.frame import Curve, Level, ticks

SVG = re.compile(r"<svg viewBox=\"0 0 440 262\".*?</svg>", re.DOTALL)


def picture(chart: Chart) -> ElementTree.Element:
    (found,) = SVG.findall(draw(chart))
    return ElementTree.fromstring(found)


def line(chart: Chart, name: str) -> list[tuple[float, float]]:
    for path in picture(chart).iter("path"):
        title = path.find("title")
        if title is not None and title.text == name:
            return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path.attrib["d"])]
    raise AssertionError(f"no curve {name}")


def test_a_curve_stands_where_its_values_say() -> None:
    # 0..10 plus 6 % on either side is -0.6..10.6; the plane is x 52..426 and y 226..14.
    places = line(Chart("loss", [Curve("a", [(0, 0.0), (50, 5.0), (100, 10.0)])]), "a")
    expected = [(52.0, 226 - 212 * 0.6 / 11.2), (239.0, 120.0), (426.0, 226 - 212 * 10.6 / 11.2)]
    assert places == [pytest.approx(place, abs=0.06) for place in expected]


def test_all_charts_of_a_page_stand_on_one_axis_of_steps() -> None:
    (found,) = SVG.findall(draw(Chart("kNN", [Curve("a", [(50, 1.0)])]), last=100))
    dot = next(ElementTree.fromstring(found).iter("circle"))
    assert dot.attrib["cx"] == "239.0"
    assert line(Chart("loss", [Curve("a", [(50, 0.0), (100, 1.0)])]), "a")[0][0] == 239.0


def test_a_level_has_its_line_at_its_value_and_its_name_beside_it() -> None:
    chart = Chart("loss", [Curve("a", [(0, 0.0), (100, 10.0)])], [Level("chance", 5.0)])
    svg = picture(chart)
    (level,) = [path for path in svg.iter("path") if path.get("class") == "level"]
    assert level.attrib["d"] == "M52 120.0H426"
    assert "chance 5" in [text.text for text in svg.iter("text")]


def test_names_of_levels_that_lie_close_do_not_cover_each_other() -> None:
    levels = [Level("chance", 526.5), Level("collapsed", 512.0), Level("best", 510.0), Level("floor", 505.0)]
    svg = picture(Chart("loss", [Curve("a", [(0, 450.0), (100, 130.0)])], levels))
    names = [(t.attrib["class"], float(t.attrib["y"])) for t in svg.iter("text") if "name" in t.attrib["class"]]
    assert len(names) == 4
    for i, (side, y) in enumerate(names):
        assert y > 10 and all(side != other or abs(y - there) >= 13 for other, there in names[:i])


def test_ticks_are_round_numbers_inside_the_axis() -> None:
    assert ticks(-0.6, 10.6) == [0, 5, 10]
    assert ticks(0.0, 1.0) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(0.26, 0.4432) == [0.3, 0.35, 0.4]
    assert ticks(-1, 1) == [-1, -0.5, 0, 0.5, 1]


def test_a_level_near_the_curves_widens_the_axis_and_a_far_one_is_told_in_words() -> None:
    curves = [Curve("a", [(0, 1.0), (1, 2.0)])]
    near, far = Level("chance", 2 + FAR), Level("collapsed", -100.0)
    low, high, shown, beyond = limits(curves, [near, far])
    assert (shown, beyond) == ([near], [far]) and low < 1 and high > 2 + FAR
    assert "collapsed (-100) lies beyond the axis." in draw(Chart("loss", curves, [near, far]))


def test_levels_of_one_value_share_a_line() -> None:
    assert merged([Level("chance", 2.0), Level("collapsed", 2.0), Level("best", 0.0)]) == [
        Level("chance and collapsed", 2.0),
        Level("best", 0.0),
    ]


def test_many_points_become_means_in_a_band_and_few_stay_as_they_are() -> None:
    few = [(float(i), 1.0) for i in range(MOST)]
    assert thinned(few) == (few, (), ())
    mean, least, greatest = thinned([(0, 1.0), (1, 3.0), (2, 5.0), (3, 9.0)], most=2)
    assert (
        mean == [(0.5, 2.0), (2.5, 7.0)] and least == [(0.5, 1.0), (2.5, 5.0)] and greatest == [(0.5, 3.0), (2.5, 9.0)]
    )
    wavy = Curve("a", [(float(i), float(i % 2)) for i in range(5 * MOST)])
    assert 'class="band c0"' in draw(Chart("loss", [wavy])) and len(line(Chart("loss", [wavy]), "a")) <= MOST


@pytest.mark.parametrize("points", [[(1.0, 2.0)], [(1.0, 0.0), (2.0, 0.0)], [(5.0, 1e-12), (6.0, 1e12)], []])
def test_a_single_point_a_constant_and_nothing_are_drawn(points: list[tuple[float, float]]) -> None:
    svg = picture(Chart("loss", [Curve("a", points)]))
    assert svg.tag == "svg" and "nan" not in ElementTree.tostring(svg, encoding="unicode").lower()


def test_a_chart_is_told_in_words_and_numbers_for_those_who_do_not_see_it() -> None:
    curves = [Curve("one", [(i, i / 100) for i in range(0, 101, 5)]), Curve("other", [(0, 0.5)])]
    text = draw(Chart("kNN accuracy", curves, [Level("pixels", 0.25)], is_share=True))
    assert (
        "one from 0.0% at step 0 to 100.0% at step 100; other from 50.0% at step 0 to 50.0% at step 0; pixels is 25.0%"
        in text
    )
    assert 'role="img"' in text and "<title>kNN accuracy</title>" in text
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>", text)
    assert (
        rows[0] == ("0", "0.0%", "50.0%")
        and rows[11] == ("100", "100.0%", "")
        and rows[12] == ("pixels", "25.0%", "25.0%")
    )


def test_names_are_escaped_and_curves_differ_by_more_than_colour() -> None:
    text = draw(Chart("<b>", [Curve(f"<i>{i}", [(0, 0.0), (1, 1.0)], i) for i in range(14)]))
    assert "<b>" not in text and "<i>" not in text and "&lt;i&gt;13" in text
    looks = re.findall(r'd="M[^"]*L[^"]*" class="(line c\d)"(?: stroke-dasharray="([\d ]+)")?', text)
    assert len(set(looks)) == 14


@pytest.mark.parametrize(("ends_at", "stands"), [(4.1, "below"), (3.8, "above"), (3.0, "above")])
def test_a_levels_name_stands_where_no_curve_runs(ends_at: float, stands: str) -> None:
    curve = Curve("loss", [(float(step), 1.5 if step < 50 else ends_at) for step in range(101)])
    drawn = str(draw(Chart("loss", [curve], [Level("chance", 4.0)]), last=100.0))
    line_y = float(re.search(r'd="M52 ([\d.]+)H426" class="level"', drawn)[1])  # type: ignore[index]
    name_y = float(re.search(r'y="([\d.]+)" class="name end">chance 4', drawn)[1])  # type: ignore[index]
    assert (name_y > line_y) == (stands == "below")
