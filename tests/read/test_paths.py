"""A relative path is relative to the text that says it; on the command line, to the working folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslgraph.read.load import load_recipe

RECIPE = """\
recipe: r
method: simclr
data: {{use: sources.image_folder, path: {path}}}
epochs: 1
batch: 8
optimizer: {{use: sgd, lr: 0.1, momentum: 0, weight_decay: 0}}
given: {{old: weights.pt}}
begin_with: runs/a
evaluate: {{segmentation: {{path: pictures}}}}
"""


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a recipe and its pictures; the working folder is another one, with pictures of its own."""
    for place in ("texts/pictures", "texts/runs/a", "here/pictures"):
        (tmp_path / place).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "texts"


def written(folder: Path, path: str) -> Path:
    (folder / "recipe.yaml").write_text(RECIPE.format(path=path))
    return folder / "recipe.yaml"


@pytest.mark.parametrize("path", ["pictures", "./pictures", "../texts/pictures"])
def test_a_path_is_relative_to_its_text(texts: Path, path: str) -> None:
    spec = load_recipe(written(texts, path)).spec
    assert spec.data.settings["path"] == str(texts / "pictures")
    assert spec.given == {"old": "weights.pt"}  # nothing there: it may be a name
    assert spec.begin_with == str(texts / "runs/a")
    assert spec.evaluate == {"segmentation": {"path": str(texts / "pictures")}}


def test_a_path_of_the_command_line_is_relative_to_the_working_folder(texts: Path) -> None:
    spec = load_recipe(written(texts, "pictures"), {"data.path": "pictures"}).spec
    assert spec.data.settings["path"] == str(texts.parent / "here" / "pictures")


def test_a_child_in_another_folder_keeps_the_paths_of_its_parent(texts: Path) -> None:
    written(texts, "pictures")
    Path("child.yaml").write_text("recipe: child\nextends: ../texts/recipe.yaml\nmethod: byol\nepochs: 2\n")
    assert load_recipe("child.yaml").spec.data.settings["path"] == str(texts / "pictures")


@pytest.mark.parametrize("path", ["s3://bucket/images", "ylecun/mnist", "data/cifar10"])
def test_an_address_and_a_name_that_is_no_path_stay(texts: Path, path: str) -> None:
    assert load_recipe(written(texts, path)).spec.data.settings["path"] == path


def test_the_name_of_published_weights_is_no_path(texts: Path) -> None:
    file = written(texts, "pictures")
    file.write_text(file.read_text().replace("weights.pt", "timm:resnet18"))
    assert load_recipe(file).spec.given == {"old": "timm:resnet18"}
    assert (
        load_recipe(file, {"given.old": "timm:vit_small_patch14_dinov2.lvd142m"}).spec.given["old"].startswith("timm:")
    )


def test_a_pattern_and_a_home_are_paths(texts: Path) -> None:
    assert load_recipe(written(texts, "'shards/*.tar'")).spec.data.settings["path"] == str(texts / "shards/*.tar")
    assert load_recipe(written(texts, "~/images")).spec.data.settings["path"] == str(Path("~/images").expanduser())


def test_a_shipped_recipe_means_the_working_folder(texts: Path) -> None:
    Path("data/cifar10").mkdir(parents=True)
    assert load_recipe("cifar10/simclr").spec.data.settings["path"] == str(texts.parent / "here/data/cifar10")
