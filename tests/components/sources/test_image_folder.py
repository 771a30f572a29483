"""Folders as people have them: flat, nested, split, with broken files, odd colour modes and links."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sslgraph.components.sources.albums.album import Album
from sslgraph.components.sources.decode.decoding import decode
from sslgraph.components.sources.image_folder import ImageFolder
from sslgraph.errors import SslgraphError

RED = (250, 10, 20)


def save(path: Path, colour: tuple[int, int, int] = RED, size: tuple[int, int] = (6, 4)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_a_flat_folder_has_no_labels_and_holds_out_a_tenth(tmp_path: Path) -> None:
    for i in range(20):
        save(tmp_path / f"{i:02}.png")
    train, test = ImageFolder(path=str(tmp_path)), ImageFolder(path=str(tmp_path), split="test")
    assert train.labels is None and train.classes == ()
    assert len(train) == 18 and [Path(file).stem for file in test.files] == ["00", "12"]


def test_labels_are_the_first_folders_even_if_images_lie_deeper(tmp_path: Path) -> None:
    for name in ("train/cat/a.png", "train/cat/deep/b.png", "train/dog/c.png", "train/loose.png", "val/dog/d.png"):
        save(tmp_path / name)
    train, test = ImageFolder(path=str(tmp_path)), ImageFolder(path=str(tmp_path), split="test")
    assert train.classes == ("cat", "dog") and train.labels is not None and train.labels.tolist() == [0, 0, 1, -1]
    assert [Path(file).name for file in test.files] == ["d.png"]


def test_a_class_that_only_the_test_split_lacks_keeps_its_number(tmp_path: Path) -> None:
    for name in ("train/cat/a.png", "train/dog/c.png", "test/dog/d.png"):
        save(tmp_path / name)
    test = ImageFolder(path=str(tmp_path), split="test")
    assert test.classes == ("cat", "dog") and test.labels is not None and test.labels.tolist() == [1]


def test_images_of_one_size_are_held_and_others_are_a_list(tmp_path: Path) -> None:
    save(tmp_path / "a.png"), save(tmp_path / "b.png", (0, 0, 255))
    source = ImageFolder(path=str(tmp_path))
    pixels, _ = source.read(torch.tensor([1, 0]))
    assert source.size == (4, 6) and pixels[:, :, 0, 0].tolist() == [[0, 0, 255], list(RED)]
    save(tmp_path / "c.png", size=(3, 3))
    images, _ = ImageFolder(path=str(tmp_path)).read(torch.arange(3))
    assert [tuple(image.shape) for image in images] == [(3, 4, 6), (3, 4, 6), (3, 3, 3)]


@pytest.mark.parametrize("memory", [0.0, 4.0])
def test_a_broken_file_is_replaced_by_the_next_and_named(tmp_path: Path, memory: float) -> None:
    save(tmp_path / "a.png", (1, 2, 3)), save(tmp_path / "c.png", (7, 8, 9))
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    (tmp_path / "d.jpg").write_text("a page that says 404")
    source = ImageFolder(path=str(tmp_path), memory=memory)
    pixels, really = source.read(torch.arange(4))
    assert really.tolist() == [0, 2, 2, 0] and [int(p[0, 0, 0]) for p in pixels] == [1, 7, 7, 1]
    assert sorted(source.broken) == [1, 3] and "d.jpg: not an image" in source.broken[3]


def test_a_folder_of_broken_files_is_refused_with_an_example(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(SslgraphError, match=r"none of the 1 images can be read, for example .*a.png: an empty file"):
        ImageFolder(path=str(tmp_path)).read(torch.tensor([0]))


def test_other_files_are_counted_and_named(tmp_path: Path) -> None:
    save(tmp_path / "a.png"), (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "b.RAW").write_bytes(b"")
    notes = ImageFolder(path=str(tmp_path)).notes
    assert "1 .raw file: not an image that is read, such as b.RAW" in notes
    assert "1 .txt file: not an image that is read, such as notes.txt" in notes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        ([], "has no images; it is empty"),
        (["notes.txt"], "it holds 1 other file, such as notes.txt"),
    ],
)
def test_folders_without_images_are_refused(tmp_path: Path, content: list[str] | None, message: str) -> None:
    folder = tmp_path / "data"
    if content is not None:
        folder.mkdir()
        for name in content:
            (folder / name).write_text("x")
    with pytest.raises(SslgraphError, match=message):
        ImageFolder(path=str(folder))


def test_a_limit_keeps_as_many_of_each_class_in_order_and_must_leave_some(tmp_path: Path) -> None:
    for i in range(24):
        save(tmp_path / "train" / f"c{i // 6}" / f"{i:02}.png")
    save(tmp_path / "val" / "c0" / "x.png")
    few, more = (ImageFolder(path=str(tmp_path), limit=limit) for limit in (4, 8))
    assert few.labels is not None and few.labels.tolist() == [0, 1, 2, 3] and few.whole == (24, 4)
    assert more.labels is not None and more.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert set(few.files) < set(more.files) and more.files == sorted(more.files)
    with pytest.raises(SslgraphError, match="limit: 0 leaves no images"):
        ImageFolder(path=str(tmp_path), limit=0)


def test_too_few_images_to_hold_some_out_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    with pytest.raises(SslgraphError, match="has 1 image and no test split; 10 are needed"):
        ImageFolder(path=str(tmp_path), split="test")


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_followed(tmp_path: Path) -> None:
    inside = tmp_path / "data"
    save(inside / "a.png"), (inside / "b.png").symlink_to(inside / "a.png")
    assert len(ImageFolder(path=str(inside))) == 2
    (inside / "c.png").symlink_to(save(tmp_path / "secret.png"))
    with pytest.raises(SslgraphError, match=r"is a link to .*secret.png, outside the folder"):
        ImageFolder(path=str(inside))


# Every mode that the format knows.
MODES = {"PNG": "L LA P 1 RGBA RGB", "JPEG": "L CMYK RGB", "TIFF": "L LA P 1 RGBA CMYK RGB", "WEBP": "RGBA RGB"}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes.split()])
def test_every_colour_mode_becomes_rgb(kind: str, mode: str) -> None:
    image = Image.new("RGB", (8, 6), (255, 255, 255)).convert(mode)
    decoded = decode(encoded(image, kind))
    assert decoded.dtype == torch.uint8 and decoded.shape == (3, 6, 8) and decoded.float().mean() > 250


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(kind: str) -> None:
    image = Image.fromarray(np.full((4, 5), 257 * 100, dtype=np.uint16))
    assert decode(encoded(image, kind)).unique().tolist() == [100]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_rotation_tag_is_obeyed(kind: str) -> None:
    tag = Image.Exif()
    tag[0x0112] = 6
    assert decode(encoded(Image.new("RGB", (8, 6)), kind, exif=tag)).shape == (3, 8, 6)


def test_the_first_picture_of_an_animation_is_taken() -> None:
    first, second = Image.new("RGB", (4, 4), RED), Image.new("RGB", (4, 4))
    assert decode(encoded(first, "GIF", save_all=True, append_images=[second]))[:, 0, 0].tolist() == list(RED)


def test_pictures_that_do_not_fit_in_memory_are_read_each_time() -> None:
    class Numbered(Album):
        def load(self, index: int) -> torch.Tensor:
            return torch.full((3, 1024, 1024), index, dtype=torch.uint8)

        def name(self, index: int) -> str:
            return str(index)

    album = Numbered(memory=10 * 2**20 / 2**30)
    album.choose(None, None, 4, where="x")
    assert album.size is None and [int(p[0, 0, 0]) for p in album.read(torch.tensor([2, 1]))[0]] == [2, 1]


def photograph(height: int, width: int, **options: object) -> bytes:
    small = torch.rand(1, 3, 30, 40, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.interpolate(small, (height, width), mode="bicubic").clamp(0, 1)[0]
    return encoded(Image.fromarray((smooth * 255).byte().permute(1, 2, 0).numpy()), "JPEG", quality=95, **options)


@pytest.mark.parametrize(
    ("at_least", "shape"), [(None, (600, 800)), (301, (600, 800)), (300, (300, 400)), (149, (150, 200)), (1, (75, 100))]
)
def test_a_large_jpeg_keeps_a_half_a_quarter_or_an_eighth_of_its_size(
    at_least: int | None, shape: tuple[int, int]
) -> None:
    data = photograph(600, 800)
    small, whole = decode(data, at_least), decode(data)
    assert small.shape == (3, *shape)
    averaged = torch.nn.functional.adaptive_avg_pool2d(whole.float(), shape)
    assert (small.float() - averaged).abs().mean() < 1.5
    assert decode(photograph(800, 600, exif=rotated()), at_least).shape == (3, *shape)


def rotated() -> Image.Exif:
    tag = Image.Exif()
    tag[0x0112] = 6
    return tag


def test_a_small_jpeg_and_other_forms_are_decoded_as_ever() -> None:
    small, png = photograph(60, 80), encoded(Image.new("RGB", (80, 60), RED), "PNG")
    assert torch.equal(decode(small, 31), decode(small)) and torch.equal(decode(png, 8), decode(png))


def test_a_large_jpeg_that_is_cut_short_is_broken_at_any_size(tmp_path: Path) -> None:
    (
        (tmp_path / "a.jpg").write_bytes(photograph(600, 800)),
        (tmp_path / "b.jpg").write_bytes(photograph(600, 800)[:4000]),
    )
    source = ImageFolder(path=str(tmp_path), at_least=150)
    assert source.read(torch.arange(2))[1].tolist() == [0, 0] and list(source.broken) == [1]
