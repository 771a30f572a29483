"""A pool with planted copies is curated by a pipeline: copies go, others stay, later stages train on what is left."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import torch.nn.functional as F
from command import Command
from command import sslgraph as sslgraph
from PIL import Image
from tiny_recipe import recipe_of

from sslgraph.components.sources.prepared import Prepared
from sslgraph.errors import SpecError, SslgraphError
from sslgraph.pipelines.stages.kinds.embedding import embedded
from sslgraph.pipelines.stages.stage_plan import plan
from sslgraph.pipelines.storage import provenance

PIPELINE = """
pipeline: Curation
stages:
  encoder: {do: train, recipe: tiny.yaml}
  pool: {do: embed, of: encoder, data: pool, split: all}
  seed: {do: embed, of: encoder, data: labelled, split: all, classes: [red]}
  apart: {do: embed, of: encoder, data: apart, split: all}
  curated:
    do: curate
    given: {pool: pool, seed: seed, test: apart}
    copies: 0.99
    near_test: 0.99
    neighbours: 3
    form: raw
  trained: {do: train, recipe: tiny.yaml, data: curated}
  seen: {do: embed, of: trained, data: curated, split: test}
"""
PLUGIN = "parts"
COLOURS = {"red": (0.8, 0.2, 0.1), "green": (0.1, 0.7, 0.2), "blue": (0.1, 0.2, 0.9)}


def pictures(colour: str, count: int, seed: int) -> list[Image.Image]:
    """Smooth noise of one colour."""
    noise = torch.rand(count, 3, 5, 5, generator=torch.Generator().manual_seed(seed)) - 0.5
    tint = torch.tensor(COLOURS[colour])[None, :, None, None]
    smooth = (tint + 0.8 * F.interpolate(noise, (32, 32), mode="bicubic")).clamp(0, 1)
    return [Image.fromarray((one * 255).byte().permute(1, 2, 0).numpy()) for one in smooth]


def cropped(image: Image.Image) -> Image.Image:
    return image.crop((1, 1, 31, 31)).resize((32, 32), Image.Resampling.BICUBIC)


def compressed(image: Image.Image) -> Image.Image:
    image.save(file := io.BytesIO(), "JPEG", quality=80)
    return Image.open(file)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pool without classes: 8 images of each colour, copies of four of them and of two of three held-out images."""
    (tmp_path / "tiny.yaml").write_text(recipe_of('{use: "parts:Thumbnail"}') + "plugins: [parts]\n")
    (tmp_path / "curation.yaml").write_text(PIPELINE)
    pool = {f"{colour}{i}": one for k, colour in enumerate(COLOURS) for i, one in enumerate(pictures(colour, 8, k))}
    apart = {f"red{i}": one for i, one in enumerate(pictures("red", 3, 10))}
    pool |= {f"z_{name}": change(pool[name]) for name, change in
             (("red0", cropped), ("red1", compressed), ("blue0", cropped), ("green1", compressed))}  # fmt: skip
    pool |= {"z_apart0": cropped(apart["red0"]), "z_apart1": compressed(apart["red1"])}
    labelled = {f"{colour}/{i}": one for colour in COLOURS for i, one in enumerate(pictures(colour, 3, 20))}
    for folder, images in {"pool": pool, "apart": apart, "labelled": labelled}.items():
        for name, image in images.items():
            file = tmp_path / folder / f"{name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            image.save(file)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_planted_copies_go_others_stay_and_the_rest_is_like_the_seed(sslgraph: Command) -> None:
    said = sslgraph("run", "curation.yaml", "--plugin", PLUGIN)
    assert said.code == 0, said.err
    assert re.search(r"curated: done in \d:\d\d; copies 13\.3%, near test 6\.7%, chosen \d", said.out)
    folders = {stage.name: stage.folder for stage in plan("curation.yaml", plugins=(PLUGIN,))}
    table = pq.read_table(folders["curated"] / "images.parquet").to_pydict()
    assert table["index"] == list(range(30))
    images = embedded(folders["pool"]).images(range(30))  # a tenth is held out, and comes last
    names = [Path(images.name(row)).stem for row in range(30)]
    fates = dict(zip(names, zip(table["fate"], table["of"], strict=True), strict=True))
    assert {name: fate for name, fate in fates.items() if fate[0] not in ("neighbour", "left")} == {
        "z_apart0": ("near test", "test 0"),
        "z_apart1": ("near test", "test 1"),
        **{f"z_{name}": ("copy", f"pool {names.index(name)}") for name in ("blue0", "green1", "red0", "red1")},
    }
    chosen = [name for name, fate in fates.items() if fate[0] == "neighbour"]
    assert 3 <= len(chosen) <= 8 and all(name.startswith("red") for name in chosen)

    kept = Prepared(path=str(folders["curated"] / "images"))
    assert kept.classes == ("blue", "green", "red") and kept.labels is not None
    assert kept.labels.tolist() == [2] * 3 + [-1] * len(chosen)  # the seed comes first, and the pool has no classes
    assert torch.equal(kept.read(torch.tensor([3]))[0][0], images.read(torch.tensor([names.index(chosen[0])]))[0][0])
    assert len(Prepared(path=str(folders["curated"] / "images"), split="test")) == 3
    assert provenance.read(folders["trained"])[-1]["images"] == len(kept)
    assert pq.read_table(folders["seen"] / "features.parquet").num_rows == 3

    changed = {
        stage.name: stage.state for stage in plan("curation.yaml", changes={"curated.neighbours": 2}, plugins=(PLUGIN,))
    }
    assert changed == {**dict.fromkeys(("encoder", "pool", "seed", "apart"), "done"),
                       **dict.fromkeys(("curated", "trained", "seen"), "stale")}  # fmt: skip
    again = sslgraph("run", "curation.yaml", "--plugin", PLUGIN)
    assert again.out.count("done before") == 7


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pool: pool, seed", "seed", "do: curate needs given: {pool: STAGE}, a stage that says do: embed"),
        ("pool: pool, seed", "pool: encoder, seed", "has pool: 'encoder', which gives no features"),
        ("test: apart", "tests: apart", "do: curate takes no 'tests'"),
        ("neighbours: 3", "hits: 3", "a seed set retrieves images by neighbours: or clusters:, and neither is there"),
        ("seed: seed, ", "", "neighbours: are those of a seed set"),
        ("copies: 0.99", "copies: 1.5", "copies: must be a number above 0 and at most 1, not 1.5"),
        ("data: curated}", "data: pool}", "stage 'trained' has data: 'pool', which gives no images"),
        ("form: raw", "form: png", "form: must be 'jpeg' or 'raw'"),
    ],
)
def test_what_is_wrong_with_a_curation_is_said_before_anything_runs(
    old: str, new: str, message: str, here: Path
) -> None:
    (here / "curation.yaml").write_text(PIPELINE.replace(old, new))
    with pytest.raises(SpecError) as refused:
        plan("curation.yaml", plugins=(PLUGIN,))
    assert message in str(refused.value) and "curation.yaml:" in str(refused.value)


