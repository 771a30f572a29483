"""Grids: a stage is done once for each choice, cells are artefacts like any other, and a study is made of them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import yaml
from command import Command
from command import sslgraph as sslgraph
from PIL import Image

from sslgraph import home
from sslgraph.errors import SpecError
from sslgraph.pipelines.evaluate.feature_file import SPLITS
from sslgraph.pipelines.evaluate.held_out import held_out
from sslgraph.pipelines.export.exports import FORMS as TO
from sslgraph.pipelines.feed.preparing import FORMS
from sslgraph.pipelines.stages.checking import checked
from sslgraph.pipelines.stages.kinds.stage_kinds import KINDS
from sslgraph.pipelines.stages.stage_plan import plan

BEFORE = """
recipe: before
method: simclr
set: {nets.f.depth: 10, nets.f.width: 4, nets.f.stem: small, nets.g.hidden: [8, 8], nets.g.out: 8, views.x.size: 8}
data: {use: sources.shapes, images: 24, test_images: 20}
batch: 8
steps: 2
monitor: null
optimizer: {use: sgd, lr: 1e-2, momentum: 0.9, weight_decay: 0}
"""
STUDY = """
pipeline: Small
grid:
  strength: {weak: {views.x.jitter.p: 0}, "st/rong": {views.x.jitter.p: 1, recipe: before.yaml}}
  labels: [10, 20]
stages:
  before: {do: train, recipe: before.yaml, over: [strength]}
  share: {do: losses, of: before}
  tuned:
    do: fine_tune
    recipe: stages/fine_tune
    given: {encoder: before}
    over: [labels]
    set: {views.x.size: 8, batch: 10, epochs: null, steps: 1, data.images: 40, data.test_images: 20}
  study:
    do: study
    given: {share: share, tuned: tuned}
    plots:
      Accuracy: {along: labels, y: tuned.accuracy}
      Shared: {along: strength, y: share.bound.contrast}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "before.yaml").write_text(BEFORE)
    (tmp_path / "small.yaml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_study_runs_once_and_only_what_is_missing_runs_again(here: Path, sslgraph: Command) -> None:
    words = ("run", "small.yaml", "--set", "grid.labels=[10]")
    first = sslgraph(*words)
    assert first.code == 0, first.err
    stages = {stage.name: stage for stage in plan("small.yaml", changes={"grid.labels": [10]})}
    assert list(stages) == [
        "before-weak", "before-st_rong", "share-weak", "share-st_rong", "tuned-weak-10", "tuned-st_rong-10", "study",
    ]  # fmt: skip
    table = (stages["study"].folder / "table.csv").read_text().splitlines()
    assert len(table) == 1 + 2 + 2 and table[0].startswith("strength,labels,share.")
    page = (stages["study"].folder / "report.html").read_text()
    assert page.count("<svg") >= 2 and "Accuracy" in page and "st/rong" in page
    bound = json.loads((stages["share-weak"].folder / "done.json").read_text())
    assert bound["bound"]["contrast"] == pytest.approx(math.log(15) - bound["loss"]["contrast"])
    times = {path: path.stat().st_mtime_ns for path in here.rglob("*.pt")}
    (stages["study"].folder / "done.json").unlink()
    (stages["tuned-weak-10"].folder / "done.json").unlink()
    again = sslgraph(*words)
    assert again.code == 0 and again.out.count("done before") == 5
    assert times == {path: path.stat().st_mtime_ns for path in here.rglob("*.pt")}


def test_the_picture_says_what_a_stage_is_done_over(here: Path, sslgraph: Command) -> None:
    assert sslgraph("draw", "small.yaml", "-o", "small.mmd").code == 0
    assert "train over strength" in (here / "small.mmd").read_text()


@pytest.mark.usefixtures("here")
def test_a_name_of_the_text_means_all_its_cells() -> None:
    first = {stage.name: stage.sources.key for stage in plan("small.yaml")}
    assert [name for name in first if "tuned" in name] == [
        "tuned-weak-10", "tuned-weak-20", "tuned-st_rong-10", "tuned-st_rong-20"
    ]  # fmt: skip
    changed = {stage.name: stage.sources.key for stage in plan("small.yaml", changes={"tuned.batch": 5})}
    assert {name for name in first if first[name] != changed[name]} == {*(n for n in first if "tuned" in n), "study"}


def test_images_without_labels_are_refused_before_anything_is_written(here: Path, sslgraph: Command) -> None:
    for index in range(30):
        Image.new("RGB", (12, 12), (8 * index, 90, 40)).save(here / f"{index}.png")
    said = sslgraph("run", "small.yaml", "--data", str(here))
    assert said.code == 1 and said.err == (
        "stage 'study' compares accuracy of 'tuned', which needs labels, and the train images of 'tuned' have none; "
        "give images with labels (--data)\n"
    )
    assert not (here / "runs").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("over: [strength]}", "over: [force]}", "stage 'before': the grid has no axis 'force'"),
        ("  labels: [10, 20]", "  labels: [10, 20]\n  batch: [5, 10]", "no stage is done over the axis 'batch'"),
        ("labels: [10, 20]", "labels: 10", "labels must be a list of values, or names of choices"),
        ("labels: [10, 20]", "labels: [10, many]", "labels: must be a number of images, or a share of them"),
        ("{share: share, tuned: tuned}", "{share: share, tuned: a/b}", "of its own pipeline, and 'a/b' is none"),
        ("do: study\n    given: {share: share, tuned: tuned}", "do: study", "do: study needs given"),
        (
            "y: tuned.accuracy",
            "y: tune.accuracy",
            "plot 'Accuracy', y: write WORD.FACT; no name under given: is",
        ),
        ("along: strength", "along: labell", "plot 'Shared': the grid has no axis 'labell'"),
        ("along: strength", "across: strength", "plot 'Shared' has no setting 'across'"),
        ('"st/rong"', '"we?ak": {}\n            , "we!ak"', "two cells of the grid are called 'before-we_ak'"),
    ],
)
def test_what_is_wrong_with_a_grid_is_said_at_its_place(old: str, new: str, message: str, here: Path) -> None:
    assert old in STUDY
    (here / "small.yaml").write_text(STUDY.replace(old, new))
    with pytest.raises(SpecError) as refused:
        plan("small.yaml")
    assert message in str(refused.value) and "small.yaml" in str(refused.value)


