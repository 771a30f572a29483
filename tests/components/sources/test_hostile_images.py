"""Files that are images, nearly images, or made to harm: read as they look, or named as broken; never a crash."""

from __future__ import annotations

import importlib
import io
import struct
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from sslgraph.components.sources.decode import decoding
from sslgraph.components.sources.decode.decoding import MOST_PIXELS, decode
from sslgraph.components.sources.decode.pixels import Scaling
from sslgraph.components.sources.image_folder import ImageFolder
from sslgraph.errors import SslgraphError

KINDS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(height: int, width: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def png_that_claims(width: int, height: int) -> bytes:
    """A head, one short row of pixels and an end: some eighty bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_one_pixel_is_an_image(kind: str) -> None:
    picture = decode(encoded(Image.new("RGB", (1, 1), (250, 10, 20)), kind))
    assert picture.shape == (3, 1, 1) and picture[0, 0, 0] > 200


@pytest.mark.parametrize("kind", KINDS)
def test_twenty_thousand_pixels_in_a_row_are_an_image(kind: str) -> None:
    if kind == "WEBP":
        pytest.skip("WebP ends at 16,383 pixels a side")
    assert decode(encoded(Image.new("RGB", (20_000, 3)), kind)).shape == (3, 3, 20_000)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "I", "F"])
def test_every_mode_of_pillow_becomes_three_bytes_a_pixel(mode: str) -> None:
    kind = {"CMYK": "TIFF", "F": "TIFF", "I": "TIFF"}.get(mode, "PNG")
    image = Image.new("I;16", (5, 4)) if mode == "I;16" else noise(4, 5).convert(mode)
    picture = decode(encoded(image, kind), scaling=Scaling("auto"))
    assert picture.shape == (3, 4, 5) and picture.dtype == torch.uint8


@pytest.mark.parametrize("claim", [(20_000, 20_000), (2**31 - 1, 2**31 - 1), (100_000, 100_000)])
def test_a_file_of_eighty_bytes_that_claims_gigabytes_is_refused_unread(claim: tuple[int, int]) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match="million pixels, and 178 million are the most"):
        decode(png_that_claims(*claim))
    assert time.process_time() - start < 0.5


def test_a_jpeg_a_gif_and_a_webp_say_how_large_they_are_too() -> None:
    jpeg = bytearray(encoded(noise(8, 8), "JPEG"))
    at = next(i for i in range(len(jpeg)) if jpeg[i : i + 2] == b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 65_000, 65_000)
    gif = bytearray(encoded(noise(8, 8), "GIF"))
    gif[6:10] = struct.pack("<HH", 65_000, 65_000)
    for data in (jpeg, gif):
        with pytest.raises(ValueError, match="million are the most"):
            decode(bytes(data))
    assert MOST_PIXELS < 16_383**2  # so that WebP can lie as well
    webp = bytearray(encoded(noise(8, 8), "WEBP", lossless=True))
    bits = (16_382) | (16_382 << 14)
    at = webp.index(b"VP8L") + 9
    webp[at : at + 4] = struct.pack("<I", bits | (struct.unpack("<I", webp[at : at + 4])[0] & 0xF0000000))
    with pytest.raises(ValueError, match="million are the most"):
        decode(bytes(webp))


@pytest.mark.parametrize("is_international", [False, True])
def test_a_png_with_megabytes_of_packed_text_is_an_image(is_international: bool) -> None:
    text = PngImagePlugin.PngInfo()
    (text.add_itxt if is_international else text.add_text)("workflow", "x" * 2_000_000, zip=True)
    image = noise(8, 9)
    assert np.array_equal(decode(encoded(image, "PNG", pnginfo=text)).permute(1, 2, 0), np.asarray(image))


def jpeg_with(marker: int, content: bytes, image: Image.Image) -> bytes:
    jpeg = encoded(image, "JPEG")
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content + jpeg[2:]


CUT_SHORT = [(0xE0, b"JFIF\0"), (0xEE, b"Adobe"), (0xE2, b"ICC_PROFILE\0")]


@pytest.mark.parametrize(("marker", "content"), CUT_SHORT)
def test_a_jpeg_whose_segment_is_cut_short_is_the_image_that_it_is_without_it(marker: int, content: bytes) -> None:
    image = noise(8, 9)
    hurt = jpeg_with(marker, content, image)
    assert torch.equal(decode(hurt), decode(encoded(image, "JPEG")))
    with pytest.raises(ValueError, match=r"^a damaged JPEG file$"):
        decode(hurt[: hurt.index(b"\xff\xda")])
    at = hurt.index(b"\xff\xc0")
    with pytest.raises(ValueError, match="it claims 4225 million pixels, and 178 million are the most"):
        decode(hurt[: at + 5] + struct.pack(">HH", 65_000, 65_000) + hurt[at + 9 :])


def test_a_broken_list_of_pictures_in_a_jpeg_is_passed_over_in_silence() -> None:
    image = noise(8, 9)
    hurt = jpeg_with(0xE2, b"MPF\0II*\0\x08\0\0\0" + b"\x07" * 12, image)
    with warnings.catch_warnings(record=True) as told:
        importlib.reload(decoding)  # pytest puts the warnings on that the module puts off
        assert torch.equal(decoding.decode(hurt), decode(encoded(image, "JPEG")))
    assert told == []


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of damaged heads
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(KINDS), st.floats(0, 1), st.binary(max_size=4))
def test_a_file_cut_short_or_overwritten_anywhere_is_a_picture_or_a_reason(
    kind: str, where: float, junk: bytes
) -> None:
    data = encoded(noise(16, 16), kind)
    at = int(where * len(data))
    for hurt in (data[:at], data[:at] + junk + data[at + len(junk) :], junk):
        try:
            picture = decode(hurt)
        except (ValueError, OSError) as reason:
            assert str(reason)
        else:
            assert picture.dtype == torch.uint8 and picture.shape[0] == 3


def test_names_with_spaces_and_letters_of_all_scripts_are_read_and_hurt_files_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "мои фото ☕ #1" / "train set"
    folder.mkdir(parents=True)
    for name in ("a b.png", "ümlaut.png", "図.png", "'quoted\".png", "new\nline.png"):
        noise(4, 4).save(folder / name)
    (folder / "empty.png").write_bytes(b"")
    (folder / "bomb.png").write_bytes(png_that_claims(30_000, 30_000))
    source = ImageFolder(path=str(tmp_path / "мои фото ☕ #1"))
    pictures, _ = source.read(torch.arange(len(source)))
    assert len(pictures) == len(source)
    reasons = " ".join(source.broken.values())
    assert "an empty file" in reasons and "claims 900 million pixels" in reasons and len(source.broken) == 2


def test_a_folder_link_out_of_the_folder_is_refused_unless_links_are_allowed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "data", tmp_path / "secret"
    inside.mkdir(), outside.mkdir()
    noise(4, 4).save(outside / "s.png")
    noise(4, 4).save(inside / "a.png")
    (inside / "link").symlink_to(outside, target_is_directory=True)
    with pytest.raises(SslgraphError, match=r"link is a link to .*secret, outside the folder; .* data\.links: true"):
        ImageFolder(path=str(inside))
    assert ImageFolder(path=str(inside), links=True).files == ["a.png", "link/s.png"]
    (inside / "b.png").symlink_to(outside / "s.png")
    with pytest.raises(SslgraphError, match="outside the folder"):
        ImageFolder(path=str(inside))


def test_tiff_files_of_many_channels_that_lie_are_broken_and_nothing_else() -> None:
    def entry(tag: int, kind: int, values: int, value: int) -> bytes:
        return struct.pack("<HHII", tag, kind, values, value)

    for width, height, tile, channels in ((2**31, 2**31, 16, 9), (64, 64, 0, 9), (9, 9, 9, 60_000), (2**31, 1, 1, 9)):
        fields = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16), (277, 3, 1, channels), (322, 4, 1, tile),
                  (323, 4, 1, tile), (324, 4, 1, 8), (325, 4, 1, 8)]  # fmt: skip
        for left_out in range(len(fields) + 1):
            kept = fields[:left_out] + fields[left_out + 1 :]
            data = b"II*\0" + struct.pack("<IH", 8, len(kept)) + b"".join(entry(*field) for field in kept) + bytes(4)
            with pytest.raises(ValueError):
                decode(data)
