"""Segmentation by a run's encoder, beside the random one and raw pixels; in the table, the file and the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from tiny_recipe import RECIPE

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.evaluate import evaluate as module
from sslgraph.pipelines.evaluate.evaluate import evaluate
from sslgraph.pipelines.evaluate.labelled_places import Segmented, Wish, read, segmented, table, wish
from sslgraph.pipelines.evaluate.restored import newest, opened
from sslgraph.pipelines.train.loop import train


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("places")
    (folder / "tiny.yaml").write_text(RECIPE)
    train({"recipe": str(folder / "tiny.yaml"), "out": str(folder / "run")})
    return folder / "run"


def scenes(folder: Path, *, classes: int = 2) -> str:
    """Images whose left and right are dark and bright, with the border anywhere; the classes are the two sides."""
    for split, count in (("train", 8), ("test", 4)):
        for i in range(count):
            is_right = (torch.arange(64) >= 16 + 4 * i).expand(48, -1).numpy()
            for kind, pixels in (("images", is_right * np.uint8(200)), ("labels", is_right * np.uint8(classes - 1))):
                (folder / split / kind).mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels.astype(np.uint8)).save(folder / split / kind / f"{i}.png")
    return str(folder)


def measured(run: Path, asked: Wish) -> Segmented:
    on = torch.device("cpu")
    return segmented(opened(run, newest(run), device=on), asked, device=on)


def test_a_run_is_measured_on_label_maps_beside_what_needs_no_training(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.protocols, "measures", lambda *_, **__: iter(()))  # the others take most of the time
    result = evaluate(run, segmentation={"path": scenes(tmp_path), "size": 64})
    found = result.segmentation
    assert found is not None and (found.rows, found.columns, found.bank, found.queries) == (4, 4, 8, 4)
    assert found.classes == ("0", "1") and found.pixels.linear.miou > 0.8 and found.pixels.retrieval.miou > 0.8
    right = sum(48 * (64 - (16 + 4 * i)) for i in range(4)) / (4 * 48 * 64)  # of the test pixels
    assert found.chance.pixels in (pytest.approx(right), pytest.approx(1 - right))
    assert found.chance.miou == pytest.approx(found.chance.pixels / 2)
    written = json.loads((run / "evaluation.json").read_text())["segmentation"]
    assert written["trained"]["linear"]["miou"] == found.trained.linear.miou and read(written) == found
    assert evaluate(run).segmentation == found  # it stays in the file
    monkeypatch.undo()
    named = evaluate(run, names=["dense_linear"], segmentation={"path": scenes(tmp_path), "size": 64})
    for name in ("trained", "random", "pixels"):
        assert getattr(named, name)["dense_linear"]["miou"] == getattr(found, name).linear.miou
    with pytest.raises(SslgraphError, match="dense_linear needs images with label maps; name their folder"):
        evaluate(run, names=["dense_linear"])
    console = Console(width=120)
    with console.capture() as said:
        console.print(table(found, result.begun))
    lines = said.get().splitlines()
    assert lines[0].strip() == "segmentation: 8 training and 4 test images, 4 x 4 places"
    assert [line[:14].strip() for line in lines[2:]] == ["trained", "random encoder", "raw pixels", "one class"]


def test_the_side_is_twice_that_of_training_and_too_small_images_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(SslgraphError, match="gives no features of places for images of 16 pixels: it needs a map or"):
        measured(run, Wish(scenes(tmp_path)))


def test_maps_of_one_class_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(SslgraphError, match="segmentation needs training pixels of two classes or more"):
        measured(run, Wish(scenes(tmp_path, classes=1), size=64))


def test_a_command_line_goes_before_the_recipe() -> None:
    assert wish({}) is None and wish({"knn": {}}, {"size": 64}) is None
    both = wish({"segmentation": {"path": "a", "ignore": [3], "size": 32}}, {"path": "b", "size": 64})
    assert both is not None and (both.path, both.ignore, both.size, both.bank) == ("b", (3,), 64, 500)


def test_a_run_on_label_maps_is_measured_unasked_and_says_where_that_can_not_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ResNet has no places in images of 16 pixels, and has some in larger ones."""
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    data = {"use": "sources.label_maps", "path": scenes(tmp_path / "scenes"), "memory": 1}
    train({"recipe": str(tmp_path / "tiny.yaml"), "out": str(tmp_path / "run"), "overrides": {"data": data}})
    monkeypatch.setattr(module.protocols, "measures", lambda *_, **__: iter(()))
    found = evaluate(tmp_path / "run")
    (said,) = (note for note in found.notes if note.startswith("segmentation is not measured: "))
    assert found.segmentation is None and "features of places for images of 16 pixels" in said
    asked = evaluate(tmp_path / "run", segmentation={"path": data["path"], "size": 64})
    assert asked.segmentation is not None
    with pytest.raises(SslgraphError, match="features of places for images of 16 pixels"):
        evaluate(tmp_path / "run", segmentation={"path": data["path"]})
