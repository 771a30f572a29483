"""Shipped methods, small enough for a few rows on a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from sslgraph.read.load import load_method
from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Method

ROWS, IMAGES, SIDE = 4, 64, 64
# What a method needs to be small: widths that cost time, and sides that its parts ask for.
SMALLER: dict[str, dict[str, Any]] = {
    "moco_v1": {"state.queue.size": 32},
    "moco_v2": {"state.queue.size": 32},
    "swav": {"nets.c.out": 16, "state.queue.size": 16},
    "dino": {"nets.hs.out": 32},
    "deepcluster": {"ops.kmeans.k": 10},
    "deepcluster_v2": {"ops.cluster.k": [10, 10, 10]},
    "pcl": {"state.queue.size": 32, "ops.cluster.k": [5, 10, 20], "phases.0.from": "0 epochs"},
    "sela": {"ops.solve.classes": 10},
    "cpc": {"nets.predict.out": 5 * 512},
    "dvae": {"nets.tok.width": 8, "nets.codes.out": 32},
    "beit": {"nets.f.preset": "nano", "nets.tok.width": 4, "nets.tok.groups": 5, "nets.codes.out": 32},
    "data2vec": {"nets.s.preset": "nano", "nets.r.out": 96, "targets.t.layers": 2},
    "capi": {
        "nets.s.preset": "nano",
        "nets.s.patch": 16,
        "nets.q.dim": 48,
        "nets.q.depth": 1,
        "nets.q.heads": 3,
        "nets.c.out": 16,
        "ops.mask.predicted": 0.5,
    },
    "vicregl": {
        "ops.alike.count": 4,
        "ops.near.count": 4,
        "nets.h.hidden": [64, 64],
        "nets.h.out": 64,
        "nets.g.hidden": [32, 32],
        "nets.g.out": 32,
    },
    "msn": {"nets.s.preset": "nano", "nets.g.hidden": [64, 64], "nets.c.out": 16},
}
SIDES = {
    "context_encoder": 128, "deepcluster": 128, "jigsaw": 255, "pirl": 255, "infomin": 255, "relative_patch": 255,
    "selfie": 224, "cpc": 256, "cpc_v2": 260, "dinov2": 98, "lejepa": 98,
}  # fmt: skip


TWICE = {"dinov3": ("y",)}  # views of twice the side of the others


def images_of(name: str, method: Method) -> dict[str, tuple[int, int, int]]:
    """The size of each view of a shipped method."""
    side = SIDES.get(name, SIDE)
    sides = {view: 2 * side if view in TWICE.get(name, ()) else side for view in method.views}
    return {view: (3, own, own) for view, own in sides.items()}


def write_tables(parts: Mapping[str, Any], method: Method) -> None:
    """Labels for every image, and numbers in tables: what is not written yet counts for nothing."""
    labels = torch.arange(IMAGES) % 5
    for state, part in method.state.items():
        if part.use == "memory.label_table":
            shape = parts[state].labels.shape
            parts[state].write(labels if len(shape) == 1 else labels[:, None].expand(shape))
        if part.use == "memory.table":
            parts[state].write(torch.randn(parts[state].values.shape))


def small(name: str) -> Loaded[Method]:
    """A shipped method with its shallowest backbone."""
    nets = load_method(name).spec.nets
    shallow = {f"nets.{net}.depth": 18 for net, part in nets.items() if part.use == "backbones.resnet"}
    return load_method(name, overrides={**SMALLER.get(name, {}), **shallow})
