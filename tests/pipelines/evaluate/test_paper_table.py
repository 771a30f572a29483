"""The table of evaluated runs for a paper: by hand in each form, and LaTeX that compiles."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph
from tiny_recipe import RECIPE

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.evaluate import paper_table
from sslgraph.pipelines.evaluate.evaluation import Evaluation
from sslgraph.pipelines.evaluate.several import Group


def group(name: str, method: str, accuracies: tuple[float, ...], *, before: float = 0.25) -> Group:
    found = tuple(
        Evaluation(
            method, 5, 100, 20, "random encoder",
            trained={"knn20": {"accuracy": accuracy}, "health": {"rankme": 100 * accuracy}},
            random={"knn20": {"accuracy": before}}, pixels={"knn20": {"accuracy": 0.2}},
        )
        for accuracy in accuracies
    )  # fmt: skip
    return Group(tuple(Path(f"{name}-seed{i}") for i, _ in enumerate(accuracies)), "", found)


GROUPS = [group("a", "M_1 & co", (0.4, 0.6)), group("b", "Two", (0.7, 0.5))]


def written(ending: str, groups: list[Group], tmp_path: Path) -> str:
    file = tmp_path / f"table{ending}"
    paper_table.write(file, groups)
    return file.read_text(encoding="utf-8")


def test_a_table_of_markdown_by_hand(tmp_path: Path) -> None:
    """0.4 and 0.6 have the mean 0.5 and the sample deviation 0.1414; runs of one net share a baseline's row."""
    lines = written(".md", GROUPS, tmp_path).splitlines()
    heads = lines[0].strip("| ").split(" | ")
    assert heads[:2] == ["encoder", "knn20 accuracy (%)"] and "health RankMe" in heads
    rank = heads.index("health RankMe")
    rows = {row[0]: row for row in (line.strip("| ").split(" | ") for line in lines[2:6])}
    assert [*rows] == ["M_1 & co", "Two", "random encoder", "raw pixels"]
    assert [row[1] for row in rows.values()] == ["50.0 ± 14.1", "60.0 ± 14.1", "25.0 ± 0.0", "20.0 ± 0.0"]
    assert [row[rank] for row in rows.values()] == ["50 ± 14", "60 ± 14", "-", "-"]
    assert lines[-1] == "2 seeds; ± : standard deviation over seeds; 100 training and 20 test images."


def test_baselines_that_differ_name_their_method_and_methods_of_one_name_their_run(tmp_path: Path) -> None:
    groups = [group("a", "M", (0.4,)), group("b", "M", (0.5,), before=0.3)]
    lines = written(".md", groups, tmp_path).splitlines()
    assert [line.strip("| ").split(" | ")[0] for line in lines[2:7]] == [
        "M, a-seed0", "M, b-seed0", "random encoder (M, a-seed0)", "raw pixels", "random encoder (M, b-seed0)",
    ]  # fmt: skip


def test_a_line_for_each_number_as_it_was_measured(tmp_path: Path) -> None:
    rows = [*csv.DictReader(written(".csv", GROUPS, tmp_path).splitlines())]
    assert len(rows) == 8 and float(rows[0].pop("sd")) == pytest.approx(0.1414, abs=1e-4)
    assert rows[0] == {
        "method": "M_1 & co", "run": "a-seed0", "seeds": "2", "encoder": "trained", "protocol": "knn20",
        "figure": "accuracy", "mean": "0.5",
    }  # fmt: skip
    assert rows[-1]["encoder"] == "raw pixels" and rows[-1]["mean"] == "0.2" and rows[-1]["sd"] == "0.0"


def test_a_table_of_latex_is_booktabs_and_escapes_names(tmp_path: Path) -> None:
    lines = written(".tex", GROUPS, tmp_path).splitlines()
    assert lines[0].startswith("% 2 seeds; ") and lines[2] == r"\toprule" and lines[4] == r"\midrule"
    assert lines[3].startswith(r"encoder & knn20 accuracy (\%) & ") and lines[3].endswith(r" \\")
    assert lines[5].startswith(r"M\_1 \& co & 50.0 $\pm$ 14.1 & ")
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles_it(tmp_path: Path) -> None:
    written(".tex", GROUPS, tmp_path)
    page = r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{table}\end{document}"
    (tmp_path / "page.tex").write_text(page)
    subprocess.run(["pdflatex", "-interaction=batchmode", "-halt-on-error", "page"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("ending", [".md", ".tex", ".csv"])
def test_without_a_figure_nothing_is_written(ending: str, tmp_path: Path) -> None:
    nothing = Group((tmp_path,), "", (Evaluation("M", 5, 22, 2, "random encoder", trained={}, random={}, pixels={}),))
    with pytest.raises(SslgraphError, match="is not written: of these runs nothing was measured"):
        written(ending, [nothing], tmp_path)
    assert not (tmp_path / f"table{ending}").exists()


def test_a_name_that_says_no_form_is_refused_before_anything_is_measured(sslgraph: Command, tmp_path: Path) -> None:
    with pytest.raises(SslgraphError, match=r"a table is written as \.csv, \.md, \.tex; end the name with one of them"):
        paper_table.refuse(tmp_path / "table.xlsx")
    assert "a table is written as" in sslgraph("evaluate", "no-run", "-o", "table.xlsx").err


def test_the_command_writes_it(sslgraph: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(RECIPE.lstrip())
    assert sslgraph("train", "tiny.yaml", "--out", "run").code == 0
    said = sslgraph("evaluate", "run", "--protocol", "knn5", "-o", "table.csv")
    assert said.code == 0 and said.out.endswith("written: table.csv\n")
    rows = [*csv.DictReader(Path("table.csv").read_text().splitlines())]
    assert [(row["encoder"], row["seeds"]) for row in rows] == [
        ("trained", "1"), ("random encoder", "1"), ("raw pixels", "1"),
    ]  # fmt: skip
