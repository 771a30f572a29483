"""Exports are loaded back by the libraries that they are for, and features are written with their images' numbers."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import timm
import torch
import torchvision
from command import Command
from command import sslgraph as sslgraph
from PIL import Image
from safetensors.torch import load_file
from tiny_recipe import SMALL_NET, recipe_of
from torch import Tensor, nn

import sslgraph as package
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import request
from sslgraph.pipelines.export.exports import export
from sslgraph.pipelines.launch.launch import launch

NETS = {
    "resnet": "{use: backbones.resnet, depth: 18}",
    "vit": "{use: backbones.vit, preset: nano, patch: 8, layer_scale: 0.5}",
    "timm": "{use: backbones.timm, name: test_vit}",
    "small": SMALL_NET,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, net in NETS.items():
        (folder / f"{name}.yaml").write_text(recipe_of(net))
        launch(request(str(folder / f"{name}.yaml"), out=str(folder / name)))
    return folder


def features(run: Path, image: Tensor) -> Tensor:
    with torch.no_grad():
        found: Tensor = package.open_run(run).encoder.cpu()(image)
    return found


def timms(folder: Path) -> nn.Module:
    about = json.loads((folder / "config.json").read_text())
    return timm.create_model(about["architecture"], num_classes=0, **about["model_args"])  # type: ignore[no-any-return]


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
    assert said.code == 0 and re.search(r"; features (differ by at most \de-0\d|are equal)\n$", said.out), said
    program = torch.export.load(runs / name / "export-torch.export/model.pt2").module()
    image = torch.rand(5, 3, 32, 32)
    torch.testing.assert_close(program(image), features(runs / name, image))


def test_timm_loads_the_folder_as_one_of_its_hub(runs: Path, tmp_path: Path) -> None:
    export(runs / "vit", tmp_path / "out", to="timm")
    model = timm.create_model(f"local-dir:{tmp_path}/out", pretrained=True).eval()
    image = torch.rand(3, 3, 32, 32)
    torch.testing.assert_close(model(image), features(runs / "vit", image))
    data = timm.data.resolve_model_data_config(model)
    assert data["input_size"] == (3, 32, 32) and list(data["std"]) == [0.229, 0.224, 0.225]


@pytest.mark.parametrize("name", ["resnet", "vit"])
def test_transformers_loads_the_encoder_and_what_its_images_need(name: str, runs: Path, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="the extra hf is not installed")
    export(runs / name, tmp_path / "out", to="hf")
    model = transformers.AutoModel.from_pretrained(tmp_path / "out").eval()
    rows, columns = torch.arange(60.0)[:, None].expand(60, 90), torch.arange(90.0).expand(60, 90)
    picture = torch.stack([rows * 4, columns * 2, rows + columns]).to(torch.uint8)
    prepare = transformers.AutoImageProcessor.from_pretrained(tmp_path / "out")
    prepared = prepare(Image.fromarray(picture.permute(1, 2, 0).numpy()))["pixel_values"]
    view = package.open_run(runs / name)._restored.view([picture], torch.tensor([0]), seed=0, epoch=0)["x.image"]
    torch.testing.assert_close(prepared, view, atol=0.03, rtol=0)  # pillow rounds each pixel to a byte
    with torch.no_grad():
        torch.testing.assert_close(model(view).pooler_output, features(runs / name, view))


@pytest.mark.parametrize("name", ["small", "vit"])
def test_onnxruntime_takes_any_number_of_images(name: str, runs: Path, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    export(runs / name, tmp_path / "out", to="onnx")
    session = runtime.InferenceSession(str(tmp_path / "out/model.onnx"))
    image = torch.rand(5, 3, 32, 32)
    (found,) = session.run(["features"], {"image": image.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), features(runs / name, image), atol=1e-4, rtol=1e-4)


def test_a_library_that_is_not_installed_is_named_with_its_extra_and_nothing_is_left(
    runs: Path, tmp_path: Path, sslgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for to, library in (("hf", "transformers"), ("onnx", "onnxruntime")):
        monkeypatch.setitem(sys.modules, library, None)
        said = sslgraph("export", str(runs / "vit"), "--to", to, "-o", str(tmp_path / "out"))
        assert (said.code, said.err) == (1, f"{library} is not installed; pip install 'sslgraph[{to}]'\n")
    assert list(tmp_path.iterdir()) == []


def test_the_card_says_where_the_weights_come_from_and_names_no_place_of_this_machine(
    runs: Path, tmp_path: Path
) -> None:
    export(runs / "small", tmp_path / "out", to="safetensors")
    card = (tmp_path / "out/README.md").read_text()
    assert "# Tiny: an encoder without labels\n\n![Tiny as sslgraph draws it](picture.svg)" in card
    assert "the shorter side resized to 37 (bilinear), the central 32 x 32; values from 0 to 1, less 0.485" in card
    assert "16 images (sources.shapes), 1 step of 8 images." in card and "## Measures\n\nNot measured." in card
    assert "sslgraph 0.1.0 wrote this export" in card and "The weights are yours" in card
    assert (tmp_path / "out/picture.svg").read_text().startswith("<svg") and str(tmp_path) not in card
    found = {"accuracy": 0.5, "chance": 0.1}
    row = {"knn20": found, "health": {"rankme": 17.6}}
    measured = {"step": 1, "bank": 16, "queries": 12, "settings": dict.fromkeys(row, "how"), "trained": row}
    measured |= {"random": {}, "pixels": row}
    (tmp_path / "run").mkdir()
    shutil.copytree(runs / "small", tmp_path / "run", dirs_exist_ok=True)
    (tmp_path / "run/evaluation.json").write_text(json.dumps(measured))
    text = (tmp_path / "run/resolved.yaml").read_text()
    assert "sources.shapes" in text
    export(tmp_path / "run", tmp_path / "more", to="safetensors")
    lines = (tmp_path / "more/README.md").read_text().splitlines()
    assert "| knn20 accuracy | 50.0 % | - | 50.0 % |" in lines and "| health RankMe | 18 | - | 18 |" in lines
    assert "* knn20: how" in lines


def test_a_network_that_gives_less_than_the_method_measures_says_so(tmp_path: Path) -> None:
    (tmp_path / "pooled.yaml").write_text(recipe_of(NETS["vit"]).replace("export: f", "export: f.pooled"))
    launch(request(str(tmp_path / "pooled.yaml"), out=str(tmp_path / "run")))
    said = export(tmp_path / "run", tmp_path / "out", to="timm")
    assert said["is_whole"] is False and "the method does the rest" in (tmp_path / "out/README.md").read_text()


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
            r"torchvision has no network like 'f' with these settings\n  there are: safetensors, torch.export, onnx",
        ),
        ("coreml", r"an encoder is exported to safetensors, timm, torchvision, hf, onnx, torch.export, and not to"),
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
