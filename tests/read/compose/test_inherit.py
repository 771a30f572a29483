"""Recipes that extend recipes, and the recipe of a method that has none of its own."""

from pathlib import Path

import pytest
from texts import RECIPE, put, shelf_of_specs  # noqa: F401 - the fixture shelf

from sslgraph.errors import SpecError
from sslgraph.read import catalogue
from sslgraph.read.load import load_method, load_recipe
from sslgraph.read.loaded import method_in
from sslgraph.read.resolved import resolved

BASE = """\
# What all share.
recipe: photos
set: {nets.f.depth: 18, targets.*.momentum: 0.5}
data: {use: sources.shapes, size: 32}
epochs: 4
batch: 64
optimizer: {use: sgd, lr: 0.06, weight_decay: 1e-4}
"""


@pytest.fixture(name="photos")
def shelf_with_a_base(shelf: Path) -> Path:
    """The shelf with a data set's base, photos/base, and the base of methods that are files."""
    put(shelf, "recipes/photos/base", BASE)
    put(shelf, "recipes/default", BASE)
    return shelf


def message(name: str | Path) -> str:
    with pytest.raises(SpecError) as caught:
        load_recipe(name)
    return str(caught.value)


def child(shelf: Path, text: str) -> Path:
    return put(shelf, "recipes/photos/moco", f"recipe: MoCo, photos\nextends: photos/base\nmethod: moco\n{text}")


def test_a_child_says_only_what_differs(photos: Path) -> None:
    loaded = load_recipe(child(photos, "batch: 32\nset: {nets.f.depth: 34, optimizer.lr: 0.1, nets.g.out: 64}"))
    recipe, method = loaded.spec, loaded.spec.method
    assert (recipe.recipe, recipe.batch, recipe.epochs) == ("MoCo, photos", 32, 4)
    assert recipe.optimizer == {"use": "sgd", "lr": 0.1, "weight_decay": 1e-4}
    assert (method.nets["f"].settings["depth"], method.nets["g"].settings["out"]) == (34, 64)
    assert method.targets["fk"].momentum == 0.5


def test_a_child_equals_the_recipe_that_writes_all_of_it(photos: Path) -> None:
    whole = put(
        photos,
        "recipes/whole",
        "recipe: MoCo, photos\nmethod: moco\nreplace: {nets.g: {use: heads.linear, out: 64}}\n"
        "set: {nets.f.depth: 18, targets.fk.momentum: 0.5, targets.gk.momentum: 0.5, export: g}\n"
        "data: {use: sources.shapes, size: 64}\nsteps: 10\nbatch: 64\noptimizer: {use: sgd, lr: 0.06}\n",
    )
    text = (
        "steps: 10\nreplace: {nets.g: {use: heads.linear, out: 64}}\nset: {export: g, data.size: 64}\n"
        "remove: [optimizer.weight_decay]\n"
    )
    assert load_recipe(child(photos, text)).spec == load_recipe(whole).spec


@pytest.mark.parametrize("text", ["steps: 5", "set: {steps: 5}"])
def test_steps_of_a_child_take_the_place_of_its_parents_epochs(text: str, photos: Path) -> None:
    recipe = load_recipe(child(photos, text)).spec
    assert (recipe.steps, recipe.epochs) == (5, None)


def test_a_value_keeps_the_place_where_it_is_written(photos: Path) -> None:
    loaded = load_recipe(child(photos, "set: {optimizer.lr: 0.1}"))
    assert str(loaded.place(("optimizer", "lr"))) == f"{photos}/recipes/photos/moco.yaml:4:21"
    assert str(loaded.place(("batch",))) == f"{photos}/recipes/photos/base.yaml:6:8"
    assert str(method_in(loaded).place(("targets", "gk", "momentum"))) == f"{photos}/recipes/photos/base.yaml:3:45"


def test_a_chain_of_files_may_change_the_method_on_the_way(photos: Path) -> None:
    put(photos, "own/mid", "recipe: mid\nextends: photos/base\nmethod: program\nepochs: 9\nset: {ops.kmeans.k: 7}")
    file = put(photos, "own/last", "recipe: last\nextends: mid.yaml\nset: {ops.*.k: 8}\nbatch: 16")
    recipe = load_recipe(file).spec
    assert (recipe.method.method, recipe.epochs, recipe.batch) == ("Program", 9, 16)
    assert recipe.method.nets["head"].settings == {"out": 8}


