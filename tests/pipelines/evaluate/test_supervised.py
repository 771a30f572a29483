"""What labels give the same net stands beside a run: trained once by the run's own budget, or taken from a file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import huggingface_hub
import pytest
import timm
import torch
import yaml
from command import Command
from command import sslgraph as sslgraph
from safetensors.torch import save_file

from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.pipelines.check.request import request
from sslgraph.pipelines.evaluate.supervised import classifier, supervised
from sslgraph.pipelines.launch.launch import launch

TEXT = """
recipe: tiny
method:
  method: Tiny
  views: {a: {augment: moco_v2, copies: 2, size: 32}, b: {augment: moco_v2, crop_of: a, copies: 2, size: 32}}
  nets:
    f: {use: backbones.resnet, depth: 10, width: 4, stem: small, norm_splits: 2}
    g: {use: heads.mlp, hidden: [16], out: 8}
  targets: {t: {ema_of: f, momentum: 0.9}}
  flow: {z: l2(g(f(a))), y: l2(f(b)), k: l2(t(b))}
  losses: {contrast: {use: losses.nt_xent, of: [z]}, more: {use: losses.cosine_regression, of: [y, k]}}
  export: t
data: {use: sources.shapes, images: 48, test_images: 20}
batch: 8
steps: 3
seed: 5
optimizer: {use: sgd, lr: 0.1, momentum: 0, weight_decay: 0, groups: [{net: g, lr: 0.2}, {ndim: 1, weight_decay: 0}]}
evaluate: {knn: {k: 5}}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "tiny.yaml").write_text(TEXT)
    launch(request(str(folder / "tiny.yaml"), out=str(folder / "run")))
    return folder / "run"


def test_the_recipe_keeps_the_net_the_images_and_the_budget() -> None:
    found = classifier(yaml.safe_load(TEXT), 10, "a")
    assert {key: found[key] for key in ("data", "batch", "steps", "seed")} == {
        "data": {"use": "sources.shapes", "images": 48, "test_images": 20}, "batch": 8, "steps": 3, "seed": 5,
    }  # fmt: skip
    assert found["method"]["views"] == {"x": {"augment": "moco_v2", "size": 32}}
    assert found["method"]["nets"]["f"] == yaml.safe_load(TEXT)["method"]["nets"]["f"]
    assert found["method"]["export"] == "f" and found["optimizer"]["groups"] == [{"ndim": 1, "weight_decay": 0}]
    with pytest.raises(
        SslgraphError, match="--supervised trains one net with a classifier, and the method exports concat"
    ):
        classifier({**found, "method": {**found["method"], "export": "concat(f(x), f(x))"}}, 10, "x")


def test_it_is_trained_once_and_stands_in_every_later_table(run: Path, sslgraph: Command) -> None:
    before = sslgraph("evaluate", str(run), "--protocol", "knn5")
    assert before.code == 0 and "supervised" not in before.out
    tuned = ("--protocol", "fine_tune", "--set", "steps=2", "--set", "epochs=null")
    said = sslgraph("evaluate", str(run), "--protocol", "knn5", *tuned, "--supervised")
    assert said.code == 0, said.err
    assert "raw pixels  supervised  chance" in said.out
    note = "supervised: the same net and images with their labels, 3 steps of one view, the run's optimizer"
    assert note in said.out
    measured = json.loads((run / "evaluation.json").read_text())
    first = measured["supervised"]["knn5"]
    (name,) = measured["trained"].keys() - {"knn5"}
    assert "accuracy" in measured["supervised"][name] and "accuracy" in measured["random"][name]
    assert not measured["pixels"][name]
    trained = (run / "supervised/checkpoints").stat().st_mtime_ns
    again = sslgraph("evaluate", str(run), "--protocol", "knn5")
    assert again.code == 0 and note in again.out and (run / "supervised/checkpoints").stat().st_mtime_ns == trained
    assert json.loads((run / "evaluation.json").read_text())["supervised"]["knn5"] == first


