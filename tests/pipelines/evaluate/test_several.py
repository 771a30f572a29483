"""Runs that differ in their seed alone are one row, with mean and spread; the others say in what they differ."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from sslgraph.pipelines.evaluate import evaluation
from sslgraph.pipelines.evaluate.evaluation import Evaluation
from sslgraph.pipelines.evaluate.protocols import ACCURACY
from sslgraph.pipelines.evaluate.several import Group, alike, differences, grouped, paired, spread, table


def test_seeds_are_grouped_and_others_told_apart(tmp_path: Path) -> None:
    texts = {"a": "batch: 8\nseed: 0\n", "b": "batch: 16\n", "c": "batch: 8\nseed: 1\n"}
    folders, found = [], []
    for (name, text), accuracy in zip(texts.items(), (0.4, 0.7, 0.6), strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "resolved.yaml").write_text(text)
        trained = {"knn20": {"accuracy": accuracy}, "health": {"rankme": 100 * accuracy}}
        found.append(Evaluation("M", 1, 1, 1, "random encoder", trained=trained))
        folders.append(tmp_path / name)
    groups = grouped(folders, found)
    assert [[folder.name for folder in group.folders] for group in groups] == [["a", "c"], ["b"]]
    assert list(alike(list(texts.values())).values()) == [[0, 2], [1]]
    assert differences(groups) == ["a against", "b: batch was 8, and is 16 here"]
    assert differences(groups[:1]) == []
    console = Console(width=120)
    with console.capture() as shown:
        console.print(table(groups))
    rows = [line.split() for line in shown.get().splitlines()]
    assert rows[1:5] == [
        ["knn20", "accuracy", "a", "2", "seeds", "50.0", "±", "14.1", "%", "-"],
        ["b", "1", "seed", "70.0", "%", "-"],
        ["health", "RankMe", "a", "2", "seeds", "50", "±", "14", "-"],
        ["b", "1", "seed", "70", "-"],
    ]


def test_runs_of_one_seed_are_no_seeds(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "resolved.yaml").write_text("batch: 8\n")
    found = [Evaluation("M", 1, 1, 1, "random encoder", trained={"knn20": {"accuracy": 0.5}})] * 2
    console = Console(width=120)
    with console.capture() as shown:
        console.print(table(grouped([tmp_path / "a", tmp_path / "b"], found)))
    assert "2 runs" in shown.get() and "seeds" not in shown.get()


def test_three_seeds_that_both_have_say_how_sure_a_difference_is(tmp_path: Path) -> None:
    """Differences of 1, 2 and 3 points: mean 2, their error 1 / sqrt(3), so t = 2 sqrt(3); the fourth has no partner.

    p of two degrees of freedom is 1 - t / sqrt(2 + t^2) = 0.0742; the interval is 2 -+ 4.303 / sqrt(3).
    """
    accuracies = {"a": (0.40, 0.44, 0.42), "b": (0.41, 0.46, 0.45, 0.9)}
    folders, found = [], []
    for batch, (name, values) in enumerate(accuracies.items()):
        for seed, value in enumerate(values):
            folder = tmp_path / f"{name}{seed}"
            folder.mkdir()
            (folder / "resolved.yaml").write_text(f"batch: {batch}\n" + (f"seed: {seed}\n" if seed else ""))
            found.append(Evaluation("M", 1, 1, 1, "random encoder", trained={"knn20": {"accuracy": value}}))
            folders.append(folder)
    groups = grouped(folders, found)
    assert [group.seeds for group in groups] == [(0, 1, 2), (0, 1, 2, 3)]
    assert paired(groups) == [
        "against a0, by a paired t-test of the seeds that both have:",
        "knn20 accuracy: b0 has +2.0 (95 % interval -0.5 to +4.5, p = 0.074, 3 seeds)",
    ]
    assert paired(grouped(folders[1:5], found[1:5])) == []  # two seeds in common
    assert paired(groups[:1]) == []
    same = Group(groups[0].folders, "", groups[0].found, groups[0].seeds)
    assert paired([groups[0], same])[1:] == ["knn20 accuracy: a0 has +0.0 in each seed"]


def several(name: str, values: tuple[float, ...], seeds: tuple[int, ...]) -> Group:
    found = tuple(
        Evaluation("M", 1, 1, 1, "random encoder", trained={"knn20": {"accuracy": value}}) for value in values
    )
    return Group(tuple(Path(f"{name}{i}") for i, _ in enumerate(values)), "", found, seeds)


def test_what_is_no_number_counts_as_not_measured() -> None:
    nan = float("nan")
    one, other = several("a", (0.4, 0.5, 0.6, 0.5), (0, 1, 2, 3)), several("b", (0.5, nan, 0.7, 0.6), (0, 1, 2, 3))
    assert paired([one, other])[1:] == ["knn20 accuracy: b0 has +10.0 in each seed"]
    assert spread(ACCURACY, [0.5, nan, None]) == spread(ACCURACY, [0.5]) == "50.0 %" and spread(ACCURACY, [nan]) == "-"
    assert spread(ACCURACY, [0.4, nan, 0.6]) == "50.0 % ± 14.1 %".replace(" %", "", 1)


def test_runs_of_one_seed_are_paired_as_their_mean() -> None:
    one, other = several("a", (0.4, 0.4, 0.4), (0, 1, 2)), several("b", (0.5, 0.5, 0.3, 0.7), (0, 1, 2, 2))
    assert paired([one, other]) == [
        "against a0, by a paired t-test of the seeds that both have (runs of one seed are one: their mean):",
        "knn20 accuracy: b0 has +10.0 in each seed",
    ]


def test_a_protocol_that_is_gone_is_left_out_of_tables() -> None:
    gone = {"linear_old": {"accuracy": 0.5}, "knn20": {"accuracy": 0.5}}
    found = Evaluation("M", 1, 1, 1, "random encoder", trained=gone)
    assert table([Group((Path("a"),), "", (found,), (0,))]).row_count == evaluation.table(found).row_count == 1
