"""The face for Python: what it imports, what it refuses, and that its objects are the ones that commands use."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

import sslgraph

ROOT = Path(__file__).parents[1]
SMALL = {"nets.f.width": 8}
GRADIENT_INTO_A_TARGET = """
method: Wrong
views: {x1: {augment: byol_a}, x2: {augment: byol_b}}
nets: {f: {use: backbones.resnet, depth: 18}, g: {use: heads.mlp, hidden: [8], out: 8}}
targets: {gt: {ema_of: g, momentum: 0.99}}
flow: {z: g(f(x1)), t: gt(f(x2))}
losses: {agree: {use: losses.barlow_twins, of: [z, t]}}
export: f
"""


def test_importing_and_reading_import_no_torch_and_start_fast() -> None:
    program = (
        "import sys, time; start = time.process_time(); import sslgraph; spent = time.process_time() - start; "
        "method = sslgraph.load('byol'); str(method.gradients); str(method.diff('simsiam')); "
        "print(spent < 0.3, [m for m in ('torch', 'ray', 'numpy', 'pandas') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "True []\n"


def test_every_public_name_is_there() -> None:
    assert all(getattr(sslgraph, name) is not None for name in sslgraph.__all__)
    assert set(sslgraph.__all__) <= set(dir(sslgraph))
    with pytest.raises(AttributeError, match="has no attribute 'lod'"):
        sslgraph.lod  # noqa: B018


@pytest.mark.parametrize(
    "source",
    [
        "simclr",
        "demo/simclr",
        ROOT / "specs/methods/simclr.yaml",
        "method: Own\nextends: simclr\n",
        {"method": "Own", "extends": "simclr"},
    ],
)
def test_a_method_is_named_or_written(source: str) -> None:
    assert list(sslgraph.load(source).spec.losses) == ["contrast"]


def test_a_comparison_is_printed_as_the_command_prints_it() -> None:
    other = {"method": "Other", "extends": "byol", "set": {"targets.*.momentum": 0.5}}
    assert repr(sslgraph.load("byol").diff(other)).splitlines() == [
        "Other is BYOL with momentum 0.5 instead of cosine 0.996 to 1.",
        "structure",
        "  = kept: momentum encoder and predictor",
        "numbers",
        "  ≠ slow copies ft and gt: momentum cosine 0.996 to 1 -> 0.5",
    ]


def test_a_notebook_shows_a_comparison_as_one_picture() -> None:
    byol, simsiam = sslgraph.load("demo/byol"), sslgraph.load("demo/simsiam")
    picture = byol.diff(simsiam)._repr_svg_()
    assert picture is not None and picture.startswith("<svg") and "slow copy" in picture
    nowhere = {
        "method": "Other",
        "extends": "byol",
        "set": {"views.*.size": 7},
        "replace": {"nets.f": {"use": "torch.nn:Linear"}},
    }
    assert byol.diff(nowhere)._repr_svg_() is None


def test_overrides_are_those_of_the_command_line() -> None:
    assert sslgraph.load("simclr", {"nets.f.depth": 18}).spec.nets["f"].settings["depth"] == 18


@pytest.mark.parametrize("use", ["check", "compile", "sized"])
def test_a_gradient_into_a_target_is_refused_however_a_method_is_used(use: str) -> None:
    with pytest.raises(sslgraph.SpecError, match="through the target 'gt'"):
        getattr(sslgraph.load(GRADIENT_INTO_A_TARGET), use)()


def test_a_misspelt_setting_in_a_text_is_refused_at_its_line() -> None:
    with pytest.raises(sslgraph.SpecError, match=r"text.yaml:4.*depht") as refused:
        sslgraph.load(GRADIENT_INTO_A_TARGET.replace("depth", "depht")).check()
    assert "did you mean 'depth'?" in str(refused.value)


def test_check_gives_the_linters_warnings() -> None:
    found = sslgraph.load("demo/simclr").check(batch=64, accumulate=2)
    assert "SG108" in [finding.number for finding in found]  # the loss spans the batch
    assert "SG108" not in [finding.number for finding in sslgraph.load("demo/simclr").check(batch=64)]


def test_a_terminal_shows_a_drawing_a_notebook_the_picture_and_a_file_too(tmp_path: Path) -> None:
    method = sslgraph.load("demo/simsiam")
    assert "SimSiam" in repr(method)
    picture = method._repr_svg_()
    assert picture is not None and picture.startswith("<svg")
    drawn = method.draw(tmp_path / "one.svg").read_text()
    assert "<desc>" in drawn and re.sub(r"<desc>.*</desc>\n| id=\"[\w.-]+\"", "", drawn) == re.sub(
        r" id=\"[\w.-]+\"", "", picture
    )
    with pytest.raises(sslgraph.SslgraphError, match=r"end its name in \.svg"):
        method.draw(tmp_path / "one.gif")


def test_a_method_with_faults_is_still_shown() -> None:
    method = sslgraph.load(GRADIENT_INTO_A_TARGET)
    assert "which has faults" in repr(method) and method._repr_svg_() is None


def test_views_are_those_that_training_makes() -> None:
    from sslgraph.parts import registry
    from sslgraph.pipelines.feed.feed import Feed

    method, source = sslgraph.load("demo/byol"), registry.build("sources.shapes", {"images": 8, "split": "train"})
    (batch,) = next(iter(Feed(source, method.view_program, batch=4, seed=3, ahead=0).batches(1, 2)))
    images, indices = source.read(batch["draw"][:, 2])
    ours = method.views(images, indices, seed=3, epoch=0, step=1)
    assert ours.keys() == batch.keys()
    assert all(torch.equal(ours[name], batch[name]) for name in ours)


def test_labels_and_label_maps_are_given_beside_the_images() -> None:
    method = sslgraph.load("""
