"""A search's text: what it may say, what is refused with its line, and what a point of it means."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_recipe import RECIPE

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.search.search import shared_of
from sslgraph.pipelines.search.space import load_space, objectives

SPACE = """
search: Small
maximize: knn
numbers:
  lr: {log: [1e-3, 1e-1]}
  batch: [8, 4]
  nets.g.out: {whole: [4, 16]}
structure:
  - remove: nets.g
  - swap: {losses.*: [losses.nt_xent, losses.barlow_twins]}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    (tmp_path / "space.yaml").write_text(SPACE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_a_point_is_numbers_then_choices() -> None:
    space = load_space("space.yaml")
    assert [axis.points for axis in space.axes[1:]] == [2, 13, 2, 3]
    point = (0.0123456, 1, 8, 1, 2)
    assert space.settings(point) == {"lr": 0.01235, "batch": 4, "nets.g.out": 8}
    assert space.changes(point) == [{"remove": "nets.g"}, {"swap": {"losses.*": "losses.barlow_twins"}}]
    assert space.words(point, {"batch": 4, "nets.g.out": 4}) == (
        "without nets.g; losses.* is losses.barlow_twins; lr = 0.01235; nets.g.out = 8"
    )


def test_a_trials_text_is_the_bases_with_its_changes_and_nothing_else(here: Path) -> None:
    shared = shared_of("tiny.yaml", "space.yaml", say=lambda _: None)
    base, point = shared.text(None), (0.05, 0, 4, 0, 0)
    assert shared.words(point) == "lr = 0.05; nets.g.out = 4" == load_space("space.yaml").words(point, shared.own)
    differing = set(shared.text(point).splitlines()) ^ set(base.splitlines())
    assert {line.strip().split(":")[0] for line in differing} == {"recipe", "g", "optimizer"}
    assert "lr: 0.05" in shared.text(point) and shared.folder == here / "runs" / "search-space"
    assert shared.place(shared.words(point)) != shared.place("the base")


def test_a_value_that_is_the_bases_own_is_no_difference(here: Path) -> None:
    (here / "space.yaml").write_text("search: S\nmaximize: knn\nnumbers: {batch: [8, 4]}\n")
    shared = shared_of("tiny.yaml", "space.yaml", say=lambda _: None)
    assert (shared.words((0,)), shared.words((1,))) == ("the base", "batch = 4")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("numbers: {lr: {log: [0, 1]}}\nmaximize: knn", "a logarithmic scale begins above 0"),
        ("numbers: {lr: {log: [1, 0.1]}}\nmaximize: knn", "1 is not below 0.1"),
        ("numbers: {lr: 3}\nmaximize: knn", "must be a list of values or two ends, not the number 3"),
        ("numbers: {batch: {whole: [1.5, 3]}}\nmaximize: knn", "whole: takes whole numbers"),
        ("numbers: {batch: [1]}", "a search says either maximize: or minimize:"),
        ("numbers: {batch: [1]}\nmaximize: knn\nminimize: knn", "a search says either maximize: or minimize:"),
        ("numbers: {batch: [1]}\nmaximize: linear.accuracy", "is measured on test images, which choose nothing"),
        ("numbers: {batch: [1]}\nmaximize: knn20", "is measured on test images, which choose nothing"),
        ("numbers: {batch: [1]}\nmaximize: health.rankmee", "did you mean 'health.rankme'?"),
        ("maximize: knn", "this search tries nothing"),
        ("maximize: knn\nstructure: [{drop: nets.g}]", "there is no change 'drop'"),
        ("maximize: knn\nnumber: {batch: [1]}", "unknown key 'number'"),
    ],
)
def test_a_wrong_text_is_refused_at_its_line(here: Path, text: str, message: str) -> None:
    (here / "space.yaml").write_text(f"search: S\n{text}\n")
    with pytest.raises(SslgraphError) as refused:
        load_space("space.yaml")
    assert message in str(refused.value) and str(refused.value).startswith("space.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("numbers: {nets.h.out: [8, 16]}", "'nets' has no 'h'"),
        ("numbers: {nets.g.outt: [8, 16]}", "has no setting 'outt'"),
        ("structure: [{remove: nets.q}]", "without nets.q: remove: nets has no 'q'"),
        ("structure: [{stopgrad: off}]", "no line of the flow stops a gradient"),
    ],
)
def test_what_the_base_has_no_place_for_is_refused_before_any_trial(here: Path, text: str, message: str) -> None:
    (here / "space.yaml").write_text(f"search: S\nmaximize: knn\n{text}\n")
    with pytest.raises(SslgraphError) as refused:
        shared_of("tiny.yaml", "space.yaml", say=lambda _: None)
    assert message in str(refused.value)
    assert not (here / "runs").exists()


def test_only_measures_of_training_images_can_be_looked_for() -> None:
    assert {"knn", "health.rankme", "health.lidar", "health.align"} <= {*objectives()}
    assert not any(name.startswith(("linear", "labels", "kmeans", "retrieval")) for name in objectives())


def test_images_without_labels_are_refused_for_neighbours_and_not_for_health(here: Path) -> None:
    from PIL import Image

    for number in range(20):
        (here / "photos").mkdir(exist_ok=True)
        Image.new("RGB", (16, 16), (12 * number, 0, 99)).save(here / "photos" / f"{number}.png")
    with pytest.raises(SslgraphError, match=r"looks for the best knn, which compares labels"):
        shared_of("tiny.yaml", "space.yaml", data="photos", say=lambda _: None)
    (here / "space.yaml").write_text(SPACE.replace("maximize: knn", "maximize: health.rankme"))
    assert "photos" in shared_of("tiny.yaml", "space.yaml", data="photos", say=lambda _: None).text(None)
