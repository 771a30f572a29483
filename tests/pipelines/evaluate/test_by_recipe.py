"""Published protocols are recipes: fitted to a run, trained with its encoder's weights, printed with every number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from command import Command
from command import sslgraph as sslgraph

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import request
from sslgraph.pipelines.evaluate.by_recipe import changed, planned, published
from sslgraph.pipelines.evaluate.protocols import asked_for
from sslgraph.pipelines.evaluate.restored import newest
from sslgraph.pipelines.feed.open_source import images_of
from sslgraph.pipelines.launch.launch import launch
from sslgraph.pipelines.storage import checkpoint
from sslgraph.read.load import load_recipe

VIT = """
recipe: tiny
method:
  method: Tiny
  views: {a: {augment: mae, size: 16, normalize.mean: [0.4, 0.4, 0.4]}}
  nets: {enc: {use: backbones.vit, preset: nano, patch: 8}, g: {use: heads.mlp, hidden: [16], out: 8}}
  flow: {z: l2(g(enc(a))), k: l2(g(stopgrad(enc(a))))}
  losses: {near: {use: losses.cosine_regression, of: [z, k]}}
  export: enc
data: {use: sources.shapes, images: 40, test_images: 20}
batch: 8
steps: 1
seed: 5
optimizer: {use: sgd, lr: 0.1, momentum: 0, weight_decay: 0}
"""
RESNET = VIT.replace("backbones.vit, preset: nano, patch: 8", "backbones.resnet, depth: 10, width: 4, stem: small")
FLAT = RESNET.replace("augment: mae", "augment: simclr").replace(", normalize.mean: [0.4, 0.4, 0.4]", "")


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(VIT, tmp_path_factory.mktemp("vit"))


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(FLAT.replace("export: enc", "export: enc.pooled"), tmp_path_factory.mktemp("resnet"))


def trained(text: str, folder: Path) -> Path:
    (folder / "tiny.yaml").write_text(text)
    launch(request(str(folder / "tiny.yaml"), out=str(folder / "run")))
    return folder / "run"


def weights(run: Path, net: str) -> dict[str, torch.Tensor]:
    start = f"parts.{net}."
    return {
        key.removeprefix(start): value
        for key, value in checkpoint.load(newest(run)).method.items()
        if key.startswith(start)
    }


def recipe(run: Path, start: str) -> tuple[Path, dict[str, object]]:
    """The run of a protocol in the run's folder, and its text."""
    files = (run / "protocols").glob(f"{start}-*.yaml")
    (file,) = (one for one in files if "random" not in one.name)
    return file.with_suffix(""), yaml.safe_load(file.read_text())


def test_a_frozen_protocol_leaves_the_encoder_as_it_is_and_prints_every_number(vit: Path, sslgraph: Command) -> None:
    said = sslgraph("evaluate", str(vit), "--protocol", "linear_dino", "--set", "epochs=2")
    assert said.code == 0, said.err
    name = "linear_dino --set epochs=2"
    found = json.loads((vit / "evaluation.json").read_text())
    assert 0 <= found["trained"][name]["accuracy"] <= 1 and 0 <= found["random"][name]["accuracy"] <= 1
    assert found["trained"][name]["steps"] == 2 and 0 <= found["trained"][name]["chance"] < 1
    line = found["settings"][name]
    assert f"{name}: {line}" in said.out
    for number in (
        "epochs 2; batch 40; optimizer {use: sgd, lr: {cosine: [0.001, 0]}, lr_rule: batch/256, momentum: 0.9, "
        "weight_decay: 0}; precision float32",
        "size: 16, scale: [0.08, 1.0], ratio: [0.75, 1.3333333333333333], interpolation: bilinear}",
        "normalize: {use: augment.normalize, mean: [0.4, 0.4, 0.4], std: [0.229, 0.224, 0.225]}",
        "f: {use: backbones.vit, preset: nano, patch: 8, frozen: true, weights: $encoder, mode: eval, layers: 4}",
        "head: {use: heads.linear, out: 10, std: 0.01}",
        "y: head(f(x).classes)",
    ):
        assert number in line, line
    folder, text = recipe(vit, "linear_dino")
    before, after = weights(vit, "enc"), weights(folder, "f")
    assert all(torch.equal(after[key], value) for key, value in before.items())
    assert text["seed"] == 5 and text["data"] == {"use": "sources.shapes", "images": 40, "test_images": 20}
    # A second time nothing is trained.
    at = (folder / "checkpoints").stat().st_mtime_ns
    again = sslgraph("evaluate", str(vit), "--protocol", "linear_dino", "--set", "epochs=2")
    assert again.code == 0 and (folder / "checkpoints").stat().st_mtime_ns == at
    assert json.loads((vit / "evaluation.json").read_text())["trained"][name] == found["trained"][name]


def test_fine_tuning_moves_all_but_the_norm_that_it_leaves_out(vit: Path, sslgraph: Command) -> None:
    said = sslgraph("evaluate", str(vit), "--protocol", "fine_tune_mae", "--set", "epochs=2", "--set", "batch=20")
    assert said.code == 0, said.err
    assert "lr: {warmup: 5 %, then: {cosine: [0.0005, 2.5e-07]}}" in said.out and "layer_decay: 0.65" in said.out
    folder, _ = recipe(vit, "fine_tune_mae")
    before, after = weights(vit, "enc"), weights(folder, "f")
    still = {key for key, value in before.items() if torch.equal(after[key], value)}
    assert still == {"net.norm.weight", "net.norm.bias"}