@pytest.mark.usefixtures("here")
def test_classes_that_are_not_there_and_folders_without_features_are_said(sslgraph: Command, tmp_path: Path) -> None:
    said = sslgraph(
        "run", "curation.yaml", "--plugin", PLUGIN, "--only", "encoder", "--only", "seed", "--set", "seed.classes=[rot]"
    )
    assert "classes: there is no class 'rot'" in said.err and "there are: blue, green, red" in said.out
    assert (
        "do: embed has no setting 'clases'"
        in sslgraph("run", "curation.yaml", "--plugin", PLUGIN, "--set", "seed.clases=[red]").err
    )
    with pytest.raises(SslgraphError, match=r"holds no features\.parquet; name a stage that says do: embed"):
        embedded(tmp_path)


def test_a_stage_of_a_pipeline_is_drawn_with_the_images_it_is_given(here: Path, sslgraph: Command) -> None:
    assert sslgraph("draw", "curation.yaml", "-o", "curation.mmd").code == 0
    text = (here / "curation.mmd").read_text()
    assert "curated" in text and "trained" in text and "apart" in text
    assert sslgraph("check", "curation.yaml", "--plugin", PLUGIN).code == 0


def test_a_cell_of_a_grid_works_on_the_images_of_its_own_cell(here: Path) -> None:
    text = PIPELINE.replace("stages:", "grid: {neighbours: [2, 3]}\nstages:", 1)
    text = text.replace("do: curate\n", "do: curate\n    over: [neighbours]\n").replace("    neighbours: 3\n", "")
    text = text.replace(
        "given: {pool: pool, seed: seed, test: apart}", "given: {pool: pool, seed: seed}\n    clusters: 2"
    )
    (here / "curation.yaml").write_text(text)
    inputs = {stage.name: stage.inputs for stage in plan("curation.yaml", plugins=(PLUGIN,))}
    assert inputs["trained-2"] == {"data": "curated-2"} and inputs["seen-3"] == {"of": "trained-3", "data": "curated-3"}


def test_the_shipped_curation_finds_copies_by_one_encoder_and_retrieves_by_another(tmp_path: Path) -> None:
    stages = {stage.name: stage for stage in plan("dinov2", str(tmp_path))}
    assert stages["distinct"].inputs == {"pool": "found", "test": "found_test"}
    assert stages["found"].inputs == {"of": "detector"} and stages["pool"].inputs == {
        "of": "encoder",
        "data": "distinct",
    }
    assert stages["pretrain"].inputs == {"data": "curated"}
    recipes = [stages[name].recipe for name in ("detector", "encoder")]
    assert [recipe and recipe.spec.method.export for recipe in recipes] == ["g(f(x))", "f"]


@pytest.mark.slow
def test_the_shipped_curation_runs_at_toy_size(tmp_path: Path, sslgraph: Command) -> None:
    words = ["run", "dinov2", "--out", str(tmp_path), "--set", "curated.clusters=10", "--set", "curated.hits=1"]
    for change in ("*.epochs=1", "*.data.images=200", "*.data.test_images=60", "*.batch=10"):
        words += ["--set", change]
    said = sslgraph(*words)
    assert said.code == 0, said.err
    assert re.search(r"probe: done in \d+:\d\d", said.out)
