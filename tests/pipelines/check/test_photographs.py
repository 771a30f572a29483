"""A method named alone is trained on photographs as such: views, batch and epochs follow from the images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from sslgraph.pipelines.check import check, photographs
from sslgraph.pipelines.check.request import peaking, request
from sslgraph.read import catalogue
from sslgraph.read.load import load_recipe
from sslgraph.schedules import schedule

USE = "sources.image_folder"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty images of 80 x 100 pixels, of which two are held out, and eight of 32."""
    folder = tmp_path_factory.mktemp("photos")
    for name, count, size in (("large", 20, (100, 80)), ("small", 8, (32, 32))):
        (folder / name).mkdir()
        for number in range(count):
            Image.new("RGB", size, (10 * number, 0, 99)).save(folder / f"{name}/{number:02}.png")
    return folder


def chosen(name: str, path: Path, **given: Any) -> photographs.Chosen | None:
    return photographs.chosen(name, str(path), USE, {key.replace("__", "."): value for key, value in given.items()}, ())


def test_views_batch_and_epochs_follow_from_the_images(photos: Path) -> None:
    found = chosen("swav", photos / "large")
    assert found is not None and found.name == "photos/swav"
    sizes = {"views.large.size": 96, "views.small.size": 48}
    assert found.overrides == {"batch": 16, "epochs": 200, "state.queue.size": 16, **sizes}
    assert found.said.startswith(
        "photos/swav: 18 photographs to train on, of about 80 pixels; views of 96 and 48 pixels, because the images "
        "are small; 200 epochs, batch 16\n"
    )
    given = {"batch": 8, "steps": 9, "views__large__size": 64, "data__limit": 10, "state__queue__size": 8}
    kept = chosen("swav", photos / "large", **given)
    assert kept is not None and kept.overrides == {} and "10 photographs" in kept.said


def test_a_methods_file_is_trained_as_a_named_method_is(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    method = "extends: simclr\nset: {nets.f.depth: 34%s}\n"
    file.write_text(method % "")
    found = chosen(str(file), photos / "large")
    assert found is not None and found.overrides == {"batch": 16, "epochs": 200, "views.x.size": 96}
    assert found.said.startswith("mine.yaml: 18 photographs to train on, of about 80 pixels; views of 96 pixels")
    asked = request(str(file), data=str(photos / "large"), say=lambda _: None, epochs=3)
    spec = load_recipe(asked["recipe"], asked["overrides"]).spec
    assert (spec.recipe, spec.epochs, spec.batch, spec.optimizer["use"]) == ("photos-mine", 3, 16, "adamw")
    assert spec.method.nets["f"].settings["depth"] == 34 and str(spec.data.settings["path"]).endswith("large")
    assert chosen(str(file), photos / "small") is None
    file.write_text(method % ", views.x.size: 64")
    found = chosen(str(file), photos / "large")
    assert found is not None and "views.x.size" not in found.overrides and "views of their own size" in found.said
    file.write_text("recipe: mine\nextends: cifar10/simclr\n")
    assert chosen(str(file), photos / "large") is None


def test_a_queue_is_no_longer_than_there_are_images(photos: Path) -> None:
    found = chosen("densecl", photos / "large", batch=8)
    assert found is not None
    queues = {path: size for path, size in found.overrides.items() if path.startswith("state.")}
    assert queues == {"state.queue.size": 16, "state.dense_queue.size": 16}


def test_large_photographs_keep_the_papers_views_where_there_is_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        Image.new("RGB", (300, 200), (10 * number, 0, 99)).save(tmp_path / f"{number}.png")
    small = chosen("simclr", tmp_path)
    assert small is not None and small.overrides["views.x.size"] == 96 and "there is no GPU" in small.said
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    found = chosen("simclr", tmp_path)
    assert found is not None and list(found.overrides) == ["batch", "epochs"] and "the paper's size" in found.said


def test_tiles_that_would_no_longer_fit_keep_their_size(photos: Path) -> None:
    found = chosen("jigsaw", photos / "large")
    assert found is not None and not any(path.startswith("views.") for path in found.overrides)


def test_small_images_and_recipes_are_left_as_they_are(photos: Path) -> None:
    assert chosen("simclr", photos / "small") is None
    assert chosen("cifar10/simclr", photos / "large") is None
    said: list[str] = []
    asked = request("simclr", data=str(photos / "small"), say=said.append)
    assert asked["recipe"] == "simclr" and said == []
    asked = request("simclr", data=str(photos / "large"), say=said.append, epochs=3)
    assert asked["recipe"] == "photos/simclr" and asked["overrides"]["epochs"] == 3 and len(said) == 1
    assert asked["overrides"]["data"] == {"use": USE, "at_least": 256, "path": str(photos / "large")}


@pytest.mark.parametrize(
    ("rate", "highest", "scaled"),
    [
        (0.1, 0.3, 0.3),
        ({"cosine": [0.4, 0.1]}, 0.2, {"cosine": [0.2, 0.05]}),
        ({"warmup": "5 %", "then": {"cosine": [4e-3, 0]}}, 1e-3, {"warmup": "5 %", "then": {"cosine": [1e-3, 0.0]}}),
        ({"steps": [1, 0.1], "at": ["9 epochs"]}, 2, {"steps": [2.0, 0.2], "at": ["9 epochs"]}),
        ({"warmup": "1 epoch", "from": 0.1, "then": 0.2}, 0.4, {"warmup": "1 epoch", "from": 0.2, "then": 0.4}),
    ],
)
def test_a_rate_is_scaled_and_its_form_stays(rate: Any, highest: float, scaled: Any) -> None:
    found = peaking(rate, highest)
    assert found == pytest.approx(scaled) if isinstance(scaled, float) else found == scaled
    assert max(schedule(found).every_value) == pytest.approx(highest)


@pytest.mark.slow
@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_every_method_is_right_with_the_base_for_photographs(name: str) -> None:
    assert check.examine(f"photos/{name}").sized is not None