def test_the_command_line_comes_after_all_texts(photos: Path) -> None:
    file = child(photos, "set: {nets.f.depth: 34}\nepochs: 9")
    given = {"nets.*.depth": 101, "steps": 3, "optimizer.lr": 1, "method.export": "g"}
    recipe = load_recipe(file, given).spec
    assert (recipe.epochs, recipe.steps, recipe.optimizer["lr"]) == (None, 3, 1)
    assert (recipe.method.nets["f"].settings["depth"], recipe.method.export) == (101, "g")


@pytest.mark.usefixtures("photos")
def test_a_base_has_no_method_and_says_so() -> None:
    said = message("photos/base")
    assert "photos/base.yaml:2:1: this recipe has no method: it is a base that others extend\n  add method: " in said
    assert "photos/base" not in catalogue.names("recipes")


@pytest.mark.usefixtures("photos")
def test_a_method_without_a_recipe_for_a_data_set_has_the_base_with_the_method() -> None:
    assert catalogue.names("recipes") == ("photos/moco", "photos/program", "small/moco")
    implied = load_recipe("photos/moco")
    by_hand = load_recipe("photos/program", {"method": "moco"})
    assert implied.spec.recipe == "photos/moco"
    assert implied.spec.method == by_hand.spec.method
    assert load_method("photos/moco").spec == implied.spec.method
    assert str(implied.place(("batch",))).endswith("recipes/photos/base.yaml:6:8")


def test_an_implied_recipe_can_be_extended_and_resolved(photos: Path) -> None:
    file = put(photos, "own/mine", "recipe: mine\nextends: photos/moco\nbatch: 8")
    recipe = load_recipe(file).spec
    assert (recipe.batch, recipe.method.method) == (8, "MoCo")
    text = put(photos, "run/resolved", resolved(recipe))
    assert load_recipe(text).spec == recipe


def test_a_recipe_of_its_own_takes_the_place_of_the_implied_one(photos: Path) -> None:
    child(photos, "batch: 2")
    assert load_recipe("photos/moco").spec.batch == 2
    assert catalogue.names("recipes").count("photos/moco") == 1


@pytest.mark.parametrize(
    "text, said",
    [
        ("recipe: r\nextends: photos/bass", "r.yaml:2:10: there is no recipe 'photos/bass'"),
        ("recipe: r\nextends: photos/bass", "  there are: default, photos/base, photos/moco, photos/program, r, "),
        ("recipe: r\nextends: [a, b]", "r.yaml:2:10: extends: takes the name of one recipe, or its file"),
        ("recipe: r\nextends: r.yaml", "r.yaml:2:10: 'r.yaml' extends this recipe in turn"),
        ("recipe: r\nextends: ../methods/moco.yaml", "this is a method, and a recipe is asked for"),
        ("extends: photos/base\nmethod: moco", "r.yaml:1:10: 'photos/base' is a recipe\n  a recipe opens with recipe:"),
        ("recipe: r\nextends: photos/base\nmethod: [moco]", "method: takes the name of a method, its file, or a whole"),
        ("recipe: r\nextends: photos/base\nmethod: moco\nset: {nts.f.x: 1}", "r.yaml:4:7: no path begins with 'nts'"),
        ("recipe: r\nextends: photos/base\nmethod: moco\nremove: [optimizer.lrr]", "did you mean 'lr'?"),
    ],
)
def test_a_parent_or_a_change_that_is_not_there_is_refused(text: str, said: str, photos: Path) -> None:
    assert said in message(put(photos, "recipes/r", text))


def test_a_circle_of_recipes_is_refused(photos: Path) -> None:
    put(photos, "recipes/a", RECIPE + "extends: b\n")
    put(photos, "recipes/b", RECIPE + "extends: a\n")
    assert "'a' extends this recipe in turn\n  cut the circle" in message("a")
