"""A zip file is a folder: splits, classes and pixels are those of its unpacked members."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch
from tars import png

from sslgraph.components.sources.image_folder import ImageFolder
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import source_for


def test_the_images_are_those_of_the_folder_that_it_would_be(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.ZIP", "w", zipfile.ZIP_DEFLATED) as out:
        for number, name in enumerate(f"{s}/{c}/é {i}.png" for s in ("train", "val") for c in "ab" for i in range(9)):
            out.writestr(f"set/{name}", png(number))
        out.writestr("__MACOSX/set/._x.png", b"")
        out.writestr("set/notes.txt", b"")
    zipfile.ZipFile(tmp_path / "set.ZIP").extractall(tmp_path / "out")
    path = str(tmp_path / "set.ZIP")
    assert source_for(path) == "sources.image_folder"
    for split in ("train", "test"):
        packed, plain = (ImageFolder(path=one, split=split) for one in (path, str(tmp_path / "out")))  # type: ignore[arg-type]
        assert packed.classes == plain.classes == ("a", "b") and packed.files == plain.files
        assert packed.labels is not None and packed.labels.tolist() == [0] * 9 + [1] * 9
        assert torch.equal(*(source.read(torch.arange(18))[0] for source in (packed, plain)))  # type: ignore[arg-type]
    assert packed.name(0) == f"{path}, set/val/a/é 0.png"
    assert "1 .txt file: not an image that is read, such as set/notes.txt" in packed.notes


def test_a_member_that_is_damaged_or_claims_too_much_is_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as out:
        for i in range(12):
            out.writestr(f"{i:02}.png", png(i))
    data = bytearray(path.read_bytes())
    at = data.find(png(3))
    data[at + 20] ^= 255
    path.write_bytes(data)
    source = ImageFolder(path=str(path), memory=0.0)
    source.read(torch.arange(len(source)))
    assert len(source.broken) == 1 and "Bad CRC-32" in next(iter(source.broken.values()))


@pytest.mark.parametrize(
    ("content", "message"), [(b"PK no", "can't be read as a zip file"), (b"", "can't be read as a zip")]
)
def test_what_is_no_zip_file_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(SslgraphError, match=message):
        ImageFolder(path=str(tmp_path / "a.zip"))


def test_packed_files_in_a_folder_are_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "train.zip").write_bytes(b"")
    with pytest.raises(
        SslgraphError, match=r"has no images; it holds 1 \.zip file: packed: unpack it, or give a \.zip"
    ):
        ImageFolder(path=str(tmp_path))
