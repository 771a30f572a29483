"""docs/using.md is run as it is written, from a folder of photographs to timm, neighbours, a search and features."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import timm
import torch
from PIL import Image
from safetensors import safe_open

from sslgraph.components.sources.shapes import Shapes

PAGE = Path(__file__).parents[1] / "docs/using.md"
# What the page leaves open, and numbers that make minutes of hours. Everything else is run as it stands there.
OPEN = {
    "kmeans --data PATH": "kmeans --data labelled",
    "epochs=10 --data PATH": "epochs=1 --data labelled",
    "-o table.tex": "-o table.tex --data labelled",
    "runs/NAME": "runs/mine",
    "PATH": "photos",
    "IMAGE": "photos/03.jpg",
}
SMALLER = {
    "--epochs 40": "--epochs 1 --batch 12 --device cpu",
    "--data FOLDER": "--data photos --epochs 1 --batch 12 --device cpu --out runs/other",
    "--trials 20": "--trials 1 --searcher random --set steps=2 --set data.images=300",
}
PHOTOGRAPHS, SECONDS = 24, 1800


def blocks(text: str) -> list[str]:
    """The commands of the page's blocks, in order, with what the page leaves open filled in."""
    lines = re.findall(r"^    (sslgraph .*|python -c .*)$", text, re.MULTILINE)
    for words, instead in {**OPEN, **SMALLER}.items():
        lines = [line.replace(words, instead) for line in lines]
    return lines


def run(line: str, folder: Path) -> str:
    program = shlex.quote(sys.executable)
    line = re.sub(r"^sslgraph", f"{program} -m sslgraph", line).replace("python -c", f"{program} -c")
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def photographs(folder: Path) -> None:
    """Photographs of several sizes in one folder; and the same by kind, in a folder of each."""
    images, _ = Shapes(images=PHOTOGRAPHS).read(torch.arange(PHOTOGRAPHS))
    for i, image in enumerate(images):
        small = Image.fromarray(image.permute(1, 2, 0).numpy()).resize((120 + i, 96))
        for place in ("photos", f"labelled/{'dog' if i % 2 else 'cat'}"):
            (folder / place).mkdir(parents=True, exist_ok=True)
            small.save(folder / place / f"{i:02}.jpg")


def test_the_first_block_is_the_path_from_photographs_to_neighbours() -> None:
    first = blocks(PAGE.read_text(encoding="utf-8"))[:5]
    assert [line.split()[1] for line in first] == ["train", "report", "export", "-c", "neighbours"]
    assert "--out runs/mine" in first[0] and all("runs/mine" in first[i] for i in (1, 2, 4))


@pytest.mark.slow  # two trainings of a ResNet-18 on 24 photographs, a search, and all that the page does with a run
def test_every_block_of_the_page_runs_as_it_is_written(tmp_path: Path) -> None:
    photographs(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    (space,) = re.findall(r"```yaml\n(search: .*?)```", text, re.DOTALL)
    (tmp_path / "space.yaml").write_text(space)
    said = {line: run(line, tmp_path) for line in blocks(text)}
    assert len(said) >= 11
    # The path from photographs to neighbours: a page, weights that timm reads, a picture of what is near.
    assert "512" in said[next(line for line in said if line.startswith("python"))]
    model = timm.create_model(f"local-dir:{tmp_path}/mine-timm", pretrained=True)
    assert model.num_features == 512
    report = (tmp_path / "runs/mine/report.html").read_text(encoding="utf-8")
    assert report.count("data:image") > 3 and "<script src" not in report
    with Image.open(tmp_path / "near.png") as near:
        assert near.width > near.height > 50
    # What else the page promises: named protocols, features by file, a table of the search.
    evaluation = json.loads((tmp_path / "runs/mine/evaluation.json").read_text())
    assert {"knn20", "kmeans"} <= set(evaluation["trained"]) and evaluation["bank"] + evaluation[
        "queries"
    ] == PHOTOGRAPHS
    table = pq.read_table(tmp_path / "features.parquet")
    assert table["file"].to_pylist()[0].endswith(".jpg") and len(table["features"][0]) == 512
    with safe_open(tmp_path / "features.safetensors", "pt") as file:
        assert len(json.loads(file.metadata()["files"])) == PHOTOGRAPHS == len(file.get_tensor("places"))
    assert (tmp_path / "runs/search-space/report.html").is_file()
    assert len((tmp_path / "runs/search-space/table.csv").read_text().splitlines()) == 3  # head, the base, one trial
