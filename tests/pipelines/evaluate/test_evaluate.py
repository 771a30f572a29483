"""A run measured: what is written and shown of it, with and without the weights that its recipe was given."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from rich.console import Console
from sources import Numbered
from torch import nn

from sslgraph import draws
from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.pipelines.evaluate import protocols
from sslgraph.pipelines.evaluate.evaluate import VIEWS, about_labels, evaluate
from sslgraph.pipelines.evaluate.evaluation import Evaluation, settings, table
from sslgraph.pipelines.look.report import write_report
from sslgraph.pipelines.measure.features import extract_views
from sslgraph.pipelines.train.loop import train
from sslgraph.read.spec import Augmentation, Part, View
from sslgraph.views.views import ViewProgram

NAMES = ("knn20", "linear")
TINY = """
recipe: tiny
method:
  method: imitation
  views: {{x: {{augment: crop_flip, size: 16}}}}
  nets:
    f: {{use: backbones.resnet, depth: 10, width: 4, stem: small{began}}}
    old: {{use: backbones.resnet, depth: 10, width: 4, stem: small, frozen: true, weights: $old}}
  flow: {{a: f(x), b: old(x)}}
  losses: {{like: {{use: losses.cosine_regression, of: [a, b]}}}}
  export: f
given: {{old: {weights}}}
data: {{use: sources.shapes, images: 64, test_images: 20}}
batch: 16
steps: 2
optimizer: {{use: sgd, lr: 1e-2, momentum: 0.9, weight_decay: 0}}
evaluate: {{}}
monitor: null
"""


def trained(folder: Path, *, began: str = "") -> Path:
    """A run folder of a method that imitates a frozen net, which has given weights."""
    torch.manual_seed(1)
    old = registry.build("backbones.resnet", {"depth": 10, "width": 4, "stem": "small", "channels": 3})
    torch.save({name: value + 0.01 for name, value in old.state_dict().items()}, folder / "old.pt")
    (folder / "tiny.yaml").write_text(TINY.format(began=began, weights=folder / "old.pt"))
    train({"recipe": str(folder / "tiny.yaml"), "out": str(folder / "run")})
    return folder / "run"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained with given weights, whose file is gone by now."""
    folder = tmp_path_factory.mktemp("given")
    found = trained(folder)
    (folder / "old.pt").unlink()
    return found


def printed(result: Evaluation) -> list[str]:
    console = Console(width=120)
    with console.capture() as said:
        console.print(table(result))
    return said.get().splitlines()


def test_a_run_is_measured_when_the_file_of_its_frozen_weights_is_gone(run: Path) -> None:
    result = evaluate(run)
    written = json.loads((run / "evaluation.json").read_text())
    health = result.trained["health"]
    assert written["trained"]["health"] == health and result.pixels["health"]["lidar"] is None
    assert 1 <= health["lidar"] <= 32 and health["signal"] > 0 and 0 <= health["align"] <= 4
    lines = printed(result)
    assert lines[0].startswith("imitation, step 2: 64 training and 20 test images")
    assert lines[1].split() == ["trained", "random", "encoder", "raw", "pixels", "chance"]
    names = ["knn20 accuracy", "linear accuracy", "health RankMe", "alpha-ReQ", "LiDAR", "images / views"]
    assert [" ".join(line[:24].split()) for line in lines[2:8]] == names and lines[6].split()[-1] == "-"
    assert [line.partition(":")[0] for line in settings([result])] == ["knn20", "linear", "health"]


def test_another_protocol_adds_to_the_file_and_other_images_do_not(run: Path, tmp_path: Path) -> None:
    first = evaluate(run, names=["knn5"])
    both = evaluate(run, names=["retrieval"])
    written = json.loads((run / "evaluation.json").read_text())
    assert {"knn5", "retrieval"} <= written["trained"].keys() == written["settings"].keys()
    assert written["trained"]["knn5"] == first.trained["knn5"] and both.random["retrieval"]["map"] > 0
    place = folder_of(tmp_path, classes=2, each=6)
    elsewhere = evaluate(run, names=["kmeans"], data=place)
    assert list(elsewhere.trained) == ["kmeans"] and elsewhere.on == place
    assert printed(elsewhere)[0].startswith("imitation, step 2: 12 training and 12 test images of ")


def test_layers_are_probed_by_the_names_of_their_modules(run: Path) -> None:
    found = evaluate(run, names=["linear", "linear:layer2", "linear:layer4"])
    assert found.trained["linear:layer4"] == found.trained["linear"]  # its mean over places is the encoder's output
    assert found.trained["linear:layer2"] != found.trained["linear"] and found.pixels["linear:layer2"] == {}
    assert found.settings["linear:layer2"] == "as linear, of means over places of what layer2 gives"
    with pytest.raises(SslgraphError, match=r"the encoder has no layer 'layer9'"):
        evaluate(run, names=["linear:layer9"])


def test_a_name_that_is_none_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(SslgraphError, match="there is no protocol 'knn'; there are: knn20"):
        evaluate(tmp_path / "none", names=["knn"])


