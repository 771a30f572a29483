"""The gradient map of every shipped method, held against autograd on small images."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from toys import assert_map_is_true, random_batch

from sslgraph.compile.compile import CompiledMethod
from sslgraph.read import catalogue
from sslgraph.read.load import load_method
from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Method
from sslgraph.settle.settle import settle
from sslgraph.wire.wire import wire

ROWS, IMAGES, SIDE = 4, 64, 64
# What a method needs to be small: widths that cost time, and sides that its parts ask for.
SMALLER: dict[str, dict[str, Any]] = {
    "moco_v1": {"state.queue.size": 32},
    "moco_v2": {"state.queue.size": 32},
    "swav": {"nets.c.out": 16, "state.queue.size": 16},
    "dino": {"nets.hs.out": 32},
    "deepcluster": {"ops.kmeans.k": 10},
}
SIDES = {"context_encoder": 128, "deepcluster": 128, "jigsaw": 255}


def small(name: str) -> Loaded[Method]:
    """A shipped method with its shallowest backbone."""
    nets = load_method(name).spec.nets
    shallow = {f"nets.{net}.depth": 18 for net, part in nets.items() if part.use == "backbones.resnet"}
    return load_method(name, overrides={**SMALLER.get(name, {}), **shallow})


@pytest.mark.slow
@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_autograd_agrees_with_the_map_of_a_shipped_method(name: str) -> None:
    loaded, side = small(name), SIDES.get(name, SIDE)
    images = dict.fromkeys(loaded.spec.views, (3, side, side))
    sized = settle(wire(loaded.spec, loaded.place), images, batch=ROWS, dataset=IMAGES)
    method = CompiledMethod(sized)
    for state, part in loaded.spec.state.items():
        if part.use == "memory.label_table":  # before its first write a label counts for nothing
            method.parts[state].write(torch.arange(IMAGES) % 10)
    assert_map_is_true(method, random_batch(sized, images, rows=ROWS))
