"""Images with label maps: both layouts of folders, numbers that are no class, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sslgraph.components.sources.label_maps import LabelMaps
from sslgraph.errors import SslgraphError

MAP = np.array([[0, 2, 11], [1, 1, 255]], dtype=np.uint8)


def put(folder: Path, image: str, map_: str, numbers: np.ndarray | Image.Image = MAP) -> None:
    for name in (image, map_):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (3, 2), (9, 8, 7)).save(folder / image)
    (numbers if isinstance(numbers, Image.Image) else Image.fromarray(numbers)).save(folder / map_)


@pytest.mark.parametrize(
    ("image", "map_"),
    [("{}/images/a.jpg", "{}/labels/a.png"), ("images/{}/deep/a.png", "Masks/{}/deep/a.png")],
)
def test_a_map_lies_where_its_image_does_in_a_folder_of_maps(tmp_path: Path, image: str, map_: str) -> None:
    for split in ("train", "val"):
        put(tmp_path, image.format(split), map_.format(split))
    (tmp_path / "classes.txt").write_text("sky\nroad\ncar\n")
    train = LabelMaps(path=str(tmp_path), ignore=[11, 255])
    test = LabelMaps(path=str(tmp_path), ignore=[255], split="test")
    assert (len(train), len(test), train.classes) == (1, 1, ("sky", "road", "car"))
    picture, classes = train.pair(0)
    assert picture.shape == (3, 2, 3) and classes.tolist() == [[0, 2, -1], [1, 1, -1]]
    assert test.pair(0)[1].tolist() == [[0, 2, 11], [1, 1, -1]]
    assert torch.equal(train.read(torch.tensor([0]))[0][0], picture)


def test_numbers_of_a_palette_count_and_images_without_a_map_are_told(tmp_path: Path) -> None:
    palette = Image.fromarray(MAP, mode="L").convert("P")
    palette.putdata(MAP.flatten().tolist())
    for i in range(10):
        put(tmp_path, f"images/{i}.png", f"annotations/{i}.png", palette)
    Image.new("RGB", (3, 2)).save(tmp_path / "images" / "lonely.png")
    source = LabelMaps(path=str(tmp_path))
    assert len(source) == 9 and source.pair(0)[1].tolist() == [[0, 2, 11], [1, 1, -1]]
    assert "1 image: without a label map, such as images/lonely.png" in source.notes


def test_what_is_no_map_of_its_image_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "train/images/a.png", "train/labels/b.png")
    with pytest.raises(
        SslgraphError, match=r"it holds 1 images in folders images, 1 maps .* no two of one name; images"
    ):
        LabelMaps(path=str(tmp_path))
    put(tmp_path, "train/images/a.png", "train/labels/a.png", Image.new("RGB", (3, 2)))
    with pytest.raises(SslgraphError, match=r"a.png has colours \(RGB\), and a map holds the number of a class"):
        LabelMaps(path=str(tmp_path / "train")).pair(0)
    put(tmp_path, "train/images/a.png", "train/labels/a.png", MAP.T.copy())
    with pytest.raises(SslgraphError, match=r"a\.png has 2 x 3 pixels, and its image 3 x 2: both need one size"):
        LabelMaps(path=str(tmp_path / "train")).pair(0)
    (tmp_path / "train/labels/a.png").write_bytes(b"no picture")
    with pytest.raises(SslgraphError, match=r"the label map .*a.png can't be read: cannot identify"):
        LabelMaps(path=str(tmp_path / "train")).pair(0)


def test_images_of_more_than_bytes_are_scaled_by_the_range_that_is_said(tmp_path: Path) -> None:
    put(tmp_path, "train/images/a.png", "train/labels/a.png")
    Image.fromarray(np.array([[0, 2047, 4095]] * 2, dtype=np.uint16)).save(tmp_path / "train/images/a.png")
    with pytest.raises(SslgraphError, match=r"set data\.range: \[0, 4095\]"):
        LabelMaps(path=str(tmp_path)).pair(0)
    for wanted in ([0.0, 4095.0], "auto"):
        picture, classes = LabelMaps(path=str(tmp_path), range=wanted).pair(0)  # type: ignore[arg-type]
        assert picture[0].tolist() == [[0, 127, 255]] * 2 and classes.shape == (2, 3)
