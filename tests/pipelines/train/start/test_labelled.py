"""Training on labels: they reach the loss, and images without them, or with more classes, are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from sources import Numbered

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import request
from sslgraph.pipelines.feed.feed import Feed
from sslgraph.pipelines.launch.launch import launch
from sslgraph.read.spec import Augmentation, Part, View
from sslgraph.views.views import ViewProgram

RECIPE = """
recipe: supervised
method:
  method: Supervised
  views: {x: {augment: crop_flip, size: 8, crop.shorter: 8}}
  nets:
    f: {use: backbones.resnet, depth: 10, width: 2, stem: small}
    head: {use: heads.linear, out: 10}
  flow: {y: head(f(x))}
  losses: {classes: {use: losses.cross_entropy, of: [y, x.label]}}
  export: f
data: {use: sources.shapes, images: 16, test_images: 8}
batch: 8
steps: 2
optimizer: {use: sgd, lr: 0.1, momentum: 0, weight_decay: 0}
"""


def test_a_label_stands_beside_each_copy_of_its_image() -> None:
    flipped = Augmentation(augmentation="a", steps={"flip": Part(use="augment.horizontal_flip")})
    program = ViewProgram.build({"x": View(augment="a", copies=2)}, {"a": flipped})
    source = Numbered(9)
    source.labels = torch.arange(9) * 10
    (batch,) = next(Feed(source, program, batch=4, labelled=True).batches(0, 1))
    assert torch.equal(batch["x.label"], batch["x.index"] * 10) and len(batch["x.label"]) == 8
    (batch,) = next(Feed(source, program, batch=4).batches(0, 1))
    assert "x.label" not in batch


def test_a_supervised_method_is_trained_and_images_without_their_labels_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "supervised.yaml"
    file.write_text(RECIPE)
    assert launch(request(str(file), out=str(tmp_path / "run")))["losses"]["classes"] > 0
    with pytest.raises(SslgraphError, match="the images are of 10 classes, and 'classes' tells 7 apart"):
        launch(request(str(file), out=str(tmp_path / "few"), overrides={"nets.head.out": 7}))
