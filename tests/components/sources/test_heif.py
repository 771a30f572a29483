"""HEIC photographs are images like others where the extra is installed, and are named with the cure where it is not."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sslgraph.components.sources.decode.decoding import decode, is_image
from sslgraph.components.sources.image_folder import ImageFolder

WITHOUT = """
import sys
sys.modules["pillow_heif"] = None  # as if it were not installed
from sslgraph.components.sources.image_folder import ImageFolder
print(*ImageFolder(path=sys.argv[1]).notes, sep="\\n")
"""


def photograph() -> Image.Image:
    """Smooth colours, which a lossy code keeps; 48 x 32, the left half darker than the right."""
    across, down = np.meshgrid(np.linspace(40, 220, 48), np.linspace(60, 160, 32))
    return Image.fromarray(np.stack([across, down, 0 * across + 90], 2).astype(np.uint8))


def written(exif: Image.Exif | None = None) -> bytes:
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    heif.register_heif_opener()
    file = io.BytesIO()
    photograph().save(file, format="HEIF", quality=95, **({} if exif is None else {"exif": exif.tobytes()}))
    return file.getvalue()


def test_a_heic_file_is_read_as_it_was_taken(tmp_path: Path) -> None:
    (tmp_path / "IMG_1.HEIC").write_bytes(written())
    source = ImageFolder(path=str(tmp_path))
    (image,), _ = source.read(torch.tensor([0]))
    truth = torch.from_numpy(np.array(photograph())).permute(2, 0, 1)
    assert image.shape == (3, 32, 48) and (image.int() - truth.int()).abs().float().mean() < 3
    assert is_image(written()) and not any(".heic" in note for note in source.notes)


def test_it_comes_upright() -> None:
    exif = Image.Exif()
    exif[274] = 6  # lies on its side: to be turned a quarter clockwise
    turned = decode(written(exif))
    assert turned.shape == (3, 48, 32)
    assert turned[0, :8].float().mean() < 80 < 180 < turned[0, -8:].float().mean()  # its left is its top now


def test_a_damaged_one_is_told_by_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"\w"):
        decode(written()[:200])


def test_without_the_extra_it_is_counted_with_the_cure(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "b.HEIC").write_bytes(b"")
    root = Path(__file__).parents[3]
    words = [sys.executable, "-c", WITHOUT, str(tmp_path)]
    told = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True, timeout=300).stdout
    assert "1 .heic file: read with the extra heic alone (pip install 'sslgraph[heic]'), such as b.HEIC" in told
