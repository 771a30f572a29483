from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from object_storage import Storage
from PIL import Image

from sslgraph.components.sources.image_folder import ImageFolder
from sslgraph.components.sources.prepared import Prepared
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import source_for
from sslgraph.pipelines.feed.inspection import inspect
from sslgraph.pipelines.feed.preparing import prepare_images, shrunk


def pictures(folder: Path, count: int = 12) -> Path:
    """Images of two classes and many sizes, smooth, with one that can't be read."""
    always = torch.Generator().manual_seed(0)
    for i in range(count):
        small = torch.rand(1, 3, 5, 6, generator=always)
        image = torch.nn.functional.interpolate(small, (40 + 7 * i, 60 + 3 * i), mode="bicubic").clamp(0, 1)[0]
        file = folder / ("cat", "dog")[i % 2] / f"{i:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 255).byte().permute(1, 2, 0).numpy()).save(file)
    (folder / "cat" / "broken.png").write_bytes(b"not an image")
    return folder


@pytest.mark.parametrize("form", ["jpeg", "raw"])
def test_prepared_images_are_the_images_with_their_shorter_side_at_the_length(tmp_path: Path, form: str) -> None:
    source = ImageFolder(path=str(pictures(tmp_path / "photos")), memory=0)
    (train, test) = prepare_images(str(tmp_path / "photos"), str(tmp_path / "small"), side=48, form=form)
    assert (train.images, train.broken, test.images) == (11, 1, 1)
    ready = Prepared(path=str(tmp_path / "small"))
    assert ready.classes == ("cat", "dog") and source_for(str(tmp_path / "small")) == "sources.prepared"
    kept = [i for i in range(len(source)) if "broken" not in source.files[i]]
    assert ready.labels is not None and source.labels is not None
    assert ready.labels.tolist() == source.labels[kept].tolist()
    found, _ = ready.read(torch.arange(len(ready)))
    originals, _ = source.read(torch.tensor(kept))
    for mine, original in zip(found, originals, strict=True):
        expected = shrunk(original, 48)
        assert mine.shape == expected.shape and min(mine.shape[1:]) == min(48, *original.shape[1:])
        worst = (mine.int() - expected.int()).abs().float().mean()
        assert worst == 0 if form == "raw" else worst < 3


def test_a_shorter_side_is_brought_to_the_length_and_the_other_in_proportion() -> None:
    assert shrunk(torch.zeros(3, 100, 250, dtype=torch.uint8), 50).shape == (3, 50, 125)
    assert shrunk(torch.zeros(3, 250, 100, dtype=torch.uint8), 50).shape == (3, 125, 50)
    assert shrunk(torch.zeros(3, 40, 30, dtype=torch.uint8), 50).shape == (3, 40, 30)


def test_what_lies_at_a_path_is_said(tmp_path: Path) -> None:
    said = inspect(str(pictures(tmp_path)))
    assert re.search(r"train: 12 images, 2 classes, 40x60 to \d+x\d+; [\d,]+ images/s\n", said)
    assert "  classes: cat, dog; 5 to 7 images each\n  brightness 0 to 255 of 255, mean [0." in said
    assert "  1 of 12 tried can't be read\n" in said and "broken.png: not an image" in said
    assert "test: 1 image, 1 class" in said
    assert said.endswith("no folder or name says train and test: a tenth is held out, 1 image of 13")


def test_what_can_not_be_prepared_is_refused(tmp_path: Path) -> None:
    folder = str(pictures(tmp_path / "photos"))
    with pytest.raises(SslgraphError, match="--form png is not known; write one of jpeg, raw"):
        prepare_images(folder, str(tmp_path / "new"), form="png")
    with pytest.raises(SslgraphError, match="something is there already; name a new folder"):
        prepare_images(folder, folder)
    with pytest.raises(SslgraphError, match="holds no prepared images"):
        Prepared(path=folder)
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("form", ["jpeg", "raw"])
def test_prepared_images_are_read_from_a_bucket_an_image_a_request(tmp_path: Path, storage: Storage, form: str) -> None:
    prepare_images(str(pictures(tmp_path / "photos")), str(storage.root / "b" / "small"), side=48, form=form)
    assert source_for("s3://b/small") == "sources.prepared"
    there, here = Prepared(path="s3://b/small"), Prepared(path=str(storage.root / "b" / "small"))
    for one, other in zip(there.read(torch.arange(11))[0], here.read(torch.arange(11))[0], strict=True):
        assert torch.equal(one, other)
    storage.requests.clear()
    there.read(torch.arange(11))
    assert len(storage.requests) == 11


def test_images_at_an_address_are_prepared_like_those_of_a_folder(tmp_path: Path, storage: Storage) -> None:
    pictures(storage.root / "b" / "photos")
    found = prepare_images("s3://b/photos", str(tmp_path / "small"), side=48)
    assert [(one.images, one.broken) for one in found] == [(11, 1), (1, 0)]


def test_large_originals_are_prepared_from_smaller_ones_within_the_error_of_the_encoding(tmp_path: Path) -> None:
    small = torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(0))
    large = torch.nn.functional.interpolate(small, (800, 1000), mode="bicubic").clamp(0, 1)[0]
    (tmp_path / "photos").mkdir()
    Image.fromarray((large * 255).byte().permute(1, 2, 0).numpy()).save(tmp_path / "photos" / "a.jpg", quality=95)
    for form in ("raw", "jpeg"):
        prepare_images(str(tmp_path / "photos"), str(tmp_path / form), side=64, form=form)
    (raw,), (jpeg,) = (Prepared(path=str(tmp_path / form)).read(torch.tensor([0]))[0] for form in ("raw", "jpeg"))
    exact = shrunk(ImageFolder(path=str(tmp_path / "photos")).read(torch.tensor([0]))[0][0], 64).float()
    off, encoding = (raw.float() - exact).abs().mean(), (jpeg.float() - raw.float()).abs().mean()
    assert 0 < off < encoding


def test_a_place_that_can_not_be_written_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    folder = str(pictures(tmp_path / "photos"))
    (tmp_path / "file").write_text("")
    with pytest.raises(SslgraphError, match="something is there already; name a new folder"):
        prepare_images(folder, str(tmp_path / "file"))
    with pytest.raises(SslgraphError, match="can't be written: not a directory; give another place with --prepare"):
        prepare_images(folder, str(tmp_path / "file" / "new"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "photos"]


def test_images_are_not_written_behind_a_planted_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "small.tmp").symlink_to("elsewhere")
    prepare_images(str(pictures(tmp_path / "photos")), str(tmp_path / "small"), side=48)
    assert not list((tmp_path / "elsewhere").iterdir()) and not (tmp_path / "small").is_symlink()
