"""The loop of docs/python.md with a recipe computes what `sslgraph train` computes, to the last bit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from runs import assert_equal
from torch import nn

import sslgraph
from sslgraph.parts import registry
from sslgraph.pipelines.machine import chosen_forms
from sslgraph.pipelines.machine.chosen_forms import Forms
from sslgraph.pipelines.storage import checkpoint
from sslgraph.read import catalogue

PAGE = (Path(__file__).parents[2] / "docs/python.md").read_text(encoding="utf-8")
(LOOP,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "load_recipe" in block)
IMAGES = 32
# Two steps an epoch, so that what is frozen for one moves in the third.
SHORT: dict[str, Any] = {
    "steps": 3, "batch": 16, "evaluate": {}, "monitor": None, "precision": "float32", "seed": 5,
    "data": {"use": "sources.shapes", "images": IMAGES},
}  # fmt: skip
OTHERS = ("beit",)  # it needs a tokenizer that was trained before
# colorization counts colours in float64.
QUICK = ("dino", "byol", "moco_v2", "swav", "colorization")


def by_the_page(name: str) -> dict[str, Any]:
    """What is left of the page's loop on the images that `sslgraph train` sees."""
    recipe = sslgraph.load_recipe(f"demo/{name}", SHORT)
    source = registry.build("sources.shapes", {"images": IMAGES, "split": "train"})
    images, _ = source.read(torch.arange(IMAGES))
    names: dict[str, Any] = {"given": {"recipe": recipe, "images": images}}
    loop, replaced = re.subn(r"^(recipe|images) = .*$", r"\1 = given['\1']", LOOP, flags=re.MULTILINE)
    assert replaced == 2
    exec(loop, names)
    return names


def same_as_train(name: str, out: Path) -> None:
    names = by_the_page(name)
    run = sslgraph.train(f"demo/{name}", SHORT, out=out)
    saved = checkpoint.load(run.checkpoint)
    assert saved.step == 3
    assert_equal(dict(names["model"].state_dict()), dict(saved.method))
    assert_equal(names["optimizer"].state_dict(), saved.optimizer)


@pytest.fixture(autouse=True)
def as_torch_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training chooses a memory layout by the machine, and a loop of one's own has torch's."""
    forms = Forms("float32", channels_last=False, fused_attention=True, threads=torch.get_num_threads())
    monkeypatch.setattr(chosen_forms, "fitting", lambda *_: forms)


@pytest.mark.parametrize("name", QUICK)
def test_the_pages_loop_gives_the_weights_of_train(name: str, tmp_path: Path) -> None:
    same_as_train(name, tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*catalogue.names("methods")} - {*QUICK, *OTHERS}))
def test_the_pages_loop_gives_the_weights_of_train_for_every_method(name: str, tmp_path: Path) -> None:
    graph = sslgraph.load_recipe(f"demo/{name}", SHORT).method.graph
    if graph.method.phases:
        pytest.skip("it passes over the data set, which the page's loop does not")
    same_as_train(name, tmp_path / "run")


def test_a_recipe_is_its_text() -> None:
    recipe = sslgraph.load_recipe("demo/dino", {"batch": 16, "epochs": 7})
    assert (recipe.batch, recipe.seed, recipe.spec.epochs) == (16, 0, 7)
    assert recipe.clock(70) == sslgraph.Clock(steps_per_epoch=4, total_steps=28)
    assert recipe.method.spec == sslgraph.load("demo/dino").spec
    assert repr(recipe) == "DINO, demo: DINO, 7 epochs of 16 images a step"
    assert sorted(recipe.order(5, epoch=1).tolist()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("source", [
    {"recipe": "mine", "extends": "demo/simclr", "set": {"batch": 12}},
    "recipe: mine\nextends: demo/simclr\nset: {batch: 12}\n",
])  # fmt: skip
def test_a_recipe_is_written_in_place(source: Any) -> None:
    assert sslgraph.load_recipe(source, {"epochs": 3}).clock(24) == sslgraph.Clock(2, 6)


def test_a_method_in_place_has_the_default_recipe() -> None:
    recipe = sslgraph.load_recipe({"method": "Own", "extends": "simclr"}, {"nets.f.depth": 18})
    assert recipe.batch == 256 and recipe.method.spec.nets["f"].settings["depth"] == 18
    with pytest.raises(sslgraph.SpecError, match=r"text.yaml:3:21: backbones.resnet has no setting 'depht'"):
        sslgraph.load_recipe("method: Own\nextends: simclr\nset: {nets.f.depht: 3}\n")


def test_weights_that_a_text_names_are_read(tmp_path: Path) -> None:
    trained = sslgraph.load("demo/simclr").compile(batch=8, seed=3).parts["f"].state_dict()
    torch.save(trained, tmp_path / "f.pth")
    changes = {"nets.f.weights": str(tmp_path / "f.pth")}
    assert_equal(dict(sslgraph.load_recipe("demo/simclr", changes).compile(300).parts["f"].state_dict()), dict(trained))


def test_an_optimizer_that_a_plugin_allows_is_the_recipes() -> None:
    own = {"optimizer": {"use": "torch.optim:RMSprop", "lr": 1e-3, "alpha": 0.9}}
    recipe = sslgraph.load_recipe("demo/simclr", {"batch": 8, **own}, plugins=("torch.optim",))
    optimizer = recipe.optimizer(recipe.compile(16), recipe.clock(16))
    assert all(group["alpha"] == 0.9 for group in optimizer.torch.param_groups)  # a setting that only RMSprop has


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(sslgraph.SpecError, match="there is no recipe or method 'demo/simcrl'"):
        sslgraph.load_recipe("demo/simcrl")
    with pytest.raises(sslgraph.SpecError, match=r"optimizer.lr_rul"):
        sslgraph.load_recipe("demo/simclr", {"optimizer.lr_rul": "none"})
    recipe = sslgraph.load_recipe("demo/simclr")
    with pytest.raises(sslgraph.SslgraphError, match=r'larger than the data set, which has 100; write .*"batch": 100'):
        recipe.clock(100)
    with pytest.raises(sslgraph.SslgraphError, match=r"this is a Linear; write recipe.optimizer\(recipe.compile"):
        recipe.optimizer(nn.Linear(2, 2), recipe.clock(1000))
