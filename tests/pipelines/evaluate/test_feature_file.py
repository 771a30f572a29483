"""Features as files: each row names its image, and what was killed goes on; several processes give the same bits."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from command import Command
from command import sslgraph as sslgraph
from PIL import Image
from safetensors import safe_open
from tiny_recipe import recipe_of

import sslgraph as package
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import request
from sslgraph.pipelines.evaluate import evaluate, feature_file, sight
from sslgraph.pipelines.evaluate.feature_file import embed
from sslgraph.pipelines.launch.launch import launch
from sslgraph.pipelines.launch.spread import workers
from sslgraph.pipelines.machine.pieces import Made, Piece, here


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "tiny.yaml").write_text(recipe_of(images=150, test_images=70))
    launch(request(str(folder / "tiny.yaml"), out=str(folder / "run")))
    return folder / "run"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for i in range(20):
        (tmp_path / "photos" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 32 + i), (12 * i, 255 - 12 * i, 90)).save(
            tmp_path / "photos" / "ab"[i % 2] / f"{i:02}.png"
        )
    return tmp_path / "photos"


def again_each_time(begin: Callable[[], Callable[[Piece], Made]], pieces: Sequence[Piece], /) -> Iterator[Made]:
    """As many processes as pieces would do it: each begins by itself."""
    return (begin()(piece) for piece in pieces)


def test_a_row_has_its_file_and_the_features_that_python_gives(run: Path, photos: Path, tmp_path: Path) -> None:
    (photos / "a/04.png").write_bytes(b"broken")
    found = embed(run, tmp_path / "x.parquet", data=str(photos), split="all")
    rows = {row["file"]: row for row in pq.read_table(tmp_path / "x.parquet").to_pylist()}
    assert found == {"images": 19, "width": 32}
    assert set(rows) == {str(file) for file in photos.rglob("*.png") if file.name != "04.png"}
    assert {(Path(name).parent.name, row["label"]) for name, row in rows.items()} == {("a", 0), ("b", 1)}
    one = str(photos / "b/07.png")
    alone = package.open_run(run).embed(one).values[0]
    torch.testing.assert_close(torch.tensor(rows[one]["features"]), alone, atol=1e-5, rtol=1e-5)


def test_safetensors_have_the_same_with_the_features_of_places(run: Path, photos: Path, tmp_path: Path) -> None:
    said = [embed(run, tmp_path / f"x.{form}", data=str(photos), places=True) for form in ("parquet", "safetensors")]
    table = pq.read_table(tmp_path / "x.parquet")
    with safe_open(tmp_path / "x.safetensors", "pt") as file:
        tensors, names = {key: file.get_tensor(key) for key in file.keys()}, json.loads(file.metadata()["files"])  # noqa: SIM118
    assert said[0] == said[1] == {"images": 18, "width": 32} and names == table["file"].to_pylist()
    assert tensors["label"].tolist() == table["label"].to_pylist()
    assert tensors["features"].tolist() == table["features"].to_pylist()
    rows, columns, dim = json.loads(table.schema.metadata[feature_file.GRID])
    assert tensors["places"].shape == (18, rows, columns, dim) and rows == columns > 1
    assert tensors["places"].flatten(1).tolist() == table["places"].to_pylist()
    torch.testing.assert_close(tensors["places"].mean((1, 2)), tensors["features"])  # this encoder pools its places
    refused = pytest.raises(SslgraphError, match=r"written as \.parquet or \.safetensors; end the name with one")
    with refused:
        embed(run, tmp_path / "x.csv", data=str(photos))


def test_what_was_killed_goes_on_and_gives_the_same_file(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(run, tmp_path / "whole.parquet", split="all")
    monkeypatch.setattr(feature_file, "PIECE", 64)
    seen, said = list[object](), list[str]()

    def dying(begin: Callable[[], Callable[[Piece], Made]], pieces: Sequence[Piece], /) -> Iterator[Made]:
        for piece in pieces:
            if len(seen) == 2:
                raise KeyboardInterrupt
            seen.append(piece)
            yield begin()(piece)

    with pytest.raises(KeyboardInterrupt):
        embed(run, tmp_path / "x.parquet", split="all", spread=dying)
    assert not (tmp_path / "x.parquet").exists()
    left: list[object] = []

    def counted(begin: Callable[[], Callable[[Piece], Made]], pieces: Sequence[Piece], /) -> Iterator[Made]:
        left.extend(pieces)
        return here(begin, pieces)

    embed(run, tmp_path / "x.parquet", split="all", spread=counted, say=said.append)
    assert seen == [(0, 64), (64, 128)] and left == [(128, 192), (192, 220)]
    assert said == ["128 of 220 images are there already, and stay", "192 of 220 images", "220 of 220 images"]
    assert pq.read_table(tmp_path / "x.parquet").equals(pq.read_table(tmp_path / "whole.parquet"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["whole.parquet", "x.parquet"]


def test_parts_of_other_images_are_not_taken(
    run: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_file, "PIECE", 64)
    asked: list[object] = []

    def dying(_begin: Callable[[], Callable[[Piece], Made]], pieces: Sequence[Piece], /) -> Iterator[Made]:
        asked.append(len(pieces))
        return iter(())

    for data in (None, str(photos), str(photos)):
        with pytest.raises(ValueError, match="zip"):
            embed(run, tmp_path / "x.parquet", data=data, spread=dying)
        (photos / "a/new.png").write_bytes((photos / "a/00.png").read_bytes())
    assert asked == [3, 1, 1]
    embed(run, tmp_path / "x.parquet", data=str(photos))
    assert str(photos / "a/new.png") in pq.read_table(tmp_path / "x.parquet")["file"].to_pylist()


def test_processes_that_share_the_images_measure_the_same_to_the_last_bit(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["knn20", "linear:layer2"]
    alone = evaluate.evaluate(run, names=names)
    monkeypatch.setattr(sight, "PIECE", 64)
    shutil.copytree(run, tmp_path / "again")
    (tmp_path / "again/evaluation.json").unlink()
    shared = evaluate.evaluate(tmp_path / "again", names=names, spread=again_each_time)
    assert (shared.trained, shared.random, shared.pixels) == (alone.trained, alone.random, alone.pixels)
    assert shared.trained["linear:layer2"]["accuracy"] > 0 and shared.notes == alone.notes


@pytest.mark.slow  # two starts of Ray
def test_two_workers_of_ray_do(run: Path, tmp_path: Path, sslgraph: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "PIECE", 64)
    monkeypatch.setattr(feature_file, "PIECE", 64)
    files = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    for file, count in zip(files, "12", strict=True):
        said = sslgraph("embed", str(run), "-o", str(file), "--split", "all", "--workers", count)
        assert said.code == 0 and said.out.endswith(f"220 images, 32 features each: {file}\n"), said
        said = sslgraph("evaluate", str(run), "--protocol", "knn20", "--workers", count)
        assert said.code == 0, said
        shutil.move(run / "evaluation.json", file.with_suffix(".json"))
    assert pq.read_table(files[0]).equals(pq.read_table(files[1]))
    one, two = (json.loads(file.with_suffix(".json").read_text()) for file in files)
    assert one == two


@pytest.mark.slow  # a start of Ray
def test_a_mistake_in_a_worker_is_one_sentence_and_a_piece_of_a_dead_one_is_made_again(tmp_path: Path) -> None:
    def begin() -> Callable[[int], int]:
        def work(piece: int) -> int:
            mark = tmp_path / f"died-{piece}"
            if piece == 3 and not mark.exists():
                mark.touch()
                os._exit(9)
            if piece == 100:
                raise SslgraphError("100 is no piece; give another")
            return piece * piece

        return work

    with workers(2) as spread:
        assert list(spread(begin, [1, 2, 3, 4, 5])) == [1, 4, 9, 16, 25]
        with pytest.raises(SslgraphError, match=r"^100 is no piece; give another$"):
            list(spread(begin, [100]))
    with pytest.raises(SslgraphError, match=r"--workers 0 would do nothing"), workers(0):
        pass