method: Both
views: {x: {augment: crop_flip, size: 8, crop.shorter: 8}}
nets:
  f: {use: backbones.resnet, depth: 10, width: 2, stem: small}
  head: {use: heads.linear, out: 3}
  places: {use: heads.dense_classifier, out: 2, doublings: 3, width: 4}
flow: {y: head(f(x)), z: places(f(x).map)}
losses:
  classes: {use: losses.cross_entropy, of: [y, x.label]}
  pixels: {use: losses.cross_entropy, of: [z, x.map]}
export: f
""")
    images = torch.randint(256, (4, 3, 8, 8), dtype=torch.uint8)
    maps = [image[0].long() % 2 for image in images]
    batch = method.views(images, torch.tensor([3, 0, 2, 1]), labels=torch.tensor([2, 1, 0, 1]), maps=maps)
    assert batch["x.label"].tolist() == [1, 2, 0, 1]
    assert torch.equal(batch["x.map"], (255 * batch["x.image"][:, 0]).round().long() % 2)
    losses, _ = method.compile(batch=4).eval()(batch)
    assert losses["classes"] > 0 and losses["pixels"] > 0


def test_the_code_is_that_of_show() -> None:
    from sslgraph.pipelines.look.show import code

    assert sslgraph.load("demo/dino").code == code("demo/dino", (), {})


@pytest.mark.parametrize("name", ["demo/moco_v2", "demo/dino", "demo/mae"])
def test_views_are_the_same_under_autocast(name: str) -> None:
    method, images = sslgraph.load(name), torch.randint(0, 256, (4, 3, 40, 40), dtype=torch.uint8)
    made = method.views(images, torch.arange(4))
    with torch.autocast("cpu", torch.bfloat16):
        again = method.views(images, torch.arange(4))
    assert all(value.dtype == again[key].dtype and torch.equal(value, again[key]) for key, value in made.items())


IMAGES = torch.randint(0, 256, (4, 3, 40, 40), dtype=torch.uint8)
NUMBERS = torch.arange(4)


@pytest.mark.parametrize(("images", "indices", "said"), [
    (IMAGES.float(), NUMBERS, r"got a tensor of float32 and shape \(4, 3, 40, 40\); write images.round\(\).to\("),
    (IMAGES / 255, NUMBERS, r"write \(images \* 255\).round\(\).to\(torch.uint8\), before any normalisation"),
    (IMAGES.long(), NUMBERS, r"got a tensor of int64 .* write images.to\(torch.uint8\) for numbers from 0 to 255"),
    (IMAGES[0], NUMBERS, r"shape \(3, 40, 40\); write images\[None\] for a single image"),
    (IMAGES.numpy(), NUMBERS, r"got a numpy.ndarray; write torch.from_numpy\(images\)$"),
    (IMAGES.movedim(1, 3).numpy(), NUMBERS, r"write torch.from_numpy\(images\).movedim\(-1, -3\)"),
    (IMAGES.movedim(1, 3), NUMBERS, r"with the channels last; write images.movedim\(-1, -3\)"),
    (Image.new("RGB", (8, 8)), NUMBERS, r"got a PIL.Image; write torchvision.transforms.functional.pil_to_tensor"),
    ([Image.new("RGB", (8, 8))] * 4, NUMBERS, r"got a list with a PIL.Image in it; write torchvision"),
    (tuple(IMAGES), NUMBERS, r"got a tuple; write torch.stack\(images\) for images of one size, or a list"),
    ([], NUMBERS, "got no image at all"),
    ([IMAGES[0], IMAGES[1, :1]], NUMBERS[:2], "the images have 1 or 3 channels; bring all to one number"),
    (IMAGES[:, :1], NUMBERS, r"(?s)the images have 1 channels; write images.expand\(-1, 3, -1, -1\).*step 'normalize'"),
    (IMAGES, [0, 1, 2, 3], r"a tensor of 4 whole numbers here, and got a list; write for example torch.tensor"),
    (IMAGES, NUMBERS[:3], r"got a tensor of int64 and shape \(3,\)"),
    (IMAGES, NUMBERS.float(), r"got a tensor of float32 and shape \(4,\)"),
    (None, NUMBERS, "got a NoneType"),
])  # fmt: skip
def test_what_is_no_batch_of_images_is_refused_with_a_cure(images: object, indices: object, said: str) -> None:
    with pytest.raises(sslgraph.SslgraphError, match=said):
        sslgraph.load("demo/moco_v2").views(images, indices)  # type: ignore[arg-type]


def test_weights_may_be_given_as_a_state_or_the_refusal_says_how() -> None:
    named = sslgraph.load("demo/simclr", {"nets.f.weights": "encoder.pth"})
    state = sslgraph.load("demo/simclr").compile(seed=3).parts["f"].state_dict()
    assert all(map(torch.equal, named.compile(given={"f": state}).parts["f"].state_dict().values(), state.values()))
    cure = r"nothing was given for it\n  write compile\(given={'f': STATE_DICT}\), or sslgraph.load_recipe"
    with pytest.raises(sslgraph.SpecError, match=cure):
        named.compile()
