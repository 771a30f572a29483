"""Methods that read label maps: they learn, go on to the last bit, and are refused where there are no maps for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from runs import assert_equal, records

from sslgraph.components.sources.shapes import Shapes
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.evaluate.held_out import held_out
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.train import loop
from sslgraph.pipelines.train.loop import train
from sslgraph.pipelines.train.start.prepare import settled

RECIPE = "stages/watching_objects_move"
SHAPES = {"use": "sources.shapes", "images": 256, "test_images": 64, "clutter": False, "texture": False}
SMALL = {"views.x.size": 32, "views.y.size": 8, "nets.f.width": 8, "nets.head.width": 16, "batch": 16, "epochs": None}


class KilledError(BaseException):
    """What nothing catches."""


def ran(out: Path, **changes: Any) -> Path:
    train(settled({"recipe": RECIPE, "overrides": {**SMALL, "data": SHAPES, **changes}, "out": str(out)}))
    return out


def test_the_shape_is_found_in_images_that_were_never_seen(tmp_path: Path) -> None:
    run = ran(tmp_path / "run", steps=150, **{"optimizer.lr": 3e-3})
    told = held_out(run)["moves"].told
    assert told is not None and told.miou > 0.6 and told.miou > told.miou_by_place + 0.1
    assert told.right > told.right_by_place


def test_it_goes_on_to_the_last_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = loop.one_step

    def killed(run: Any, pieces: Any, step: int) -> None:
        if step == 3:
            raise KilledError
        real(run, pieces, step)

    few = {**SHAPES, "test_images": 8}  # half a batch
    often: dict[str, Any] = {"steps": 4, "checkpoint": {"every": "2 steps"}, "data": few}
    whole = ran(tmp_path / "whole", **often)
    monkeypatch.setattr(loop, "one_step", killed)
    with pytest.raises(KilledError):
        ran(tmp_path / "half", **often)
    monkeypatch.setattr(loop, "one_step", real)
    half = ran(tmp_path / "half", **often)
    assert records(whole) == records(half)
    one, other = (checkpoint.load(checkpoint.complete(run / "checkpoints")[-1]).method for run in (whole, half))
    assert_equal(dict(one), dict(other))
    assert held_out(whole)["moves"].loss > 0  # fewer test images than a batch, and the loss compares none of them


def test_images_without_maps_are_refused(tmp_path: Path) -> None:
    said = r"reads label maps \(x\.map\), and the images have none; give a folder of images with label maps"
    with pytest.raises(SslgraphError, match=said):
        ran(tmp_path / "run", data={"use": "sources.patterns", "images": 64}, steps=1)
    assert not (tmp_path / "run").exists() or not any((tmp_path / "run").iterdir())


def test_a_pixel_of_a_class_that_no_score_is_for_is_refused(tmp_path: Path) -> None:
    for name in ("images", "labels"):
        (tmp_path / "maps/train" / name).mkdir(parents=True)
    for i in range(20):
        Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / f"maps/train/images/{i}.png")
        Image.fromarray(np.full((40, 40), 2, np.uint8)).save(tmp_path / f"maps/train/labels/{i}.png")
    data = {"use": "sources.label_maps", "path": str(tmp_path / "maps")}
    said = r"images/\d+\.png has a pixel of class 2, and the method tells 2 classes apart, counted from 0; widen"
    with pytest.raises(SslgraphError, match=said):
        ran(tmp_path / "run", data=data, steps=1)
    ran(tmp_path / "wide", data=data, steps=1, **{"nets.head.out": 3})


def test_the_maps_of_shapes_are_where_the_shape_is_painted() -> None:
    """Without clutter, texture and light, shape and ground have one colour each."""
    source = Shapes(images=20, texture=False, light=False, clutter=False, limit=12)
    images, index = source.read(torch.arange(12))
    for image, map_ in zip(images, source.maps(index), strict=True):
        inside, ground = image[:, map_ == 1].float(), image[:, 0, 0].float()
        assert 0.01 < map_.float().mean() < 0.6
        assert (image[:, map_ == 0].float() - ground[:, None]).abs().mean() < 8  # soft edges alone differ
        assert (inside.median(1).values - ground).abs().max() > 20
