"""A shipped recipe, made small, becomes a run: what it resolved to is said, and what can't be is refused early."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.train import loop
from sslgraph.pipelines.train.start.prepare import prepare, settled

SMALL = {
    "data.images": 64, "data.test_images": 20, "steps": 4, "batch": 16, "optimizer.lr_rule": "batch/256",
    "evaluate.knn.every": "2 steps", "checkpoint.every": "2 steps", "nets.f.width": 4,
}  # fmt: skip


def request(folder: Path, **overrides: Any) -> dict[str, Any]:
    return {"recipe": "demo/simclr", "overrides": {**SMALL, **overrides}, "out": str(folder)}


def losses(folder: Path) -> list[float]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line["contrast"] for line in lines if "contrast" in line]


def test_a_recipe_is_trained_measured_and_written_down(tmp_path: Path) -> None:
    summary = loop.train(request(tmp_path))
    assert summary["steps"] == 4 and set(summary["measures"]) == {
        "knn",
        "knn_train",
        "knn_random_encoder",
        "knn_pixels",
    }
    said = (tmp_path / "introduction.txt").read_text()
    assert "kNN: queries 20 images, 10 classes; bank 64 images, 10 classes" in said
    assert "64 images, 10 classes, batch 16 (ranks x accumulation x images: 1 x 1 x 16), 4 steps an epoch" in said
    assert "x 16/256 = 0.0625" in said and "loss contrast: " in said
    there = {path.name for path in tmp_path.iterdir()}
    assert there >= {"resolved.yaml", "recipe.yaml", "metrics.jsonl", "tensorboard", "checkpoints", "summary.json"}


def test_two_and_two_steps_of_a_real_method_are_four_to_the_last_bit(tmp_path: Path) -> None:
    def cable_pulled(*_: Any) -> None:
        raise ConnectionError

    loop.train(request(tmp_path / "whole"))
    with pytest.raises(ConnectionError):
        loop.train(request(tmp_path / "half"), report=cable_pulled)
    assert len(losses(tmp_path / "half")) == 2
    loop.train(request(tmp_path / "half"))
    assert losses(tmp_path / "half") == losses(tmp_path / "whole")
    one, other = (
        torch.load(tmp_path / name / "checkpoints/step_00000004/method.pt", weights_only=True)
        for name in ("whole", "half")
    )
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"optimizer.betaz": [0.9, 0.99]}, "did you mean 'betas'"),
        ({"optimizer": {"use": "sgd", "lr": 0.1, "weight_decay": 0}}, "sgd: momentum must be given"),
        ({"evaluate.knn.evry": "1 epoch"}, "did you mean 'every'"),
        ({"checkpoint.kep": 3}, "did you mean 'keep'"),
        ({"checkpoint.every": "often"}, "'often' is not a length of time"),
    ],
)
def test_a_recipe_that_can_not_be_meant_is_refused_before_anything_is_built(
    tmp_path: Path, overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(SslgraphError, match=message):
        settled(request(tmp_path, **overrides))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"batch": 128}, "a batch of 128 images is larger than the data set, which has 64"),
        ({"accumulate": 3}, "can't be shared evenly by 1 ranks with 3 micro-batches"),
    ],
)
def test_a_batch_that_can_not_be_cut_is_refused(tmp_path: Path, overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(SslgraphError, match=message):
        prepare(request(tmp_path, **overrides))


def test_a_run_folder_is_new_absolute_and_named_after_recipe_seed_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cfg = settled({"recipe": "demo/simclr", "overrides": {"seed": 3}})
    folder = Path(cfg["out"])
    assert folder.is_dir() and folder.parent == tmp_path / "runs" and folder.name.startswith("demo-simclr-seed3-2")
    assert settled(cfg) == cfg and len([*folder.parent.iterdir()]) == 1


def test_an_address_that_can_hold_no_run_is_refused() -> None:
    with pytest.raises(SslgraphError, match="ftp://bucket/a: runs can be kept in a folder, or at an address s3"):
        settled({"recipe": "demo/simclr", "out": "ftp://bucket/a"})
