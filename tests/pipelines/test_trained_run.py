"""What a script does with a run: images into its encoder, its weights, its measures."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
import torchvision
import yaml
from PIL import Image
from safetensors.torch import load_file
from tiny_recipe import recipe_of

import sslgraph
from sslgraph.pipelines.python import TrainedRun

IMAGES = torch.randint(0, 256, (5, 3, 40, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    folder = tmp_path_factory.mktemp("run")
    (folder / "tiny.yaml").write_text(recipe_of())
    return sslgraph.train(str(folder / "tiny.yaml"), out=folder / "run")


def pictures() -> list[Image.Image]:
    return [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in IMAGES]


def test_a_mapping_and_a_method_are_trained_as_their_files_are(run: TrainedRun, tmp_path: Path) -> None:
    text = yaml.safe_load(recipe_of())
    numbers = {key: text[key] for key in ("data", "batch", "steps", "optimizer")}
    mapped = sslgraph.train(text, out=tmp_path / "mapping")
    of_method = sslgraph.train(sslgraph.load(text["method"]), numbers, out=tmp_path / "method")
    told, mine, bare = (sslgraph.load_recipe(one.folder / "resolved.yaml").spec for one in (run, mapped, of_method))
    assert mine == told and bare.method == told.method and bare.optimizer == told.optimizer
    assert mapped.weights.keys() == of_method.weights.keys() == run.weights.keys()


def test_images_become_what_evaluation_shows_the_encoder(run: TrainedRun, tmp_path: Path) -> None:
    for number, picture in enumerate(pictures()):
        picture.save(tmp_path / f"{number}.png")
    embedded = run.embed(tmp_path)
    with torch.no_grad():
        own = run.encoder(run.transform(IMAGES))
    torch.testing.assert_close(own, embedded.values)
    for images in (IMAGES, list(IMAGES), pictures()):
        found = run.embed(images, batch=2)
        torch.testing.assert_close(found.values, embedded.values)
        assert found.index.tolist() == [0, 1, 2, 3, 4]


def test_one_picture_is_a_batch_of_one(run: TrainedRun) -> None:
    grey, mean, std = Image.new("L", (64, 48), 128), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    (seen,) = run.transform(grey)
    expected = (torch.full((3,), 128 / 255) - torch.tensor(mean)) / torch.tensor(std)
    torch.testing.assert_close(seen, expected[:, None, None].expand(3, 32, 32), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("images", "said"), [
    (IMAGES / 255, r"expected uint8 images, .* write \(images \* 255\).round\(\).to\(torch.uint8\)"),
    (IMAGES.numpy(), r"got a numpy.ndarray; write torch.from_numpy\(images\)"),
    (IMAGES[0], r"write images\[None\] for a single image"),
    (7, "got a int"),
])  # fmt: skip
def test_other_images_are_refused_with_a_cure(run: TrainedRun, images: object, said: str) -> None:
    for take in (run.transform, run.embed):
        with pytest.raises(sslgraph.SslgraphError, match=said):
            take(images)


def test_measures_metrics_and_files_are_those_of_the_commands(run: TrainedRun, tmp_path: Path) -> None:
    assert [line["step"] for line in run.metrics if "contrast" in line] == [1]
    found = run.evaluate("knn5")
    assert found.trained.keys() >= {"knn5"} and (run.folder / "evaluation.json").is_file()
    assert run.export(tmp_path / "out", to="safetensors")["to"] == "safetensors"
    written = load_file(tmp_path / "out/model.safetensors")
    assert written.keys() == run.weights.keys() and all(torch.equal(written[k], v) for k, v in run.weights.items())


@pytest.mark.parametrize(("net", "library"), [
    ({"use": "backbones.resnet", "depth": 18}, "timm"),
    ({"use": "backbones.resnet", "depth": 18}, "torchvision"),
    ({"use": "backbones.timm", "name": "test_vit"}, "timm"),
])  # fmt: skip
def test_another_library_loads_the_weights_strictly_and_gives_the_same_features(net: object, library: str) -> None:
    views = {"x": {"augment": "moco_v2", "size": 160, "copies": 2}}
    losses = {"contrast": {"use": "losses.nt_xent", "of": ["z"]}}
    text = {"method": "Own", "views": views, "nets": {"f": net}, "flow": {"z": "l2(f(x))"}, "losses": losses}
    encoder = sslgraph.load({**text, "export": "f"}).compile(batch=8).encoder().eval()
    if library == "timm":
        theirs = timm.create_model("test_vit" if "timm" in str(net) else "resnet18", num_classes=0)
    else:
        theirs = torchvision.models.resnet18()
        theirs.fc = torch.nn.Identity()
    theirs.load_state_dict(sslgraph.plain_weights(encoder))
    image = torch.randn(2, 3, 160, 160)
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(image), encoder(image), rtol=1e-4, atol=1e-5)
