"""A figure for a paper: the mean and the deviation of seeds by hand, what is drawn, and what there is to draw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph
from matplotlib import pyplot
from tiny_recipe import RECIPE

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.look.paper_figure import _averaged, _draw_curves, _draw_measures, _groups, write_figure
from sslgraph.pipelines.look.report.records import read
from sslgraph.read.load import load_recipe
from sslgraph.read.resolved import resolved

KNN = {("a", 0): (0.2, 0.4), ("a", 1): (0.3, 0.6), ("b", 0): (0.25, 0.3)}


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Two seeds of one recipe and one of another, with kNN at two steps and an evaluation."""
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    folders = []
    for (name, seed), values in KNN.items():
        folder = tmp_path / f"{name}-seed{seed}"
        folder.mkdir()
        changes = {"seed": seed, "method.method": name} if name == "b" else {"seed": seed}
        (folder / "resolved.yaml").write_text(resolved(load_recipe(str(tmp_path / "tiny.yaml"), changes).spec))
        lines = [{"step": 10 * i, "knn": value, "loss": 1.0} for i, value in enumerate(values, 1)]
        (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        sides = {"trained": values[1], "random": 0.2}
        found = {side: {"linear": {"accuracy": value}, "kmeans": {"nmi": value}} for side, value in sides.items()}
        (folder / "evaluation.json").write_text(json.dumps(found))
        folders.append(folder)
    return folders


def test_seeds_are_their_mean_and_deviation_where_all_of_them_have_a_step() -> None:
    """0.2 and 0.3 have the mean 0.25 and the sample deviation 0.1 / sqrt(2)."""
    (one,) = _averaged([[(10, 0.2), (20, 0.4)], [(10, 0.3)]])
    assert one == pytest.approx((10, 0.25, 0.0707107))
    assert _averaged([[(10, 0.2), (20, 0.4)]]) == [(10, 0.2, 0.0), (20, 0.4, 0.0)]


def test_a_curve_for_each_method_and_a_band_for_its_seeds(runs: list[Path]) -> None:
    figure, axes = pyplot.subplots()
    _draw_curves(axes, _groups([read(run) for run in runs]), "knn")
    one, other = axes.get_lines()
    assert one.get_ydata().tolist() == pytest.approx([25, 50]) and other.get_ydata().tolist() == pytest.approx([25, 30])
    assert one.get_label().endswith("(2 seeds)") and len(axes.collections) == 1
    assert axes.get_ylabel() == "kNN accuracy (%)"
    pyplot.close(figure)


def test_a_dot_for_each_method_beside_what_was_there_before_training(runs: list[Path]) -> None:
    figure, axes = pyplot.subplots()
    _draw_measures(axes, _groups([read(run) for run in runs]), "linear")
    dots = [line for line in axes.get_lines() if line.get_marker() in ("o", "s") and len(line.get_ydata())]
    heights = [line.get_ydata()[0] for line in dots]
    assert heights == pytest.approx([50, 20, 30, 20])
    assert axes.get_ylabel() == "linear accuracy (%)" and len(axes.get_xticklabels()) == 2
    pyplot.close(figure)


def test_it_is_written_in_each_form_twice_alike(runs: list[Path], tmp_path: Path, sslgraph: Command) -> None:
    for ending, start in ((".pdf", b"%PDF"), (".svg", b"<?xml"), (".png", b"\x89PNG")):
        files = [write_figure(runs, tmp_path / f"{i}{ending}", of="kmeans.nmi") for i in (0, 1)]
        assert files[0].read_bytes() == files[1].read_bytes() and files[0].read_bytes().startswith(start)
    words = [*map(str, runs), "--figure", str(tmp_path / "f.svg")]
    assert sslgraph("report", *words, "--width", "82mm").code == 0 and (tmp_path / "f.svg").is_file()
    both = sslgraph("report", *words, "-o", "page.html")
    assert both.code == 1 and both.err == "-o names a page and --figure a figure; give one of them\n"
    alone = sslgraph("report", str(runs[0]), "--of", "knn")
    assert alone.code == 1 and alone.err == "--of knn says what a figure shows; name its file with --figure\n"


def test_what_is_not_there_is_refused_with_what_is(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(SslgraphError, match=r"--of knn20: these runs have no such .* there are: .*knn.*linear"):
        write_figure(runs, tmp_path / "f.pdf", of="knn20")
    with pytest.raises(SslgraphError, match=r"f.jpg: a figure is written as .pdf, .svg, .png"):
        write_figure(runs, tmp_path / "f.jpg")


def test_a_run_with_nothing_is_told_so_and_an_evaluation_alone_is_drawn(runs: list[Path], tmp_path: Path) -> None:
    for run in runs:
        (run / "metrics.jsonl").unlink()
    assert write_figure(runs, tmp_path / "f.svg").stat().st_size > 1_000
    for run in runs:
        (run / "evaluation.json").unlink()
    with pytest.raises(SslgraphError, match=r"a-seed0 has recorded nothing yet; train it, or evaluate it"):
        write_figure(runs, tmp_path / "f.svg", of="knn")


def test_what_is_no_number_counts_as_not_measured(runs: list[Path], tmp_path: Path) -> None:
    nothing = {"trained": {"linear": {"accuracy": float("nan")}, "kmeans": {"nmi": 0.5}}}
    (runs[0] / "evaluation.json").write_text(json.dumps(nothing))
    (runs[0] / "metrics.jsonl").write_text('{"step": 10, "knn": NaN}\n{"step": 20, "knn": 0.4}\n')
    figure, axes = pyplot.subplots()
    groups = _groups([read(run) for run in runs])
    _draw_curves(axes, groups, "knn")
    assert axes.get_lines()[0].get_xydata().tolist() == [[20, pytest.approx(50)]]
    axes.clear()
    _draw_measures(axes, groups, "linear")
    assert axes.get_lines()[0].get_ydata().tolist() == pytest.approx([60])
    pyplot.close(figure)
    assert write_figure(runs, tmp_path / "f.svg", of="linear").is_file()


def test_runs_of_one_seed_are_no_seeds_and_one_run_is_not_two(runs: list[Path], tmp_path: Path) -> None:
    text = (runs[0] / "resolved.yaml").read_text()
    (runs[1] / "resolved.yaml").write_text(text)
    assert _groups([read(run) for run in runs])[0].name.endswith("(2 runs)")
    with pytest.raises(SslgraphError, match=r"a-seed0 and .*a-seed0 are one run, and not two seeds"):
        write_figure([runs[0], runs[0] / "../a-seed0"], tmp_path / "f.svg")


def test_a_protocol_that_is_gone_is_left_out_with_a_note(runs: list[Path], tmp_path: Path, sslgraph: Command) -> None:
    found = json.loads((runs[0] / "evaluation.json").read_text())
    found["trained"] = {"linear_old": {"accuracy": 0.5}, **found["trained"]}
    (runs[0] / "evaluation.json").write_text(json.dumps(found))
    drawn = sslgraph("report", *map(str, runs), "--figure", str(tmp_path / "f.svg"), "--of", "linear")
    assert drawn.code == 0 and (tmp_path / "f.svg").is_file(), drawn.err
    assert drawn.err.endswith(
        "evaluation.json: the protocol linear_old is there no more, so its figures are left out\n"
    )


def test_no_room_and_no_place_are_said_with_the_option_of_a_figure(
    runs: list[Path], tmp_path: Path, sslgraph: Command, recwarn: pytest.WarningsRecorder
) -> None:
    narrow = sslgraph("report", str(runs[0]), "--figure", str(tmp_path / "f.svg"), "--width", "1mm")
    assert narrow.code == 1 and narrow.err == "--width: 0.039 in leave no room for this figure; give a larger width\n"
    (tmp_path / "file").touch()
    nowhere = sslgraph("report", str(runs[0]), "--figure", str(tmp_path / "file" / "f.svg"))
    assert nowhere.code == 1 and nowhere.err.endswith("; give another place with --figure\n")
    with pytest.raises(SslgraphError, match=r"--width: 1 in leave no room for this figure; give a larger width"):
        write_figure(runs, tmp_path / "f.svg", of="linear", width=1)
    write_figure(runs, tmp_path / "f.svg", of="linear", width=2)
    assert not list(recwarn)
