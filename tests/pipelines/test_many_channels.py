"""Images of other than three channels, from their files to views, an encoder, its measures and pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command import Command
from command import sslgraph as sslgraph
from safetensors.torch import load_file
from tiff_file import tiff
from torch import Tensor

from sslgraph.checked import augmentations, sized_graph, wired
from sslgraph.components.sources.image_folder import ImageFolder
from sslgraph.components.sources.prepared import Prepared
from sslgraph.errors import SpecError, SslgraphError
from sslgraph.pipelines.feed.preparing import prepare_images
from sslgraph.read.load import load_method
from sslgraph.views.views import ViewProgram

BANDS = 5
ALL = "data.channels=[0,1,2,3,4]"
RECIPE = """
recipe: bands
method: simclr
set:
  nets.f.depth: 10
  nets.f.width: 4
  nets.f.stem: small
  nets.g.hidden: [8]
  nets.g.out: 8
  views.x.size: 8
  views.x.gray.p: 0
  views.x.jitter.p: 0
data: {use: sources.image_folder, path: PATH, channels: [0, 1, 2, 3, 4], range: [0, 4095]}
batch: 8
steps: 2
optimizer: {use: sgd, lr: 1e-2, momentum: 0.9, weight_decay: 0}
evaluate: {knn: {}}
"""


def satellite(folder: Path, count: int = 40) -> Path:
    """Twelve-bit images of five bands; band b of each is b times as bright as its first but one."""
    always = np.random.default_rng(0)
    for i in range(count):
        (folder / ("field", "sea")[i % 2]).mkdir(parents=True, exist_ok=True)
        ground = always.integers(0, 800, (14, 12, 1))
        bands = (ground * np.arange(BANDS)).astype(np.uint16)
        (folder / ("field", "sea")[i % 2] / f"{i:02}.tif").write_bytes(tiff(bands, rows=5))
    return folder


def test_twelve_bits_of_five_bands_are_read_by_their_names_and_range(tmp_path: Path) -> None:
    source = ImageFolder(path=str(satellite(tmp_path)), channels=[4, 0, 1], range=[0, 4095])
    image = source.read(torch.tensor([0]))[0][0].double()
    assert image.shape == (3, 14, 12) and image[1].max() == 0
    torch.testing.assert_close(image[0], 4 * image[2], rtol=0, atol=2.5)  # each is rounded to bytes
    named = ImageFolder(path=str(tmp_path), channels=[0, 1, 2, 3], range=[0, 4095])
    assert named.read(torch.tensor([0]))[0][0].shape == (4, 14, 12)


def views_of(changes: Mapping[str, Any], images: list[Tensor], form: Callable[..., Any]) -> dict[str, Tensor]:
    wish = {"views.*.jitter.p": 0, "views.*.gray.p": 0, **changes}
    found = load_method("byol", overrides=wish)
    program = ViewProgram.build(found.spec.views, augmentations(found))
    return program(form(images), torch.arange(len(images)), seed=0, epoch=0)


@pytest.mark.parametrize("side", [24, 112])  # by products, and by the kernel of bytes
@pytest.mark.parametrize("form", [torch.stack, list])
def test_a_view_of_five_channels_is_that_of_any_three_of_them(side: int, form: Callable[..., Any]) -> None:
    always = torch.Generator().manual_seed(1)
    images = list(torch.randint(256, (6, BANDS, 130, 120), dtype=torch.uint8, generator=always))
    mean = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5])
    size = {"views.*.size": side, "views.*.normalize.std": [0.5] * BANDS}
    many = views_of({**size, "views.*.normalize.mean": mean.tolist()}, images, form)
    for three in ([0, 1, 2], [4, 2, 3]):
        alike = {**size, "views.*.normalize.mean": [0.0] * 3, "views.*.normalize.std": [0.5] * 3}
        few = views_of(alike, [image[three].contiguous() for image in images], form)
        for view in ("x1.image", "x2.image"):
            expected = few[view] - mean[three, None, None] / 0.5
            torch.testing.assert_close(many[view][:, three], expected, rtol=0, atol=5e-6)


def test_steps_for_colours_are_refused_by_name_and_left_out_with_p_0() -> None:
    method = load_method("moco_v2")
    with pytest.raises(SpecError) as refused:
        sized_graph(wired(method), method, batch=8, channels=BANDS)
    said = str(refused.value)
    assert "step 'jitter': it changes red, green and blue, and the images have 5 channels" in said
    assert "step 'gray'" in said and "step 'normalize': mean and std are of 3 channels" in said
    numbers = [0.5] * BANDS
    left_out: dict[str, Any] = {"views.*.jitter.p": 0, "views.*.gray.p": 0}
    left_out |= {f"views.*.normalize.{key}": numbers for key in ("mean", "std")}
    method = load_method("moco_v2", overrides=left_out)
    assert sized_graph(wired(method), method, batch=8, channels=BANDS).settings["f"]["channels"] == BANDS


def test_a_run_on_five_bands_from_data_to_an_exported_encoder(tmp_path: Path, sslgraph: Command) -> None:
    bands, run = satellite(tmp_path / "bands"), tmp_path / "run"
    refused = sslgraph("data", str(bands))
    whole = "it has 5 channels; name those to take: data.channels: [0, 1, 2, 3, 4] for all"
    assert refused.code == 1 and whole in refused.err
    said = sslgraph("data", str(bands), "--set", ALL, "--set", "data.range=[0, 4095]").out
    assert "14x12 of 5 channels" in said and "mean [0.000, " in said
    recipe = tmp_path / "bands.yaml"
    recipe.write_text(RECIPE.replace("PATH", str(bands)))
    assert sslgraph("check", str(recipe)).code == 0
    for words in (("train", str(recipe), "--out", str(run)), ("evaluate", str(run)), ("report", str(run)),
                  ("views", str(recipe), "--data", str(bands), "-o", str(tmp_path / "views.png")),
                  ("export", str(run), "--to", "safetensors", "-o", str(tmp_path / "encoder"))):  # fmt: skip
        done = sslgraph(*words)
        assert done.code == 0, (words, done.out, done.err)
    weights = load_file(tmp_path / "encoder" / "model.safetensors")
    assert next(value for name, value in weights.items() if "conv1" in name).shape[1] == BANDS
    found = json.loads((run / "evaluation.json").read_text())
    assert all(found[encoder]["knn20"] for encoder in ("trained", "random", "pixels"))


def test_prepared_bands_are_kept_raw_and_asked_for_by_name(tmp_path: Path) -> None:
    bands = str(satellite(tmp_path / "bands"))
    wish = {"channels": [0, 1, 2, 3, 4], "range": [0, 4095]}
    with pytest.raises(SslgraphError, match="a JPEG has no 5 channels; write --form raw"):
        prepare_images(bands, str(tmp_path / "jpeg"), side=10, settings=wish)
    prepare_images(bands, str(tmp_path / "raw"), side=10, form="raw", settings=wish)
    with pytest.raises(SslgraphError, match=r"images of 5 channels: set data.channels: \[0, 1, 2, 3, 4\], or some"):
        Prepared(path=str(tmp_path / "raw"))
    all_, some = (Prepared(path=str(tmp_path / "raw"), channels=names) for names in (wish["channels"], [4, 2]))
    everything, part = (one.read(torch.arange(3))[0] for one in (all_, some))
    assert everything[0].shape[0] == BANDS and torch.equal(everything[1][[4, 2]], part[1])
