"""Exports are loaded back by the libraries that they are for, and features are written with their images' numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import timm
import torch
import torchvision
from command import Command
from command import sslgraph as sslgraph
from safetensors.torch import load_file
from torch import Tensor, nn

import sslgraph as package
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import request
from sslgraph.pipelines.launch.launch import launch
from sslgraph.pipelines.stages.exporting import export

TEXT = """
recipe: tiny
method:
  method: Tiny
  views: {x: {augment: moco_v2, copies: 2, size: 32}}
  nets: {f: NET}
  flow: {z: l2(f(x))}
  losses: {contrast: {use: losses.nt_xent, of: [z]}}
  export: f
data: {use: sources.shapes, images: 16, test_images: 12}
batch: 8
steps: 1
optimizer: {use: sgd, lr: 0.1, momentum: 0, weight_decay: 0}
"""
NETS = {
    "resnet": "{use: backbones.resnet, depth: 18}",
    "vit": "{use: backbones.vit, preset: nano, patch: 8, layer_scale: 0.5}",
    "timm": "{use: backbones.timm, name: test_vit}",
    "small": "{use: backbones.resnet, depth: 10, width: 4, stem: small}",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, net in NETS.items():
        (folder / f"{name}.yaml").write_text(TEXT.replace("NET", net))
        launch(request(str(folder / f"{name}.yaml"), out=str(folder / name)))
    return folder


def features(run: Path, image: Tensor) -> Tensor:
    with torch.no_grad():
        found: Tensor = package.open_run(run).encoder.cpu()(image)
    return found


def timms(folder: Path) -> nn.Module:
    about = json.loads((folder / "config.json").read_text())
    return timm.create_model(about["architecture"], num_classes=0, **about["settings"])  # type: ignore[no-any-return]


def torchvisions(folder: Path) -> nn.Module:
    model = getattr(torchvision.models, json.loads((folder / "config.json").read_text())["architecture"])()
    model.fc = nn.Identity()
    return model  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("name", "to"), [("resnet", "torchvision"), ("resnet", "timm"), ("vit", "timm"), ("timm", "timm")]
)
def test_a_library_loads_its_weights_strictly_and_gives_the_same_features(
    name: str, to: str, runs: Path, tmp_path: Path
) -> None:
    said = export(runs / name, tmp_path / "out", to=to)
    model = {"timm": timms, "torchvision": torchvisions}[to](tmp_path / "out").eval()
    model.load_state_dict(load_file(tmp_path / "out/model.safetensors"))
    image = torch.rand(3, 3, 32, 32)
    torch.testing.assert_close(model(image), features(runs / name, image))
    about = json.loads((tmp_path / "out/config.json").read_text())
    assert about["size"] == 32 and about["mean"] == [0.485, 0.456, 0.406] and said["difference"] < 1e-5


@pytest.mark.parametrize("name", ["small", "vit"])
def test_a_program_takes_any_number_of_images(name: str, runs: Path, sslgraph: Command) -> None:
    said = sslgraph("export", str(runs / name), "--to", "torch.export")
    assert said.code == 0 and "features differ by at most" in said.out, said.err
    program = torch.export.load(runs / name / "export-torch.export/model.pt2").module()
    image = torch.rand(5, 3, 32, 32)
    torch.testing.assert_close(program(image), features(runs / name, image))


def test_plain_weights_begin_another_run(runs: Path, tmp_path: Path) -> None:
    export(runs / "small", tmp_path / "out", to="safetensors")
    assert "conv1.weight" in load_file(tmp_path / "out/model.safetensors")
    more = {"nets.f.weights": str(tmp_path / "out")}
    launch(request(str(runs / "small.yaml"), out=str(tmp_path / "more"), overrides=more))
    assert "60 of 60 weights of f from" in (tmp_path / "more/introduction.txt").read_text()


def test_what_a_library_does_not_have_is_refused_and_nothing_is_left(runs: Path, tmp_path: Path) -> None:
    for to, message in (
        (
            "torchvision",
            r"torchvision has no network like 'f' with these settings\n  there are: safetensors",
        ),
        ("onnx", r"an encoder is exported to safetensors, timm, torchvision, torch.export, and not to onnx"),
    ):
        with pytest.raises(SslgraphError, match=message):
            export(runs / "small", tmp_path / "out", to=to)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SslgraphError, match="is no run folder"):
        export(tmp_path, tmp_path / "out", to="safetensors")


def test_embed_writes_a_row_for_each_image(runs: Path, tmp_path: Path, sslgraph: Command) -> None:
    said = sslgraph("embed", str(runs / "small"), "-o", str(tmp_path / "x.parquet"), "--split", "test")
    assert said.code == 0 and said.out.startswith("12 images, 32 features each"), said.err
    table = pq.read_table(tmp_path / "x.parquet")
    assert table["index"].to_pylist() == list(range(12)) and set(table["label"].to_pylist()) <= set(range(10))
    assert "can't be written" in sslgraph("embed", str(runs / "small"), "-o", str(tmp_path / "no/x.parquet")).err
