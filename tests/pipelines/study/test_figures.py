"""Figures of a study: which cells are points, what is said of a curve, and where the picture has them."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.look.report.frame import LETTER, WIDTH
from sslgraph.pipelines.study.figures import Figure, Point, Wish, figures
from sslgraph.pipelines.study.joined import Row, as_csv, joined
from sslgraph.pipelines.study.plot import draw

CELLS = [
    ("views", {"area": str(area)}, {"knn": knn, "seconds": 2, "did": "well", "bound": {"info": bits}})
    for area, knn, bits in ((1, 0.2, 3.0), (0.3, 0.5, 2.0), (0.1, 0.3, 1.0))
]
LABELS = (100, 200, 400)


def tuned(seed: int) -> list[Row]:
    """From scratch 20, 40, 60 %, and after pretraining what twice the labels reach; another seed is two points off."""
    off = 0.02 * seed
    scratch = [("scratch", {"labels": str(n), "seed": str(seed)}, {"accuracy": 0.2 * (i + 1) + off})
               for i, n in enumerate(LABELS)]  # fmt: skip
    after = [("tuned", {"method": "m", "labels": str(n), "seed": str(seed)}, {"accuracy": 0.2 * (i + 2) + off})
             for i, n in enumerate(LABELS[:2])]  # fmt: skip
    return joined([*scratch, *after])


def test_a_row_has_the_figures_of_all_stages_of_its_choices() -> None:
    rows = joined([*CELLS, ("more", {"area": "1"}, {"knn": 0.9}), ("one", {}, {"knn": 0.1})])
    assert len(rows) == 4
    assert rows[0].figures == {"views.knn": 0.2, "views.seconds": 2.0, "views.bound.info": 3.0, "more.knn": 0.9}
    assert as_csv(rows[1:4:2], ["area"]) == (
        "area,views.knn,views.seconds,views.bound.info,one.knn\n0.3,0.5,2,2,\n,,,,0.1\n"
    )


def test_the_best_inside_is_told_from_the_best_at_an_end() -> None:
    (inside,) = figures("Crops", Wish("area", "views.knn"), joined(CELLS))
    assert inside.said == ["highest at 0.3 (50.0%); it rises to there and falls from there, a reverse U"]
    assert [(point.x, point.y) for point in inside.curves["views.knn"]] == [(1.0, 0.2), (0.3, 0.5), (0.1, 0.3)]
    up_and_down = [("views", {"area": str(area)}, {"knn": knn}) for area, knn in enumerate((0.2, 0.5, 0.1, 0.3))]
    (zigzag,) = figures("Crops", Wish("area", "views.knn"), joined(up_and_down))
    assert zigzag.said == ["highest at 1 (50.0%); it goes up and down"]
    (end,) = figures("Crops", Wish("area", "views.knn"), joined(CELLS[:2]))
    assert end.said == ["highest at 0.3 (50.0%); that is an end of what was tried, so no reverse U is seen"]


def test_points_lie_over_another_figure_in_its_order_with_the_choice_beside_them() -> None:
    (found,) = figures("Crops", Wish("area", "views.knn", x="views.bound.info"), joined(CELLS))
    assert [(point.x, point.words) for point in found.curves["views.knn"]] == [(1.0, "0.1"), (2.0, "0.3"), (3.0, "1")]


def test_labels_saved_are_of_means_over_seeds() -> None:
    wish = Wish("labels", "tuned.accuracy", against="scratch.accuracy", mean=("seed",))
    accuracy, saved = figures("All", wish, [*tuned(0), *tuned(1)])
    assert [round(point.y, 3) for point in accuracy.curves["from scratch"]] == [0.21, 0.41, 0.61]
    assert accuracy.curves["m"][0].deviation == pytest.approx(0.02 / 2**0.5)
    assert saved.said == ["m: 100 labels +1.00, 200 labels +1.00"] and not saved.is_share
    assert "line c1" in draw(saved) and "line c0" not in draw(saved)  # m has the colour that it has beside scratch


def test_what_stands_beside_is_a_line_at_its_mean() -> None:
    """The axis reaches it, too: the lowest point of the curve is above it."""
    cells = [("views", {"area": str(area)}, {"knn": 0.4, "before": 0.1 * area}) for area in (1, 2, 3)]
    (found,) = figures("Crops", Wish("area", "views.knn", beside="views.before"), joined(cells))
    assert found.levels == {"views.before": pytest.approx(0.2)}
    text = draw(found)
    (level,) = re.findall(r'd="M\d+ ([\d.]+)H\d+" class="level"', text)
    assert "views.before 20.0%" in text and float(level) > float(re.findall(r'cy="([\d.]+)"', text)[0])


def test_a_figure_that_nothing_says_is_refused() -> None:
    with pytest.raises(
        SslgraphError, match=r"plot 'Crops': no stage over 'area' says 'views.kn'\n  there are: .*views.knn"
    ):
        figures("Crops", Wish("area", "views.kn"), joined(CELLS))


def test_the_picture_has_each_point_at_its_place() -> None:
    """On a logarithmic axis twice the labels are always as far to the right."""
    labelled = [("s", {"labels": str(n)}, {"accuracy": n / 1000}) for n in (10, 20, 40, 80, 160)]
    (figure,) = figures("<b>", Wish("labels", "s.accuracy"), joined(labelled))
    assert figure.scale == "log"
    text = draw(figure)
    across = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', text)]
    steps = [right - left for left, right in pairwise(across)]
    assert len(across) == 5 and max(steps) - min(steps) < 0.25 and steps[0] > 0
    assert "<b>" not in text and "&lt;b&gt;" in text
    names = [("s", {"kind": kind}, {"accuracy": 0.5}) for kind in ("one", "other")]
    (named,) = figures("Kinds", Wish("kind", "s.accuracy"), joined(names))
    assert named.scale == "names" and ">other</text>" in draw(named)


def test_words_on_an_axis_neither_touch_nor_are_cut() -> None:
    values = [Point(x, 0.5) for x in (1.36e-3, 1.67e-3, 2.21e-3, 2.95e-3, 3.55e-3, 6.85e-3, 8.73e-3)]
    names = ["as it is", "losses.* is losses.regression", "losses.* is losses.cosine_regression"]
    for figure in (
        Figure("lr", "lr", "kNN", {"trials": values}, "log", loose=frozenset(["trials"])),
        Figure("loss", "loss", "kNN", {"a": [Point(float(i), 0.5) for i in range(3)]}, "names", names),
    ):
        feet = re.findall(r'<text x="([\d.]+)" y="\d+" class="tick (mid|end)">([^<]+)</text>', str(draw(figure)))
        spans = []
        for at, look, text in feet:
            wide = LETTER * len(text)
            spans.append((float(at) - (wide if look == "end" else wide / 2), wide, text))
        feet_alone = [span for span in spans if span[2] not in ("lr", "loss", "kNN") and "%" not in span[2]]
        assert len(feet_alone) >= 3
        for (left, wide, _), (right, _, _) in pairwise(sorted(feet_alone)):
            assert left + wide <= right
        assert all(left + wide <= WIDTH for left, wide, _ in feet_alone)
