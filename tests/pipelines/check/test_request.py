"""What a command line asks of a run: `--data` finds the source that reads what lies there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from object_storage import Storage
from tars import numbered, png, shard

from sslgraph.pipelines.check.request import request


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
