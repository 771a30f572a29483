"""Arrow files as save_to_disk of the datasets library writes them: with splits and without, and what lies beside."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from tars import png

from sslgraph.components.sources.parquet import Parquet
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import source_for

NAMES = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}


def saved(folder: Path, values: Sequence[int], shards: int = 1, *, is_stream: bool = True, **state: Any) -> Path:
    """A data set as that library lays it down: shards of record batches, and a state.json that names them."""
    folder.mkdir(parents=True)
    names = [f"data-{i:05}-of-{shards:05}.arrow" for i in range(shards)]
    each = len(values) // shards
    for i, name in enumerate(names):
        its = values[i * each : (i + 1) * each]
        images = pa.array([{"bytes": png(value), "path": None} for value in its])
        table = pa.table({"image": images, "label": [value % 2 for value in its]})
        table = table.replace_schema_metadata({"huggingface": json.dumps(NAMES)})
        new = pa.ipc.new_stream if is_stream else pa.ipc.new_file
        with new(str(folder / name), table.schema) as out:
            out.write_table(table, max_chunksize=3)
    about = {"_data_files": [{"filename": name} for name in names], "_split": None, **state}
    (folder / "state.json").write_text(json.dumps(about))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def values_of(source: Parquet) -> list[int]:
    return [int(image[0, 0, 0]) for image in source.read(torch.arange(len(source)))[0]]


@pytest.mark.parametrize("held_out", ["test", "validation"])
def test_splits_of_a_saved_dictionary_are_its_folders(tmp_path: Path, held_out: str) -> None:
    saved(tmp_path / "train", range(140), shards=2), saved(tmp_path / held_out, range(200, 206))
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train", held_out]}))
    assert source_for(str(tmp_path)) == "sources.parquet"
    train, test = Parquet(path=str(tmp_path)), Parquet(path=str(tmp_path), split="test")
    assert values_of(train) == list(range(140)) and values_of(test) == list(range(200, 206))
    assert train.classes == ("cat", "dog") and train.labels is not None and train.labels.tolist() == [0, 1] * 70
    named = held_out.removesuffix("idation")
    assert train.notes == (f"splits: train 140 images; {named} 6 images, held out",)


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_saved_set_without_splits_holds_a_tenth_out(tmp_path: Path, is_stream: bool) -> None:
    folder = saved(tmp_path / "set", range(20), is_stream=is_stream)
    train, test = Parquet(path=str(folder), memory=0.0), Parquet(path=str(folder), split="test")
    assert sorted(values_of(train) + values_of(test)) == list(range(20)) and len(test) == 2
    assert values_of(Parquet(path=str(folder / "data-00000-of-00001.arrow"))) == values_of(train)


def test_what_the_library_leaves_beside_a_set_is_no_part_of_it(tmp_path: Path) -> None:
    folder = saved(tmp_path / "set", range(12))
    for name in ("data-00000-of-00004.arrow", "cache-0a1b2c3d.arrow"):
        (folder / name).write_bytes((folder / "data-00000-of-00001.arrow").read_bytes())
    source = Parquet(path=str(folder))
    assert len(source) == 11  # one of twelve is held out
    said = "2 .arrow files: left there by the datasets library, no part of the set, such as cache-0a1b2c3d.arrow"
    assert said in source.notes


def test_rows_chosen_by_an_index_a_cut_file_and_a_packed_one_are_refused(tmp_path: Path) -> None:
    chosen = saved(tmp_path / "chosen", range(4), _indices_data_files=[{"filename": "indices.arrow"}])
    with pytest.raises(SslgraphError, match=r"chosen holds rows that an index chooses from; save it with flatten_ind"):
        Parquet(path=str(chosen))
    file = saved(tmp_path / "cut", range(12)) / "data-00000-of-00001.arrow"
    file.write_bytes(file.read_bytes()[:600])
    with pytest.raises(SslgraphError, match=r"data-00000-of-00001\.arrow can't be read as an Arrow file: "):
        Parquet(path=str(tmp_path / "cut"))
    file.write_bytes(b"")
    with pytest.raises(SslgraphError, match="can't be read as an Arrow file: an empty file"):
        Parquet(path=str(tmp_path / "cut"))
    good = saved(tmp_path / "good", range(12))
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        packed.write(good / "data-00000-of-00001.arrow", "data.arrow")
    with pytest.raises(SslgraphError, match=r"set\.zip, data\.arrow: an Arrow file is mapped .* of this machine"):
        Parquet(path=str(tmp_path / "set.zip"))
