"""What a command line asks of a run: `--data` finds the source that reads what lies there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from object_storage import Storage
from PIL import Image
from tars import numbered, png, shard

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import located, moved, request, source_for
from sslgraph.read.spec import Data


def folder_of(kind: str, root: Path) -> Path:
    (root / "deep").mkdir(parents=True)
    if kind == "tar":
        return shard(root / "deep" / "train-0.tar", numbered(0, 3)).parents[1]
    file = root / "deep" / ("0.parquet" if kind == "parquet" else "0.png")
    file.write_bytes(png(0))
    return root


@pytest.mark.parametrize(
    ("kind", "use"),
    [("tar", "sources.webdataset"), ("parquet", "sources.parquet"), ("png", "sources.image_folder")],
)
@pytest.mark.parametrize(
    ("recipe", "kept"), [("demo/simclr", {}), ("cifar10-small/simclr", {"limit": 10_000}), ("cifar10/simclr", {})]
)
def test_data_is_read_by_what_lies_there_whatever_the_recipe_reads(
    tmp_path: Path, kind: str, use: str, recipe: str, kept: dict[str, Any]
) -> None:
    path = folder_of(kind, tmp_path / "images")
    assert request(recipe, data=str(path))["overrides"] == {"data": {"use": use, **kept, "path": str(path)}}


def test_an_address_stays_as_it_is_and_is_looked_at(storage: Storage) -> None:
    folder_of("tar", storage.root / "b" / "images")
    expected = {"data": {"use": "sources.webdataset", "path": "s3://b/images"}}
    assert request("cifar10/simclr", data="s3://b/images")["overrides"] == expected
    assert request("cifar10/simclr", data="s3://b/images", is_here=False)["overrides"] == {"data.path": "s3://b/images"}


def test_data_on_another_machine_is_not_looked_at() -> None:
    assert request("cifar10/simclr", data="/gone", is_here=False)["overrides"] == {"data.path": "/gone"}
    assert request("demo/simclr", data="/gone", is_here=False)["overrides"] == {}


def test_images_that_moved_are_read_as_the_recipe_reads_its_own(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    settings = {"path": "gone", "range": [0, 4095], "links": True, "label": "x", "limit": 5}
    found = moved(Data(use="sources.parquet", settings=settings), str(tmp_path))
    kept = {"range": [0, 4095], "links": True, "path": str(tmp_path)}
    assert found == Data(use="sources.image_folder", settings=kept)
    drawn = Data(use="sources.shapes", settings={"label": "hue"})
    assert moved(drawn, str(tmp_path)) == Data(use="sources.image_folder", settings={"path": str(tmp_path)})
    assert moved(drawn, None) == drawn


def test_settings_of_the_command_line_go_to_the_data_there(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    asked = request("demo/rotation", data=str(tmp_path), overrides={"data.range": "auto", "data.limit": 5})
    wanted = {"use": "sources.image_folder", "range": "auto", "limit": 5, "path": str(tmp_path)}
    assert asked["overrides"]["data"] == wanted


@pytest.mark.parametrize("path", ["", "  "])
def test_an_empty_path_is_not_the_folder_of_the_moment(path: str) -> None:
    with pytest.raises(SslgraphError, match="the path of the images is empty; name a folder, a file or an address"):
        request("demo/simclr", data=path)


def test_an_address_of_this_machine_is_a_path(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a b.png")
    assert located((tmp_path / "a b.png").as_uri()) == str(tmp_path / "a b.png")


def test_a_device_is_no_set_of_images() -> None:
    with pytest.raises(SslgraphError, match="/dev/null is a device or a pipe; give the folder of the images"):
        source_for("/dev/null")
