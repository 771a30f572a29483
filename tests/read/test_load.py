"""Loading: names and files, recipes with their methods, overrides, pipelines; and never anything but a SpecError."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from texts import MOCO, PROGRAM, RECIPE, put, shelf_of_specs  # noqa: F401 - the fixture shelf

from sslgraph.errors import Place, SpecError
from sslgraph.read.document import Document, read_text
from sslgraph.read.load import (
    load_augmentation,
    load_method,
    load_pipeline,
    load_recipe,
    method_of,
    pipeline_of,
    recipe_of,
)
from sslgraph.read.loaded import method_in
from sslgraph.read.located import written
from sslgraph.read.resolved import resolved
from sslgraph.read.spec import Method, Recipe

DEFAULT = "recipe: default\ndata: {use: sources.shapes}\nsteps: 20\nbatch: 16\noptimizer: {use: sgd, lr: 0.1}\n"
PIPELINE = """\
pipeline: Two
stages:
  probe: {do: linear_probe, of: pretrain.export, labels: 10 %}
  pretrain: {do: train, recipe: small/moco, given: {tokenizer: codes.export}}
  codes: {do: train, recipe: small/moco}
"""


def message(call: Any, *args: Any, **keywords: Any) -> str:
    with pytest.raises(SpecError) as caught:
        call(*args, **keywords)
    return str(caught.value)


def test_a_method_is_found_by_name_and_by_file(shelf: Path) -> None:
    assert load_method("moco").spec == load_method(shelf / "methods/moco.yaml").spec
    assert load_method("moco").spec == load_method(f"{shelf}/methods/moco.yaml").spec
    assert load_method("moco").file == shelf / "methods/moco.yaml"


@pytest.mark.usefixtures("shelf")
def test_settings_are_gathered_from_beside_the_reserved_keys() -> None:
    method = load_method("moco").spec
    assert (method.nets["g"].use, method.nets["g"].settings) == ("heads.mlp", {"hidden": [2048], "out": 128})
    assert method.views["xk"].settings == {"crop.scale": [0.2, 1]}
    assert load_method("program").spec.nets["head"].settings == {"out": 100}


@pytest.mark.usefixtures("shelf")
def test_an_unknown_name_lists_what_there_is() -> None:
    assert message(load_method, "moc") == (
        "there is no method 'moc'\n  there are: moco, program\n  did you mean 'moco'?"
    )
    assert "there are: moco, program\n  did you mean 'small/moco'?" in message(load_recipe, "smal/moco")


def test_a_text_of_another_kind_is_refused(shelf: Path) -> None:
    pipeline = put(shelf, "pipelines/two", PIPELINE)
    assert "this is a pipeline, and a method is asked for" in message(load_method, pipeline)
    assert "this is a pipeline, and a recipe is asked for" in message(load_recipe, pipeline)
    assert "this is a method, and a pipeline is asked for" in message(load_pipeline, shelf / "methods/moco.yaml")


@pytest.mark.usefixtures("shelf")
def test_overrides_are_set_last_and_references_follow_them() -> None:
    loaded = load_method("program", overrides={"ops.kmeans.k": 7, "method.nets.f.depth": 18})
    assert loaded.spec.nets["head"].settings == {"out": 7}
    assert loaded.spec.nets["f"].settings == {"depth": 18}
    assert str(loaded.place(("ops", "kmeans", "k"))) == "--set ops.kmeans.k"


@pytest.mark.usefixtures("shelf")
def test_an_override_that_names_nothing_is_refused_as_it_was_written() -> None:
    said = message(load_method, "moco", overrides={"nets.ff.depth": 18, "targets.fk.momentum": "fast"})
    assert "--set nets.ff.depth: 'nets' has no 'ff'" in said
    told = "targets.fk.momentum must be a number from 0 to 1 or a schedule, not the text 'fast'"
    assert f"--set targets.fk.momentum: {told}" in said


def test_a_recipe_in_the_place_of_a_method_gives_its_method_as_it_changes_it(shelf: Path) -> None:
    concrete = load_recipe("small/moco").spec.method
    assert load_method("small/moco").spec == concrete
    run = put(shelf, "run/resolved", resolved(load_recipe("small/moco").spec))
    assert load_method(run).spec == concrete


def test_a_recipe_makes_its_method_concrete(shelf: Path) -> None:
    loaded = load_recipe("small/moco")
    assert loaded.spec.epochs == 4
    assert loaded.spec.data.settings == {"size": 32}
    assert loaded.spec.method.nets["f"].settings == {"depth": 18}
    assert loaded.spec.method.nets["g"].use == "heads.linear"
    assert str(method_in(loaded).place(("nets", "f", "depth"))) == f"{shelf}/recipes/small/moco.yaml:4:21"
    assert str(method_in(loaded).place(("export",))) == f"{shelf}/methods/moco.yaml:22:9"


@pytest.mark.usefixtures("shelf")
def test_overrides_go_to_the_recipe_or_to_its_method_by_their_first_word() -> None:
    overrides = {
        "optimizer.lr": 1,
        "data.path": "p",
        "checkpoint.every": "1 epoch",
        "nets.f.depth": 34,
        "method.export": "g",
    }
    loaded = load_recipe("small/moco", overrides)
    assert loaded.spec.optimizer["lr"] == 1
    assert loaded.spec.data.settings["path"] == "p"
    assert loaded.spec.checkpoint == {"every": "1 epoch"}
    assert loaded.spec.method.nets["f"].settings == {"depth": 34}
    assert loaded.spec.method.export == "g"
    assert "--set nts.f: no path begins with 'nts'" in message(load_recipe, "small/moco", {"nts.f": 1})


def test_the_method_of_a_recipe_may_be_another(shelf: Path) -> None:
    put(
        shelf,
        "recipes/plain",
        RECIPE.replace("set:", "given: {}\nset:").replace("{nets.f.depth: 18, state.queue.size: 4096}", "{}"),
    )
    put(shelf, "methods/slow", "extends: moco\nset: {method: Slow}")
    assert load_recipe("plain", {"method": "slow"}).spec.method.method == "Slow"


@pytest.mark.usefixtures("shelf")
def test_steps_on_the_command_line_take_the_place_of_epochs() -> None:
    recipe = load_recipe("small/moco", {"steps": 5}).spec
    assert (recipe.steps, recipe.epochs) == (5, None)


@pytest.mark.usefixtures("shelf")
def test_a_new_source_is_given_whole() -> None:
    assert "would leave the settings size" in message(load_recipe, "small/moco", {"data.use": "sources.folder"})
    loaded = load_recipe("small/moco", {"data": {"use": "sources.folder", "path": "p"}})
    assert loaded.spec.data.settings == {"path": "p"}


def test_a_method_alone_is_trained_by_its_demo_recipe_and_a_file_by_the_default_one(shelf: Path) -> None:
    put(shelf, "recipes/default", DEFAULT)
    put(shelf, "recipes/demo/base", DEFAULT.replace("default", "demo"))
    demo = load_recipe("program", {"batch": 8}).spec
    assert (demo.recipe, demo.method.method, demo.batch, demo.steps) == ("demo/program", "Program", 8, 20)
    put(shelf, "recipes/demo/program", DEFAULT.replace("default", "demo of its own\nmethod: program"))
    assert load_recipe("program").spec.recipe == "demo of its own"
    own = load_recipe(put(shelf, "elsewhere/mine", MOCO.replace("MoCo", "Mine", 2)))
    assert (own.spec.recipe, own.spec.method.method) == ("default", "Mine")


def test_all_faults_of_a_recipe_and_of_its_method_come_at_once(shelf: Path) -> None:
    text = (
        RECIPE.replace("epochs: 4", "epoch: 4")
        .replace("batch: 64", "batch: many")
        .replace("nets.f.depth", "nets.h.depth")
    )
    said = message(load_recipe, put(shelf, "recipes/bad", text))
    for part in (
        "'nets' has no 'h'",
        "the text has the unknown key 'epoch'",
        "did you mean 'epochs'?",
        "batch must be a whole number",
        "not the text 'many'",
    ):
        assert part in said


def test_a_recipe_is_as_long_as_one_of_epochs_and_steps_says(shelf: Path) -> None:
    assert "by either epochs: or steps:" in message(
        load_recipe, put(shelf, "recipes/a", RECIPE.replace("epochs: 4", "steps: 4\nepochs: 4"))
    )
    assert "by either epochs: or steps:" in message(
        load_recipe, put(shelf, "recipes/a", RECIPE.replace("epochs: 4", "seed: 4"))
    )


def test_the_stages_of_a_pipeline_come_in_an_order_in_which_they_can_run() -> None:
    loaded = pipeline_of(read_text(PIPELINE, Path("p.yaml")))
    assert list(loaded.spec.stages) == ["codes", "pretrain", "probe"]
    assert loaded.spec.stages["probe"].settings == {"labels": "10 %"}


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("codes.export", "code.export", "stage 'pretrain' is given the unknown artefact 'code'"),
        ("{do: train, recipe: small/moco}", "{do: train, of: probe.export}", "the stages wait for each other"),
        ("do: linear_probe, ", "", "stages.probe has no do:"),
    ],
)
def test_a_pipeline_that_can_not_run_is_refused(old: str, new: str, said: str) -> None:
    assert said in message(pipeline_of, read_text(PIPELINE.replace(old, new), Path("p.yaml")))


def test_a_stage_may_be_given_a_checkpoint_from_elsewhere() -> None:
    text = PIPELINE.replace("codes.export", "runs/codes")
    assert pipeline_of(read_text(text, Path("p.yaml"))).spec.stages["pretrain"].given == {"tokenizer": "runs/codes"}


def test_an_augmentation_is_its_steps_in_order(shelf: Path) -> None:
    put(
        shelf,
        "augmentations/plain",
        "augmentation: plain\nsteps:\n  b: {use: augment.flip, p: 0.5}\n  a: {use: augment.crop}\n",
    )
    augmentation = load_augmentation("plain").spec
    assert list(augmentation.steps) == ["b", "a"]
    assert augmentation.steps["b"].settings == {"p": 0.5}


def test_loading_imports_no_torch() -> None:
    code = "import sys; from sslgraph.read import load, resolved; print({'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")


# What follows tries to make loading fail with anything but a SpecError.

WORDS = [
    "nets",
    "f",
    "use",
    "flow",
    "q",
    "losses",
    "of",
    "$nets.f.depth",
    "$a",
    "phases",
    "name",
    "extends",
    "set",
    "export",
    "views",
    "x",
    "augment",
    "copies",
    "momentum",
    "freeze",
    "settings",
    "1 epoch",
    "method",
    "moco",
    "0",
    "steps",
    "*",
    "",
]
SCALARS = st.sampled_from([*WORDS, None, True, 0, 1, -3, 0.5, 10**20])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
)
PATHS = st.lists(st.sampled_from(WORDS), max_size=5).map(".".join)
FUZZ = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(st.dictionaries(PATHS, VALUES, max_size=3))
@pytest.mark.usefixtures("shelf")
def test_any_override_gives_a_recipe_or_a_spec_error(overrides: dict[str, Any]) -> None:
    try:
        assert isinstance(load_recipe("small/moco", overrides).spec, Recipe)
    except SpecError as refused:
        assert refused.faults


@FUZZ
@given(
    st.sampled_from(
        [
            MOCO,
            PROGRAM,
            RECIPE,
            "extends: moco\nset: {nets.f.depth: 2}\nreplace: {nets.g: {use: a}}\nremove: [state.queue]\n",
            "recipe: r\nextends: small/moco\nset: {nets.*.depth: 2, optimizer.lr: 1}\nremove: [data.size]\n",
        ]
    ),
    st.integers(0, 600),
    st.integers(0, 30),
    st.sampled_from([*WORDS, "\n", "\n  ", "{", "]", ": ", "- ", "&a ", "*a", "'", "$"]),
)
def test_any_change_of_a_text_gives_a_spec_or_a_spec_error(
    shelf: Path, text: str, start: int, length: int, new: str
) -> None:
    changed = text[:start] + new + text[start + length :]
    try:
        document = read_text(changed, shelf / "methods/changed.yaml")
        if document.kind == "recipe":
            whole = resolved(recipe_of(document).spec)
            assert resolved(recipe_of(read_text(whole, Path("again.yaml"))).spec) == whole
        else:
            method = method_of(document).spec
            assert method_of(read_text(resolved(method), Path("again.yaml"))).spec == method
    except SpecError as refused:
        assert refused.faults


@FUZZ
@given(st.dictionaries(st.sampled_from([*Method.model_fields, "extends", "set", "replace", "remove"]), VALUES))
@pytest.mark.usefixtures("shelf")
def test_any_values_under_the_keys_of_a_method_give_a_method_or_a_spec_error(values: dict[str, Any]) -> None:
    try:
        method_of(Document(Path("a.yaml"), written({"method": "A", **values}, Place("a.yaml"))))
    except SpecError as refused:
        assert refused.faults


def test_an_augmentation_of_ones_own_lies_beside_the_text_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("augmentation: mine\nsteps:\n  flip: {use: augment.horizontal_flip, p: 0.5}\n")
    (tmp_path / "method.yaml").write_text("extends: simclr\nset:\n  views.x: {augment: mine.yaml, copies: 2}\n")
    method = load_method(tmp_path / "method.yaml").spec
    assert method.views["x"].augment == str((tmp_path / "mine.yaml").resolve())
    assert load_augmentation(method.views["x"].augment).spec.augmentation == "mine"
    (tmp_path / "mine.yaml").unlink()
    with pytest.raises(SpecError, match=r"method.yaml:3:22: there is no file .*mine.yaml\n  its path starts from"):
        load_method(tmp_path / "method.yaml")
