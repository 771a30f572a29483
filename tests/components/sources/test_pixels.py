"""Pixels that are more than bytes become a ramp from black to white by a range, and are refused without one."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image
from tiff_file import tiff

from sslgraph.components.sources.decode.decoding import decode
from sslgraph.components.sources.decode.pixels import Scaling
from sslgraph.components.sources.decode.tiff import numbers_in
from sslgraph.components.sources.image_folder import ImageFolder
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.feed.inspection import inspect

RAMP: NDArray[Any] = np.tile(np.arange(60) * 255 // 59, (40, 1))
TWELVE = (RAMP * 16).astype(np.uint16)
KINDS: dict[str, NDArray[Any]] = {
    "12.png": TWELVE,
    "12.tif": TWELVE,
    "fractions.tif": (RAMP / 255).astype(np.float32),
    "hounsfield.tif": (RAMP * 16 - 1024).astype(np.float32),
    "32.tif": RAMP.astype(np.int32),
}


def written(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    Image.fromarray(KINDS[name]).save(folder / name)
    return folder / name


def line(source: ImageFolder, index: int = 0) -> list[int]:
    images, _ = source.read(torch.tensor([index]))
    return images[0][0, 0, [0, 30, 59]].tolist()


@pytest.mark.parametrize("name", KINDS)
def test_a_range_is_asked_for_and_gives_a_ramp_stated_or_found(tmp_path: Path, name: str) -> None:
    path = str(written(tmp_path, name))
    with pytest.raises(SslgraphError, match=r"nothing says\n  which are black and white: set data\.range: \[.*auto"):
        line(ImageFolder(path=path))
    low, high = (0, 4080) if name.startswith("12") else (float(KINDS[name].min()), float(KINDS[name].max()))
    for range_ in ([low, high], "auto"):
        assert line(ImageFolder(path=path, range=range_)) == [0, 129, 255]  # type: ignore[arg-type]


def test_sixteen_bits_that_are_used_and_black_images_need_no_range(tmp_path: Path) -> None:
    Image.fromarray((RAMP * 257).astype(np.uint16)).save(tmp_path / "a.png")
    Image.fromarray((RAMP * 4).astype(np.uint16)).save(tmp_path / "b.png")  # dark, of a set with bright ones
    Image.fromarray((RAMP * 250).astype(np.uint16)).save(tmp_path / "c.png")
    Image.fromarray((RAMP * 240).astype(np.uint16)).save(tmp_path / "d.png")
    source = ImageFolder(path=str(tmp_path))
    assert line(source) == [0, 129, 255] and line(source, 1) == [0, 2, 4]
    black = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), dtype=np.uint16)).save(black, "PNG")
    assert not decode(black.getvalue()).any()


def test_kinds_in_one_folder_each_have_their_range_and_bytes_stay(tmp_path: Path) -> None:
    for name in KINDS:
        if name != "hounsfield.tif":
            written(tmp_path, name)
    Image.fromarray((RAMP * 257).astype(np.uint16)).save(tmp_path / "16.png")
    Image.fromarray(RAMP.astype(np.uint8)).save(tmp_path / "8.png")
    source = ImageFolder(path=str(tmp_path), range="auto")
    assert [line(source, i) for i in range(6)] == [[0, 129, 255]] * 6


def test_both_splits_and_every_part_are_scaled_alike(tmp_path: Path) -> None:
    for split, scale in (("train", 10), ("test", 16)):
        for i in range(4):
            (tmp_path / split).mkdir(exist_ok=True)
            Image.fromarray((RAMP * scale).astype(np.uint16)).save(tmp_path / split / f"{i}.png")
    train, test = (ImageFolder(path=str(tmp_path), split=s, range="auto", limit=2) for s in ("train", "test"))
    assert line(test) == [0, 129, 255] and line(train) == [0, 81, 159]


@pytest.mark.parametrize("wrong", [[4095, 0], [1], [1, 1]])
def test_a_range_that_is_none_is_refused(tmp_path: Path, wrong: list[float]) -> None:
    with pytest.raises(SslgraphError, match=r"is no range; write \[black, white\], such as \[0, 4095\], or auto"):
        ImageFolder(path=str(written(tmp_path, "12.png")), range=wrong)


def test_data_says_that_a_range_is_missing_and_takes_one(tmp_path: Path) -> None:
    path = str(written(tmp_path / "set", "12.png").parent)
    with pytest.raises(SslgraphError, match=r"black and white: set data\.range: \[0, 4095\], or data\.range: auto"):
        inspect(path)
    assert "brightness 0 to 255 of 255" in inspect(path, {"range": "auto"})


@pytest.mark.parametrize("form", ["RGBA", "LA", "P", "WEBP", "GIF"])
def test_transparent_pixels_lie_on_white(form: str) -> None:
    image = Image.new("RGBA", (8, 8), (200, 0, 0, 255))
    image.paste((0, 90, 0, 0), (0, 0, 4, 8))
    out = io.BytesIO()
    if form in ("WEBP", "GIF"):
        image.save(out, form, **({"lossless": True, "exact": True} if form == "WEBP" else {}))
    else:
        image.convert(form).save(out, "PNG")
    decoded = decode(out.getvalue())
    assert decoded[:, 0, 0].tolist() == [255] * 3 and decoded[1, 0, 7] < 100


def test_half_transparent_pixels_are_mixed() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (2, 2), (0, 100, 200, 51)).save(out, "PNG")
    assert decode(out.getvalue())[:, 0, 0].tolist() == [204, 224, 244]


FORMS: list[dict[str, Any]] = [
    {}, {"order": ">"}, {"rows": 7}, {"planar": 2, "rows": 16}, {"tile": 16}, {"how": 8}, {"how": 8, "predictor": 2},
    {"tile": 16, "planar": 2, "how": 8},
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16", "float32"])
def test_a_tiff_of_many_channels_is_read_as_it_was_written(form: dict[str, Any], kind: str) -> None:
    if form.get("predictor") == 2 and kind == "float32":
        return
    always = np.random.default_rng(0)
    array = always.integers(0, 120, (20, 37, 5)).astype(kind)
    data = tiff(array, **form)
    assert np.array_equal(numbers_in(data), array)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "raw"])
def test_pillows_files_are_read_alike(compression: str) -> None:
    always = np.random.default_rng(0)
    array = (always.integers(0, 60, (70, 90)) ** 2).astype(np.uint16)
    out = io.BytesIO()
    Image.fromarray(array).save(out, "TIFF", compression=None if compression == "raw" else compression)
    assert np.array_equal(numbers_in(out.getvalue())[:, :, 0], array)


@pytest.mark.parametrize(
    "form", [{"bigtiff": True}, {"compression": "zstd"}, {"compression": "lzw", "predictor": True}]
)
def test_a_tiff_of_many_channels_may_be_large_or_packed_as_satellites_are(form: dict[str, Any]) -> None:
    array, out = np.random.default_rng(0).integers(0, 2**16, (20, 37, 5)).astype(np.uint16), io.BytesIO()
    tifffile.imwrite(out, array, photometric="minisblack", planarconfig="contig", **form)
    assert np.array_equal(numbers_in(out.getvalue()), array)


def test_five_channels_need_names_and_damaged_files_are_told() -> None:
    array = np.stack([RAMP.astype(np.uint8) // (i + 1) for i in range(5)], 2)
    with pytest.raises(
        ValueError, match=r"it has 5 channels; name those to take: data\.channels: \[0, 1, 2, 3, 4\] for all, or three"
    ):
        decode(tiff(array))
    taken = decode(tiff(array), scaling=Scaling(None, channels=[4, 1, 0]))
    assert taken[:, 0, 59].tolist() == [51, 127, 255]
    with pytest.raises(ValueError, match=r"it has 5 channels, counted from 0, and data\.channels asks for 7"):
        decode(tiff(array), scaling=Scaling(None, channels=[7, 1, 0]))
    for length in (9, 100, 400, 5000):
        with pytest.raises(ValueError):
            decode(tiff(array)[:length])
    with pytest.raises(ValueError, match=r"it has 2 channels; name those to take: data\.channels: \[0, 1\] for all$"):
        decode(tiff(array[:, :, :2]))
    for names in ([1], list(range(17)), [0, -1]):
        with pytest.raises(SslgraphError, match="name 2 to 16 of them, counted from 0"):
            Scaling(None, channels=names)


def test_a_whole_tiff_that_is_not_read_is_not_called_damaged() -> None:
    array = np.zeros((4, 5, 5), np.uint16)
    with pytest.raises(ValueError, match=r"^its compression 34676 is not known: save it with deflate$"):
        decode(tiff(array, how=34676))
    data, width = tiff(array), struct.pack("<HHII", 256, 4, 1, 5)
    assert width in data
    with pytest.raises(ValueError, match=r"^it claims 20,000,000,000 samples, which is too many$"):
        decode(data.replace(width, struct.pack("<HHII", 256, 4, 1, 10**9)))
    with pytest.raises(ValueError, match=r"^a damaged TIFF file"):
        decode(data[:9])


def test_pages_of_a_tiff_are_channels_where_channels_are_named(tmp_path: Path) -> None:
    stains = [Image.fromarray((RAMP * factor).astype(np.uint16)) for factor in (16, 8, 4)]
    stains[0].save(tmp_path / "cell.tif", save_all=True, append_images=stains[1:], compression="tiff_lzw")
    source = ImageFolder(path=str(tmp_path), channels=[2, 0], range=[0, 4080])
    assert source.read(torch.tensor([0]))[0][0][:, 0, 59].tolist() == [64, 255]
    with pytest.raises(SslgraphError, match=r"it has 3 channels, counted from 0, and data\.channels asks for 3"):
        ImageFolder(path=str(tmp_path), channels=[0, 3], range=[0, 4080]).read(torch.tensor([0]))
    stains[0].save(tmp_path / "cell.tif", save_all=True, append_images=[stains[1].crop((0, 0, 9, 9))])
    with pytest.raises(SslgraphError, match="its pages differ in size or kind"):
        ImageFolder(path=str(tmp_path), channels=[0, 1], range=[0, 4080]).read(torch.tensor([0]))


def test_sixteen_bit_colours_keep_their_lower_bits() -> None:
    array = np.repeat(TWELVE[:, :, None], 3, axis=2)
    decoded = decode(tiff(array), scaling=Scaling([0, 4080]))
    assert decoded[:, 0, [0, 30, 59]].tolist() == [[0, 129, 255]] * 3


def test_a_pgm_file_says_its_own_white() -> None:
    body = (RAMP * 16).astype(">u2").tobytes()
    assert decode(b"P5 60 40 4080\n" + body)[0, 0, [0, 59]].tolist() == [0, 255]