def test_losses_need_a_batch_of_test_images(here: Path, sslgraph: Command) -> None:
    assert sslgraph("train", "before.yaml", "--out", "run", "--set", "data.test_images=7").code == 0
    with pytest.raises(Exception, match="batches of 8 images, and there are 7 test images"):
        held_out(here / "run")


@pytest.mark.usefixtures("here")
def test_cells_that_differ_in_labels_alone_are_checked_once() -> None:
    said = [line for line, _ in checked(plan("small.yaml"))]
    assert [line for line in said if "like" in line] == [
        "tuned-weak-20: OK, like tuned-weak-10", "tuned-st_rong-20: OK, like tuned-st_rong-10"
    ]  # fmt: skip


@pytest.mark.usefixtures("here")
def test_a_command_line_says_over_what_a_grid_is_done() -> None:
    asked = {"grid.strength": ["weak"], "grid.labels": 40}
    assert [stage.name for stage in plan("small.yaml", changes=asked)] == [
        "before-weak", "share-weak", "tuned-weak-40", "study"
    ]  # fmt: skip
    with pytest.raises(SpecError, match=r"grid\.strength: the axis has no choice 'wek'"):
        plan("small.yaml", changes={"grid.strength": ["wek"]})
    with pytest.raises(SpecError, match="the grid has no axis 'seed'"):
        plan("small.yaml", changes={"grid.seed": [1]})


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("good_views", ("strength=['1']", "distance=['20']")),
        ("usefulness", ("factors=[upright]", "method=[RotNet]", "labels=[50]", "draw=[first]")),
    ],
)
def test_the_shipped_studies_run_at_toy_size(
    name: str, axes: tuple[str, ...], tmp_path: Path, sslgraph: Command
) -> None:
    """One step of each training, one cell of each stage: every figure that the text asks for is there."""
    toy = [
        "*.steps=1",
        "*.epochs=null",
        "*.data.images=64",
        "*.data.test_images=64",
        *(f"grid.{axis}" for axis in axes),
    ]
    said = sslgraph("run", name, "--out", str(tmp_path), *(word for change in toy for word in ("--set", change)))
    assert said.code == 0, said.err
    (page,) = tmp_path.glob("study-*/report.html")
    plots = yaml.safe_load((home.SPECS / f"pipelines/{name}.yaml").read_text())["stages"]["study"]["plots"]
    assert all(title in page.read_text() for title in plots)


def test_the_words_of_a_setting_are_those_that_its_stage_knows() -> None:
    for kind, setting, known in (("curate", "form", FORMS), ("embed", "split", SPLITS), ("export", "to", TO)):
        assert KINDS[kind].settings[setting] == f"Literal[{', '.join(map(repr, known))}]"
