"""A run that was cut off goes on to the last bit, whatever the method keeps: queues, centres, labels, two players."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from runs import assert_equal, records, unlike

from sslgraph.pipelines.train import loop
from sslgraph.read import catalogue

# Six steps of four an epoch, cut after the third: passes over the data set (DeepCluster) come on both sides.
SMALL = {"data.images": 64, "data.test_images": 10, "batch": 16, "steps": 6, "epochs": None, "evaluate": {},
         "checkpoint.every": "3 steps"}  # fmt: skip
OWN: dict[str, dict[str, Any]] = {
    "beit": {  # a tokenizer of random weights
        "nets.tok": {"use": "backbones.dvae_encoder", "width": 8, "groups": 3, "frozen": True, "mode": "eval"},
        "nets.codes": {"use": "heads.linear", "out": 16, "frozen": True},
    },
    "deepcluster": {"ops.kmeans.k": 5, "ops.reduce.out": 8},
    "deepcluster_v2": {"ops.cluster.k": [6, 6, 6]},
    "dinov3": {"targets.old.from": "2 steps", "targets.old.every": "3 steps"},
    "moco_v1": {"state.queue.size": 32},
    "moco_v2": {"state.queue.size": 32},
    "pcl": {"ops.cluster.k": [6, 6, 6]},
    "sela": {"ops.solve.classes": 6},
    "swav": {"state.queue.size": 32, "state.queue.start_epoch": 0, "nets.c.out": 12},
}


@pytest.mark.parametrize("method", catalogue.names("methods"))
def test_three_and_three_steps_are_six(method: str, tmp_path: Path) -> None:
    def cable_pulled(*_: Any) -> None:
        raise ConnectionError

    def request(name: str) -> dict[str, Any]:
        overrides = {**SMALL, **OWN.get(method, {})}
        return {"recipe": f"demo/{method}", "overrides": overrides, "out": str(tmp_path / name)}

    loop.train(request("whole"))
    with pytest.raises(ConnectionError):
        loop.train(request("half"), report=cable_pulled)
    loop.train(request("half"))
    steps = [line["step"] for line in records(tmp_path / "half") if "gradient_norm" in line]
    assert steps == [1, 2, 3, 4, 5, 6]
    assert unlike(tmp_path / "half", tmp_path / "whole") == {}
    for file in ("method.pt", "optimizer.pt"):
        one, other = (
            torch.load(tmp_path / name / "checkpoints/step_00000006" / file, weights_only=True)
            for name in ("whole", "half")
        )
        assert_equal(one, other)