def test_an_encoder_that_began_with_given_weights_is_not_called_random(tmp_path: Path) -> None:
    run = trained(tmp_path, began=", weights: $old")
    assert evaluate(run).begun == "encoder as it began"
    (tmp_path / "old.pt").unlink()
    with pytest.raises(SslgraphError, match=r"there is no file or run folder .*old.pt; give a file"):
        evaluate(run)


def test_views_of_an_image_stand_beside_each_other_and_unreadable_ones_are_left_out() -> None:
    steps = {"cut": Part(use="augment.random_resized_crop", settings={"size": 4}), "n": Part(use="augment.normalize")}
    program = ViewProgram.build({"x": View(augment="a", copies=2)}, {"a": Augmentation(augmentation="a", steps=steps)})
    whole = draws.fair(7, 5)
    source = Numbered(7, unreadable=(int(whole[2]),))
    found = extract_views(nn.Flatten(), source, program, images=5, views=VIEWS - 1, batch=4)
    assert found.shape == (4, VIEWS - 1, 48)
    for epoch in range(2):  # two copies an epoch
        images, index = source.read(whole)
        made = program(images, index, seed=0, epoch=epoch)["x.image"].flatten(1).unflatten(0, (2, 5))
        assert torch.equal(found[:, 2 * epoch : 2 * epoch + 2], made[:, [0, 1, 3, 4]].transpose(0, 1))


def test_a_report_shows_what_such_a_run_sees(run: Path) -> None:
    write_report([run], None, most=20)
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "At step 2: the nearest of 20 training images" in page and "no such file" not in page


def folder_of(place: Path, *, classes: int, each: int) -> str:
    """A folder of images, each of one colour; without classes they have no labels."""
    for split in ("train", "test"):
        for c in range(max(classes, 1)):
            inside = place / split / (f"class{c}" if classes else "")
            inside.mkdir(parents=True, exist_ok=True)
            for i in range(each):
                Image.new("RGB", (16, 16), (90 + 40 * c, 3 * i, 0)).save(inside / f"{i}.png")
    return str(place)


def test_a_measure_that_fails_loses_no_other(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is in the file once it is done."""

    def killed(*_: object) -> float:
        written.append(json.loads((run / "evaluation.json").read_text()))
        raise RuntimeError("linalg: no convergence\nand more")

    (run / "evaluation.json").unlink(missing_ok=True)
    written: list[dict[str, dict[str, dict[str, object]]]] = []
    monkeypatch.setattr(protocols, "alpha_req", killed)
    result = evaluate(run, names=["knn20", "health"])
    before = written[0]["trained"]
    assert before["knn20"] and before["health"]["rankme"] and "lidar" not in before["health"]
    assert "alpha" not in result.trained["health"] and result.trained["health"]["lidar"] is not None
    told = "health: alpha-ReQ is not measured: linalg: no convergence"
    assert result.notes == tuple(f"{who}: {told}" for who in ("trained", "random encoder", "raw pixels"))
    assert printed(result)[4].split() == ["alpha-ReQ", "-", "-", "-", "-"]


def test_images_without_labels_give_the_measures_that_need_none(run: Path, tmp_path: Path) -> None:
    result = evaluate(run, data=folder_of(tmp_path, classes=0, each=8))
    told = "the training and test images have no labels: without labelled images (--data) there is no "
    assert result.notes[0] == f"{told}knn20 and no linear"
    assert list(result.trained) == ["health"] and result.trained["health"]["rankme"] is not None


def test_one_class_and_a_small_bank_are_said(run: Path, tmp_path: Path) -> None:
    data = folder_of(tmp_path, classes=2, each=6)
    shutil.rmtree(tmp_path / "train" / "class1")
    result = evaluate(run, names=["knn20"], data=data)
    assert result.notes[:2] == (
        "all training images are of one class: kNN and linear probe are the same for every encoder",
        "k is 20, and there are 6 training images with a label: all of them vote",
    )
    assert result.trained["knn20"]["accuracy"] == 0.5


def test_what_labels_tell_is_said_before_the_figures() -> None:
    one, two = Numbered(6, labels=torch.zeros(6, dtype=torch.long)), Numbered(40, labels=torch.arange(40) % 2 - 1)
    assert about_labels([one, two], NAMES) == (
        True,
        (
            "all training images are of one class: kNN and linear probe are the same for every encoder",
            "k is 20, and there are 6 training images with a label: all of them vote",
        ),
    )
    many = Numbered(40, labels=torch.arange(40) % 2)
    told = ("all test images are of one class: kNN and linear probe say little",)
    assert about_labels([many, one], NAMES) == (True, told)
    assert about_labels([many, many], NAMES) == (True, ())
    strange = Numbered(40, labels=torch.arange(40) % 4)
    said = ("20 of 40 test images are of classes that no training image has",)
    assert about_labels([many, strange], NAMES) == (True, said)
    is_labelled, notes = about_labels([many, Numbered(6)], NAMES)
    assert not is_labelled and notes[0].startswith("the images of one split have no labels")
