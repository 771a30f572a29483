"""The sheet shows what training sees: the same tensors as the feed's, with the numbers that were really drawn."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from command import Command
from command import sslgraph as sslgraph
from PIL import Image
from torch import Tensor

from sslgraph import draws
from sslgraph.checked import augmentations
from sslgraph.components.sources.shapes import Shapes
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check import check
from sslgraph.pipelines.feed.feed import Feed
from sslgraph.pipelines.look.contact_picture import draw, scaled
from sslgraph.pipelines.look.contact_sheet import Sheet, contact_sheet, where
from sslgraph.views.views import ViewProgram


class Photos:
    """Images of many sizes without labels, as a folder gives them."""

    labels = None
    classes: tuple[str, ...] = ()
    size = None

    def __init__(self, count: int) -> None:
        self.count, self.broken = count, dict[int, str]()

    def __len__(self) -> int:
        return self.count

    def read(self, indices: Tensor) -> tuple[list[Tensor], Tensor]:
        values = draws.uniform(draws.keyed(0, 0, indices), 3 * 60 * 60, 0, 256).to(torch.uint8)
        pairs = zip(values, indices.tolist(), strict=True)
        return [row.view(3, 60, 60)[:, : 40 + i, : 60 - i] for row, i in pairs], indices


def sheet(name: str, source: Any = None, *, seed: int = 3, epoch: int = 2, **overrides: Any) -> Sheet:
    loaded, _ = check.load(name, {key.replace("__", "."): value for key, value in overrides.items()})
    return contact_sheet(loaded, source or Shapes(images=12), data="here", count=3, seed=seed, epoch=epoch, batch=12)


@pytest.mark.parametrize("name", ["demo/simclr", "demo/dino", "demo/mae", "demo/pixpro", "demo/swav", "demo/rotation"])
@pytest.mark.parametrize("source", [Shapes(images=12), Photos(12)])
def test_every_view_is_the_tensor_that_the_feed_gives_to_training(name: str, source: Any) -> None:
    if name == "demo/rotation" and isinstance(source, Photos):
        return  # its views are cropped without a resize, from images of one size
    loaded, _ = check.load(name, {})
    program = ViewProgram.build(loaded.spec.views, augmentations(loaded))
    feed = Feed(source, program, batch=12, seed=3, ahead=0)
    (batch,) = next(iter(feed.batches(2, 3)))  # step 2 of epochs of one step
    shown = sheet(name, source)
    for sample in shown.samples:
        cells = iter(sample.cells)
        for view, spec in loaded.spec.views.items():
            rows = (batch[f"{view}.index"] == sample.index).nonzero()[:, 0]
            assert len(rows) == spec.copies
            for row in rows:
                cell = next(cells)
                assert torch.equal(cell.seen, batch[f"{view}.image"][row])
                assert cell.box == tuple(batch[f"{view}.box"][row].tolist())
                assert ("flipped" in cell.lines) == bool(batch[f"{view}.flip"][row])


def test_the_numbers_in_words_are_those_the_steps_planned() -> None:
    loaded, _ = check.load("demo/simclr", {})
    steps = ViewProgram.build(loaded.spec.views, augmentations(loaded)).views["x"].steps
    for sample in sheet("demo/simclr").samples:
        draw = draws.substream(draws.keyed(3, 2, torch.tensor([sample.index])), draws.stream_of("x"), 2)
        order, factors = steps["jitter"].plan(draws.substream(draw, draws.stream_of("jitter")))  # type: ignore[union-attr]
        for copy in range(2):
            names = ("brightness", "contrast", "saturation", "hue")
            told = [line for line in sample.cells[copy].lines if line.startswith(names)]
            if factors[copy].tolist() == [1, 1, 1, 0]:
                assert told == []
                continue
            assert [line.split()[0] for line in told] == [names[c] for c in order[copy].tolist()]
            for line, change in zip(told, order[copy].tolist(), strict=True):
                assert float(line.split()[1]) == pytest.approx(factors[copy, change].item(), abs=0.005)


def test_a_crop_is_told_by_its_share_of_the_area_and_its_shape() -> None:
    assert where((0.25, 0.0, 0.75, 1.0), True, 20, 40) == ("crop 50%, ratio 1.00", "flipped")
    assert where((0.0, 0.0, 1.0, 1.0), False, 20, 40) == ("whole image",)
    assert where((0.125, -0.0625, 1.125, 0.9375), False, 32, 32) == ("moved +4, -2 px",)


def test_normalisation_is_undone_for_the_eye() -> None:
    for name in ("demo/dino", "demo/mae"):
        cell = sheet(name).samples[0].cells[0]
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        torch.testing.assert_close(cell.pixels, cell.seen * std[:, None, None] + mean[:, None, None], atol=1e-6, rtol=0)
    cell = sheet("demo/simclr").samples[0].cells[0]  # its views are never normalised
    assert torch.equal(cell.pixels, cell.seen)


def test_samples_lie_evenly_in_the_data_and_carry_their_class() -> None:
    shown, source = sheet("demo/simclr"), Shapes(images=12)
    assert [sample.index for sample in shown.samples] == [0, 4, 8]
    assert [sample.label for sample in shown.samples] == [source.classes[source.labels[i]] for i in (0, 4, 8)]
    assert sheet("demo/simclr", Photos(2)).samples[1].label == "" and len(sheet("demo/simclr", Photos(2)).samples) == 2


def test_the_same_sheet_twice_and_another_in_another_epoch() -> None:
    one, same, other = sheet("demo/byol"), sheet("demo/byol"), sheet("demo/byol", epoch=5)
    assert draw(one).tobytes() == draw(same).tobytes() != draw(other).tobytes()


def test_a_mosaic_pixel_is_a_square_of_pixels_where_views_are_small() -> None:
    picture = scaled(torch.tensor([[[0.0, 1.0]], [[0.0, 0.0]], [[0.0, 0.5]]]), 3)
    assert (
        picture.size == (6, 3) and picture.getpixel((2, 2)) == (0, 0, 0) and picture.getpixel((3, 0)) == (255, 0, 128)
    )


def test_views_writes_a_picture_of_a_folder(sslgraph: Command, tmp_path: Path) -> None:
    for i in range(3):
        Image.effect_noise((40 + 5 * i, 50), 60).convert("RGB").save(tmp_path / f"{i}.png")
    said = sslgraph("views", "dino", "--data", str(tmp_path), "-o", str(tmp_path / "out.png"), "--images", "2")
    assert said.code == 0 and re.search(r"out\.png: DINO: the views of 2 images of .*, seed 0, epoch 0", said.out)
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.width > 500 and len(picture.convert("L").getcolors() or ()) > 20
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("simclrr",), "there is no recipe or method 'simclrr'"),
        (("simclr", "-o", "sheet.bmp"), "a sheet is written as .png or .html;"),
        (("simclr", "--data", "nowhere"), "nowhere does not exist; give the folder of the images"),
        (("simclr", "--data", "."), "has no images; it is empty"),
        (("simclr", "--images", "0"), "ask for 1 or more"),
        (("simclr", "-o", "gone/sheet.png"), "gone/sheet.png can't be written: no such file or directory"),
        (("simclr", "--set", "views.x.sise=3"), "did you mean 'size'?"),
    ],
)
def test_what_can_not_be_shown_is_said_in_one_message(
    sslgraph: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = sslgraph("views", *words)
    assert (said.code, said.out) == (1, "") and message in said.err
    assert list(tmp_path.iterdir()) == []


def test_views_writes_a_page_whose_pictures_have_words(sslgraph: Command, tmp_path: Path) -> None:
    said = sslgraph("views", "demo/mae", "-o", str(tmp_path / "out.html"), "--images", "1", "--epoch", "3")
    text = (tmp_path / "out.html").read_text()
    assert said.code == 0 and text.startswith("<!doctype html>") and text.count('<img src="data:image/') == 3
    assert "MAE: the views of 1 images of sources.patterns, seed 0, epoch 3" in text
    assert 'alt="m.hidden of image 0, ' in text and "75% hidden" in text


def test_a_folder_that_may_not_be_written_leaves_nothing(sslgraph: Command, tmp_path: Path) -> None:
    (tmp_path / "sheet.png").mkdir()
    said = sslgraph("views", "demo/mae", "-o", str(tmp_path / "sheet.png"), "--images", "1")
    assert said.code == 1 and "can't be written: is a directory" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def test_a_sheet_needs_an_image() -> None:
    loaded, _ = check.load("demo/simclr", {})
    with pytest.raises(SslgraphError, match="ask for 1 or more"):
        contact_sheet(loaded, Shapes(images=2), data="here", count=0)
