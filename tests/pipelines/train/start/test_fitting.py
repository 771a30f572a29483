"""A data set that is too small for a part, or of the wrong kind, is refused before the first step."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from sslgraph.errors import SpecError
from sslgraph.pipelines.train.loop import train

SMALL = {"data.images": 40, "data.test_images": 10, "batch": 8, "epochs": 1, "evaluate": {}, "monitor": None}


def told(folder: Path, **changes: int) -> str:
    given = {**SMALL, **{f"{path.replace('_', '.')}": value for path, value in changes.items()}}
    with pytest.raises(SpecError) as caught:
        train({"recipe": "demo/deepcluster", "overrides": given, "out": str(folder / "run")})
    return str(caught.value)


def test_clusters_and_components_that_the_images_are_too_few_for(tmp_path: Path) -> None:
    said = told(tmp_path)
    assert "40 images have at most 39 principal components, and out is 64\n  write --set ops.reduce.out=39" in said
    assert "40 images can't make 100 clusters\n  write --set ops.kmeans.k=4" in said
    assert "specs/recipes/demo/deepcluster.yaml:10:" in said and not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("sela", "40 images can't fill 500 classes\n  write --set ops.solve.classes=4"),
        ("pcl", "40 images can't make 100 clusters\n  write --set ops.cluster.k=[4,4,4]"),
    ],
)
def test_more_classes_than_images_are_refused_with_numbers_that_fit(tmp_path: Path, method: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        train({"recipe": f"demo/{method}", "overrides": SMALL, "out": str(tmp_path / "run")})
    assert said in str(caught.value)


def test_a_queue_that_is_longer_than_the_data_is_told_before_the_first_step(tmp_path: Path) -> None:
    given = {**SMALL, "steps": 1, "epochs": None}
    train({"recipe": "demo/moco_v2", "overrides": given, "out": str(tmp_path / "run")})
    said = (tmp_path / "run" / "introduction.txt").read_text()
    assert "SG001: 'queue' keeps 2,048 keys of 40 images: images meet their own older keys\n" in said
    assert "make it shorter than the data set: --set state.queue.size=16" in said


def test_features_that_are_too_narrow_are_told_in_the_same_way(tmp_path: Path) -> None:
    said = told(tmp_path, nets_f_width=2, ops_reduce_out=39, ops_kmeans_k=4)
    assert said.startswith("ops.reduce.out: 16 features have at most 16 principal components, and out is 39")
    assert said.endswith("\n  write --set ops.reduce.out=16")


def test_grey_images_are_refused_where_colours_teach(tmp_path: Path) -> None:
    (tmp_path / "grey").mkdir()
    for number in range(12):
        Image.new("L", (40, 40), number).save(tmp_path / "grey" / f"{number}.png")
    given = {**SMALL, "data": {"use": "sources.image_folder", "path": str(tmp_path / "grey")}}
    given = {key: value for key, value in given.items() if not key.startswith("data.")}
    with pytest.raises(SpecError, match=r"all \d+ images that were looked at are grey; give images in colour"):
        train({"recipe": "demo/split_brain", "overrides": given, "out": str(tmp_path / "run")})
