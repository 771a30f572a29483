"""The encoders of a run: the one that its checkpoint holds, and the one that it began with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sslgraph.checked import sized_graph, wired
from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.evaluate.restored import restored
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.storage.checkpoint import Checkpoint
from sslgraph.read.load import load_recipe
from sslgraph.read.loaded import method_in

SMALL = {"nets.f.width": 8, "batch": 8, "seed": 3}
CPU = torch.device("cpu")


def test_the_trained_encoder_has_the_saved_weights_and_the_random_one_those_of_the_seed(tmp_path: Path) -> None:
    loaded = load_recipe("demo/simclr", SMALL)
    graph = wired(method_in(loaded))
    begun = CompiledMethod(sized_graph(graph, method_in(loaded), batch=8, dataset=16, image=(32, 32)), seed=3)
    weights = {name: value + 1 for name, value in begun.state_dict().items()}
    saved = checkpoint.save(tmp_path, Checkpoint("text", 7, weights, {}))
    found = restored(loaded, saved, images=16, size=(32, 32), device=CPU)
    assert found.step == 7 and list(found.view.views) == ["x"]
    for name, value in begun.encoder().state_dict().items():
        assert torch.equal(found.random.state_dict()[name], value)
        assert torch.equal(found.trained.state_dict()[name], value + 1)


def test_weights_of_another_method_are_refused_with_what_does_not_fit(tmp_path: Path) -> None:
    saved = checkpoint.save(tmp_path, Checkpoint("text", 7, {"parts.f.strange": torch.ones(1)}, {}))
    with pytest.raises(SslgraphError, match=r"the weights in .*step_00000007 do not fit this method"):
        restored(load_recipe("demo/simclr", SMALL), saved, images=16, size=(32, 32), device=CPU)
