"""An image's neighbours are found by name, a copy first; near-duplicates come in groups."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from command import Command
from command import sslgraph as sslgraph
from PIL import Image
from tiny_recipe import recipe_of

from sslgraph.pipelines.check.request import request
from sslgraph.pipelines.launch.launch import launch
from sslgraph.pipelines.look.alike import Bank, duplicates


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and 14 images of smooth noise, of which b.png is nearly a.png."""
    folder = tmp_path_factory.mktemp("alike")
    (folder / "tiny.yaml").write_text(recipe_of())
    launch(request(str(folder / "tiny.yaml"), out=str(folder / "run")))
    (folder / "images").mkdir()
    noise = torch.rand(13, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    for number, image in enumerate(F.interpolate(noise, (40, 56), mode="bicubic").clamp(0, 1)):
        pixels = (image * 255).to(torch.uint8).permute(1, 2, 0).numpy()
        name = "a" if number == 0 else f"other{number}"
        Image.fromarray(pixels).save(folder / f"images/{name}.png")
        if number == 0:
            Image.fromarray(pixels).resize((51, 36)).save(folder / "images/b.png")
    return folder


def test_groups_are_joined_by_chains_and_the_largest_comes_first() -> None:
    angles = torch.tensor([0.0, 90, 95, 100, 0, 200]).deg2rad()
    values = torch.stack([angles.cos(), angles.sin()], 1)
    bank = Bank(tuple((name, None, 0) for name in "abcdef"), values, torch.zeros(1, 2))  # type: ignore[misc,arg-type]
    groups = [[(one.name, round(one.similarity, 3)) for one in row] for row in duplicates(bank, 0.99)]
    cosines = [round(torch.tensor(angle).deg2rad().cos().item(), 3) for angle in (5.0, 10.0)]
    assert groups == [[("b", 1.0), ("c", cosines[0]), ("d", cosines[1])], [("a", 1.0), ("e", 1.0)]]
    assert list(duplicates(bank.__class__(bank.images[:2], values[:2], bank.mean), 0.99)) == []


def test_a_copy_is_the_nearest_and_the_image_itself_is_left_out(folder: Path, sslgraph: Command) -> None:
    words = ("neighbours", str(folder / "run"), "--data", str(folder / "images"))
    picture = folder / "near.png"
    said = sslgraph(*words, "--of", str(folder / "images/a.png"), "--count", "3", "-o", str(picture))
    asked, first, *rest = said.out.splitlines()
    assert (said.code, asked, len(rest)) == (0, str(folder / "images/a.png"), 3), said.err
    assert first.endswith(f"  {folder}/images/b.png") and float(first.split()[0]) > 0.98
    assert rest[-1] == f"drawn: {picture}"
    with Image.open(picture) as drawn:
        assert drawn.size[0] > 4 * 150
    pair = sslgraph(*words).out.splitlines()
    assert [line.rpartition("/")[2] for line in pair] == ["a.png", "b.png"]
    assert sslgraph(*words, "--above", "1").out == "no two of 14 images are nearer than 1\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--data", "images", "-o", "near.jpg"), "-o near.jpg: the picture is a PNG; end its name in .png"),
        (("--data", "images", "-o", "gone/near.png"), "gone/near.png can't be written: no such file or directory"),
        (("--data", "images", "--of", "images", "-o", "near.png"), "--of images holds 13 images; name one image"),
        (("--data", "images/a.png"), "images/a.png holds one image, and there is nothing to compare it with"),
        (("--data", "gone"), "gone does not exist; give the folder of the images"),
    ],
)
def test_what_can_not_be_is_one_line_and_nothing_is_written(
    words: tuple[str, ...], message: str, folder: Path, sslgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    said = sslgraph("neighbours", "run", *words)
    assert said.code == 1 and message in said.err and len(said.err.splitlines()) == 1, said
    assert sorted(folder.rglob("*")) == before