def test_fine_tuning_of_any_encoder_moves_all_of_it_and_begins_with_a_classifier_of_zeros(
    resnet: Path, sslgraph: Command
) -> None:
    said = sslgraph("evaluate", str(resnet), "--protocol", "fine_tune", "--set", "epochs=2")
    assert said.code == 0, said.err
    for number in (
        "epochs 2; batch 40; optimizer {use: adamw, lr: {warmup: 5 %, then: {cosine: [0.0005, 0]}}, weight_decay: 0.05",
        "scale: [0.77, 1.0], ratio: [1.0, 1.0]", "head: {use: heads.linear, out: 10, std: 0, norm: batch}",
    ):  # fmt: skip
        assert number in said.out, said.out
    assert "frozen" not in said.out
    folder, _ = recipe(resnet, "fine_tune")
    before, after = weights(resnet, "enc"), weights(folder, "f")
    assert not any(torch.equal(after[key], value) for key, value in before.items())
    found = json.loads((resnet / "evaluation.json").read_text())
    assert all("accuracy" in found[side]["fine_tune --set epochs=2"] for side in ("trained", "random"))


def test_the_output_that_a_run_exports_is_probed_and_images_stay_without_normalisation(
    resnet: Path, sslgraph: Command
) -> None:
    said = sslgraph("evaluate", str(resnet), "--protocol", "linear_mae", "--set", "epochs=1")
    assert said.code == 0, said.err
    assert "mean: [0.0, 0.0, 0.0], std: [1.0, 1.0, 1.0]" in said.out and "y: head(f(x).pooled)" in said.out
    wrong = sslgraph("evaluate", str(resnet), "--protocol", "linear_dino")
    assert wrong.code == 1 and wrong.err == (
        "linear_dino is no protocol for this run: it sets layers of the encoder, which backbones.resnet does not have\n"
    )


def test_a_protocol_of_ones_own_is_a_file(resnet: Path, tmp_path: Path, sslgraph: Command) -> None:
    (tmp_path / "mine.yaml").write_text(
        "recipe: mine\nextends: protocols/linear_moco\nepochs: 1\nset: {nets.head.std: 0}\n"
    )
    said = sslgraph("evaluate", str(resnet), "--protocol", str(tmp_path / "mine.yaml"))
    assert said.code == 0, said.err
    assert f"{tmp_path / 'mine.yaml'}: mine; epochs 1; batch 40" in said.out and "std: 0}" in said.out
    (tmp_path / "other.yaml").write_text("recipe: other\nextends: demo/simclr\n")
    wrong = sslgraph("evaluate", str(resnet), "--protocol", str(tmp_path / "other.yaml"))
    assert wrong.code == 1 and wrong.err.endswith("is no protocol: no net of it says weights: $encoder\n")


def test_changes_are_a_part_of_the_name_and_are_for_recipes_alone() -> None:
    assert changed(["knn20", "linear_moco"], ["epochs=3"]) == ["knn20", "linear_moco --set epochs=3"]
    assert changed(["knn20"], []) == ["knn20"]
    with pytest.raises(SslgraphError, match=r"--set epochs=3 changes a protocol that is a recipe, and none is named"):
        changed(["knn20"], ["epochs=3"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epochs", "linear_moco --set epochs: 'epochs' is no change; write a path, an equals sign and a value"),
        ("=3", "'=3' is no change"),
        ("epoch=3", "--set epoch: no path begins with 'epoch'"),
        ("epochs=many", "--set epochs: epochs must be a whole number, not the text 'many'"),
        ("optimizer.foo=3", "--set optimizer.foo: optimizer sgd has no setting 'foo'"),
        ("views.x.foo=3", "--set views.x.foo: view 'x': 'supervised' has no setting 'foo'"),
        *((f"{path}=3", f"linear_moco takes no --set {path}: its encoder, images and classes are those of the run")
          for path in ("data.limit", "data", "nets.head.out", "method.nets.head.out", "monitor", "nets.f.use")),
    ],
)  # fmt: skip
def test_a_change_that_would_change_nothing_is_refused_before_any_training(change: str, message: str) -> None:
    with pytest.raises(SslgraphError) as refused:
        asked_for(f"linear_moco --set {change}")
    assert message in str(refused.value)


def test_what_is_given_goes_before_what_is_the_runs(vit: Path) -> None:
    """The run has a side of 16, means of 0.4 and seed 5."""
    text = planned_text(vit, "seed=7", "views.x.size=24", "normalize.mean=[0.1, 0.2, 0.3]", "nets.f.layers=2")
    x, f = text["method"]["views"]["x"], text["method"]["nets"]["f"]
    assert (text["seed"], x["size"], x["normalize.mean"]) == (7, 24, [0.1, 0.2, 0.3])
    assert x["normalize.std"] == pytest.approx([0.229, 0.224, 0.225]) and f["layers"] == 2
    text = planned_text(vit, "views.*.crop.size=24")
    x = text["method"]["views"]["x"]
    assert (text["seed"], x["crop.size"], x["normalize.mean"], "size" in x) == (5, 24, [0.4, 0.4, 0.4], False)


def planned_text(run: Path, *changes: str) -> dict[str, Any]:
    (name,) = changed(["linear_dino"], [change.replace("normalize", "views.x.normalize") for change in changes])
    loaded = load_recipe(str(newest(run) / checkpoint.TEXT))
    images = loaded.spec.data
    return dict(planned(name, loaded, "a", images, images_of(images, "train"), ()).text)


def test_those_of_papers_are_there() -> None:
    assert set(published()) >= {
        "linear_moco",
        "linear_dino",
        "linear_dino_base",
        "linear_mae",
        "fine_tune",
        "fine_tune_mae",
    }