def test_weights_of_a_file_stand_there_too(run: Path, tmp_path: Path, sslgraph: Command) -> None:
    torch.manual_seed(3)
    net = registry.build("backbones.resnet", {"depth": 10, "width": 4, "stem": "small", "channels": 3})
    torch.save(net.state_dict(), tmp_path / "old.pt")
    said = sslgraph("evaluate", str(run), "--protocol", "knn5", "--supervised-weights", str(tmp_path / "old.pt"))
    assert said.code == 0, said.err
    assert f"supervised: the weights of {tmp_path / 'old.pt'}" in said.out
    assert 0 <= json.loads((run / "evaluation.json").read_text())["supervised"]["knn5"]["accuracy"] <= 1
    wrong = sslgraph("evaluate", str(run), "--supervised-weights", str(tmp_path / "gone.pt"))
    there = f"--supervised-weights {tmp_path / 'gone.pt'}: there is no file or run folder {tmp_path / 'gone.pt'}"
    assert wrong.code == 1 and wrong.err.startswith(there) and len(wrong.err.splitlines()) == 1
    both = sslgraph("evaluate", str(run), "--supervised", "--supervised-weights", str(tmp_path / "old.pt"))
    assert both.code == 1 and both.err.endswith("has one that is trained; give one of them\n")


def test_weights_are_found_from_the_working_folder_and_no_text_is_left(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sslgraph: Command
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    net = registry.build("backbones.resnet", {"depth": 10, "width": 4, "stem": "small", "channels": 3})
    torch.save(net.state_dict(), tmp_path / "old.pt")
    copied = shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("supervised*"))
    before = {file.name for file in copied.iterdir()}
    said = sslgraph("evaluate", str(copied), "--protocol", "knn5", "--supervised-weights", "../old.pt")
    assert said.code == 0 and "supervised: the weights of ../old.pt" in said.out, said.err
    assert {file.name for file in copied.iterdir()} - before <= {"evaluation.json"}


def test_published_weights_of_timm_stand_there_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sslgraph: Command
) -> None:
    """timm finds them as it does on a machine that has fetched them once: in its hub's own cache, without a network."""
    model = timm.create_model("resnet18", num_classes=1000)
    torch.manual_seed(4)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.05)
    cache = tmp_path / "hub/models--timm--resnet18.a1_in1k"
    (cache / "snapshots/1234").mkdir(parents=True)
    (cache / "refs").mkdir()
    (cache / "refs/main").write_text("1234")
    save_file(model.state_dict(), cache / "snapshots/1234/model.safetensors")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    full = TEXT.replace("depth: 10, width: 4, stem: small, norm_splits: 2", "depth: 18").replace("steps: 3", "steps: 1")
    (tmp_path / "full.yaml").write_text(full)
    launch(request(str(tmp_path / "full.yaml"), out=str(tmp_path / "run")))
    said = sslgraph("evaluate", str(tmp_path / "run"), "--protocol", "knn5", "--supervised-weights", "timm:resnet18")
    assert said.code == 0, said.err
    assert "raw pixels  supervised  chance" in said.out and "supervised: the weights of timm:resnet18" in said.out
    beside = supervised(
        tmp_path / "run", torch.arange(10), "a", weights="timm:resnet18", device=torch.device("cpu"), plugins=()
    )
    images = torch.rand(2, 3, 32, 32)
    assert beside is not None
    torch.testing.assert_close(beside.encoder(images), model.eval().forward_head(model.forward_features(images), True))
    wrong = sslgraph("evaluate", str(tmp_path / "run"), "--supervised-weights", "timm:resnet50")
    assert wrong.code == 1 and "timm" in wrong.err and "Traceback" not in wrong.err, wrong.err


def test_images_without_labels_are_refused(run: Path, tmp_path: Path, sslgraph: Command) -> None:
    from PIL import Image

    for i in range(20):
        Image.new("RGB", (40, 40), (i, 9, 9)).save(tmp_path / f"{i}.png")
    said = sslgraph("evaluate", str(run), "--data", str(tmp_path), "--supervised")
    assert said.code == 1 and said.err.startswith(
        "--supervised tells classes apart, and the images have fewer than two"
    )
