"""A tokenizer trained in one stage, frozen in the next: it is handed on whole, and what does not fit is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from command import Command
from command import sslgraph as sslgraph

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.stages.checking import checked
from sslgraph.pipelines.stages.stage_plan import plan
from sslgraph.pipelines.storage import checkpoint


def test_the_vocabulary_is_said_once_where_the_tokenizer_is_trained(tmp_path: Path) -> None:
    stages = plan("beit", str(tmp_path), changes={"tokenizer.nets.codes.out": 24})
    (pretrain,) = (stage for stage in stages if stage.name == "pretrain")
    assert pretrain.recipe is not None
    nets = pretrain.recipe.spec.method.nets
    assert nets["codes"].settings["out"] == nets["head"].settings["out"] == 24


def test_a_tokenizer_of_another_vocabulary_is_refused_before_anything_runs(tmp_path: Path) -> None:
    stages = plan("beit", str(tmp_path), changes={"pretrain.nets.codes.out": 24})
    with pytest.raises(SslgraphError) as refused:
        list(checked(stages[:2]))
    assert "stage 'pretrain': " in str(refused.value)
    assert "the weights in tokenizer are not those of 'codes': layer.weight is [64, 64] there and [24, 64]" in str(
        refused.value
    )


def test_pretraining_without_a_tokenizer_says_how_to_give_one(sslgraph: Command, tmp_path: Path) -> None:
    said = sslgraph("train", "beit", "--out", str(tmp_path / "run"))
    assert (
        said.code == 1 and "'tok' takes its weights from $tokenizer, and nothing is given under that name" in said.err
    )
    assert "--set given.tokenizer=FILE" in said.err and "Traceback" not in said.err


@pytest.mark.slow
def test_the_shipped_pipeline_runs_and_hands_the_tokenizer_on_unchanged(sslgraph: Command, tmp_path: Path) -> None:
    words = ["run", "beit", "--out", str(tmp_path)]
    for change in ("*.epochs=1", "*.data.images=200", "*.data.test_images=60", "*.batch=20"):
        words += ["--set", change]
    said = sslgraph(*words)
    assert said.code == 0, said.err
    folders = {path.parent.name.rpartition("-")[0]: path.parent for path in tmp_path.glob("*/done.json")}
    assert set(folders) == {"tokenizer", "pretrain", "fine_tune", "evaluate"}
    made, used = (
        checkpoint.load(checkpoint.complete(folders[name] / "checkpoints")[-1]).method
        for name in ("tokenizer", "pretrain")
    )
    taken = [name for name in used if name.startswith(("parts.tok.", "parts.codes."))]
    assert len(taken) == 32 and all(torch.equal(used[name], made[name]) for name in taken)
    assert 0 <= json.loads((folders["fine_tune"] / "done.json").read_text())["accuracy"] <= 1
