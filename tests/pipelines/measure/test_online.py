"""Nearest neighbours during training compare every class, whatever the order of the images."""

from __future__ import annotations

import colorsys
from pathlib import Path

import torch
from PIL import Image
from torch import nn

from sslgraph.pipelines.measure.online import OnlineKnn, Setting
from sslgraph.read.spec import Augmentation, Data, Part, View
from sslgraph.views.views import ViewProgram

CLASSES, TRAIN, HELD_OUT = 20, 12, 4


def sorted_by_class(folder: Path) -> Path:
    """Classes told apart by their colour, each a folder."""
    for split, each in (("train", TRAIN), ("val", HELD_OUT)):
        for c in range(CLASSES):
            place = folder / split / f"n{c:03}"
            place.mkdir(parents=True)
            red, green, blue = colorsys.hsv_to_rgb(c / CLASSES, 1, 1)
            for i in range(each):
                colour = (int(200 * red) + i, int(200 * green) + i, int(200 * blue) + i)
                Image.new("RGB", (8, 8), colour).save(place / f"{i:02}.png")
    return folder


def test_a_small_bank_and_few_queries_cover_all_classes_of_a_sorted_folder(tmp_path: Path) -> None:
    data = Data(use="sources.image_folder", settings={"path": str(sorted_by_class(tmp_path))})
    steps = {"n": Part(use="augment.normalize")}
    view = ViewProgram.build({"x": View(augment="a")}, {"a": Augmentation(augmentation="a", steps=steps)})
    setting = Setting(k=1, bank=2 * CLASSES, queries=CLASSES)
    found = OnlineKnn(setting, data, view, device=torch.device("cpu"), precision=torch.float32)
    assert str(found) == "queries 20 of 80 images, 20 of 20 classes; bank 40 of 240 images, 20 of 20 classes"
    assert found.measure(nn.Flatten()) == {"knn": 1.0, "knn_train": 1.0}
    assert found.queries.labels is not None and found.bank.labels is not None
    found.queries.labels.add_(1)  # what chooses the best checkpoint sees no test image
    assert found.measure(nn.Flatten()) == {"knn": 0.0, "knn_train": 1.0}
    found.bank.labels.copy_(torch.arange(2 * CLASSES) % 7)
    assert found.measure(nn.Flatten())["knn_train"] < 1


def test_raw_pixels_are_the_same_baseline_whatever_the_view_of_the_method(tmp_path: Path) -> None:
    data = Data(use="sources.image_folder", settings={"path": str(sorted_by_class(tmp_path))})
    found = []
    for size, p in ((8, 0.0), (40, 1.0)):
        steps = {
            "crop": Part(use="augment.resize_center_crop", settings={"size": size}),
            "gray": Part(use="augment.grayscale", settings={"p": p}),
        }
        view = ViewProgram.build({"x": View(augment="a")}, {"a": Augmentation(augmentation="a", steps=steps)})
        setting = Setting(k=7, bank=2 * CLASSES, queries=CLASSES)
        knn = OnlineKnn(setting, data, view, device=torch.device("cpu"), precision=torch.float32)
        found.append(knn.baseline(nn.Flatten()))
    assert found[0]["knn_random_encoder"] != found[1]["knn_random_encoder"]
    assert found[0]["knn_pixels"] == found[1]["knn_pixels"]
