"""What users get wrong: one clear message with the place, what there is and what to do; exit code 1; no traceback."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from command import Command, Said
from command import sslgraph as sslgraph
from PIL import Image
from wrong_texts import METHOD, RECIPE, SHAPES, WRONG_METHODS, WRONG_RECIPES, WRONG_RUNS, WRONG_WORDS

from sslgraph.pipelines.storage import checkpoint


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a method and a recipe in which nothing is wrong."""
    monkeypatch.chdir(tmp_path)
    Path("method.yaml").write_text(METHOD)
    Path("recipe.yaml").write_text(RECIPE)


def change(file: str, old: str, new: str) -> None:
    """Puts something wrong into a file."""
    text = Path(file).read_text()
    assert old in text
    Path(file).write_text(text.replace(old, new, 1))


def assert_told(said: Said, *sentences: str) -> None:
    """Exit code 1, every sentence on standard error at the start of a line, and no traceback anywhere."""
    assert said.code == 1, said
    assert "Traceback" not in said.out + said.err
    for sentence in sentences:
        assert f"\n{sentence}" in f"\n{said.err}", said.err


def test_nothing_is_wrong_with_the_method_and_the_recipe_themselves(sslgraph: Command) -> None:
    assert sslgraph("check", "recipe.yaml").code == 0


@pytest.mark.parametrize("command", ["check", "show", "train"])
def test_a_missing_file(sslgraph: Command, command: str) -> None:
    assert_told(
        sslgraph(command, "gone.yaml"),
        "gone.yaml: there is no such file\n  check the path; a shipped spec is named without",
    )


@pytest.mark.parametrize("command", ["check", "show", "train"])
def test_a_name_that_nothing_carries(sslgraph: Command, command: str) -> None:
    assert_told(
        sslgraph(command, "simclrr"),
        "there is no recipe or method 'simclrr'\n  there are: barlow_twins, beit, byol, ",
        "  did you mean 'simclr'?",
    )


def test_a_recipe_of_a_file_that_is_not_there(sslgraph: Command) -> None:
    change("recipe.yaml", "method.yaml", "gone.yaml")
    assert_told(sslgraph("check", "recipe.yaml"), "recipe.yaml:2:9: there is no file gone.yaml\n  its path starts from")


@pytest.mark.parametrize("what", WRONG_METHODS)
def test_a_method_with_one_thing_wrong(sslgraph: Command, what: str) -> None:
    old, new, *sentences = WRONG_METHODS[what]
    change("method.yaml", old, new)
    assert_told(sslgraph("check", "method.yaml"), *sentences)


def test_all_faults_of_a_text_are_told_at_once_in_the_order_of_their_lines(sslgraph: Command) -> None:
    for what in ("setting", "component", "value of a setting"):
        change("method.yaml", *WRONG_METHODS[what][:2])
    said = sslgraph("check", "method.yaml")
    assert_told(said, "method.yaml:7:43: ", "method.yaml:7:51: ", "method.yaml:17:15: ")
    assert said.err.count("method.yaml:") == 3


@pytest.mark.parametrize("command", ["check", "train"])
@pytest.mark.parametrize("what", WRONG_RECIPES)
def test_a_recipe_with_one_thing_wrong(sslgraph: Command, what: str, command: str) -> None:
    old, new, *sentences = WRONG_RECIPES[what]
    change("recipe.yaml", old, new)
    assert_told(sslgraph(command, "recipe.yaml"), *sentences)


@pytest.mark.parametrize("what", WRONG_RUNS)
def test_a_run_that_can_not_start(sslgraph: Command, what: str) -> None:
    Path("empty").mkdir()
    Path("texts").mkdir()
    Path("texts/notes.txt").write_text("no picture")
    old, new, *sentences = WRONG_RUNS[what]
    change("recipe.yaml", old, new)
    said = sslgraph("train", "recipe.yaml", "--out", "run")
    assert_told(said, *sentences)
    end = {
        "empty": "has no images; it is empty, and images end in .jpg",
        "without": "has no images; it holds 1 other file, such as notes.txt",
    }
    assert all(sentence in said.err for word, sentence in end.items() if word in what)
    assert not Path("run").exists()


def test_images_without_labels_are_measured_without_them(sslgraph: Command) -> None:
    Path("pictures").mkdir()
    for i in range(20):
        Image.effect_noise((16, 16), 40 + i).save(f"pictures/{i}.png")
    change("recipe.yaml", SHAPES, "{use: sources.image_folder, path: pictures}")
    assert sslgraph("train", "recipe.yaml", "--out", "run").code == 0
    said = sslgraph("evaluate", "run")
    told = " ".join(said.out.split())
    assert said.code == 0 and "without labelled images (--data) there is no knn20 and no linear" in told


def trained(sslgraph: Command) -> Path:
    """The newest checkpoint of a run that ended."""
    assert sslgraph("train", "recipe.yaml", "--out", "run").code == 0
    return checkpoint.complete(Path("run/checkpoints"))[-1]


def test_a_checkpoint_of_another_method(sslgraph: Command) -> None:
    last = trained(sslgraph)
    change("method.yaml", "out: 8}", "out: 4}")
    said = sslgraph("train", "recipe.yaml", "--resume", "run")
    other = "method.nets.g.out was 8, and is 4 here; choose another folder with --out"
    run = last.parent.parent.resolve()
    assert_told(said, f"{run} holds another run: {other}, or continue that run: sslgraph train --resume run")


@pytest.mark.parametrize("command", [("train", "recipe.yaml", "--resume", "run"), ("evaluate", "run")])
@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda b: b[: len(b) // 2], "a file is shorter than it was written"),
        (lambda b: b[:-200] + bytes(200), "PytorchStreamReader failed"),
    ],
)
def test_a_checkpoint_that_is_cut_or_overwritten(
    sslgraph: Command, command: tuple[str, ...], broken: Callable[[bytes], bytes], reason: str
) -> None:
    file = trained(sslgraph) / "method.pt"
    file.write_bytes(broken(file.read_bytes()))
    said = sslgraph(*command)
    assert_told(said, "the checkpoint ")
    assert f"{file.parent.name} is damaged and can't be read ({reason}" in said.err
    assert said.err.endswith("; remove the folder to continue from the one before it\n")


def test_after_a_damaged_checkpoint_is_removed_the_run_goes_on_from_the_one_before(sslgraph: Command) -> None:
    last = trained(sslgraph)
    for file in last.iterdir():
        file.unlink()
    last.rmdir()
    assert sslgraph("train", "recipe.yaml", "--resume", "run").code == 0
    assert last.is_dir()


PLUGIN = """\
from torch import nn

raise RuntimeError("no licence")

class Loss(nn.Module):
    def forward(self, one, other): ...
"""


def test_a_plugin_that_raises_at_import_is_shown_as_itself(sslgraph: Command) -> None:
    Path("failing_plugin.py").write_text(PLUGIN)
    Path("method.yaml").write_text(
        METHOD.partition("targets:")[0] + "flow:\n  q: l2(g(f(xq)))\n  k: l2(g(f(xk)))\n"
        "losses:\n  own: {use: 'failing_plugin:Loss', of: [q, k]}\nexport: f\n"
    )
    for command in (("check",), ("train", "--out", "run")):
        said = sslgraph(command[0], "method.yaml", *command[1:], "--plugin", "failing_plugin")
        assert_told(said, "method.yaml:12:8: 'own' (failing_plugin:Loss) can't be built: the plugin failing_plugin (")
        assert "failing_plugin.py) failed while it was imported: RuntimeError: no licence" in said.err


def test_no_space_left_while_saving_loses_nothing_of_the_previous_checkpoint(
    sslgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def full(handle: int) -> None:
        if Path("run/checkpoints/step_00000002").is_dir() and Path("run/checkpoints/.step_00000004").is_dir():
            no_space()
        sync(handle)

    def no_space() -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(checkpoint.os, "fsync", full)
        said = sslgraph("train", "recipe.yaml", "--out", "run")
    assert_told(said, "no space is left in ")
    assert "so the checkpoint of step 4 was not saved; the checkpoint of step 2 is kept" in said.err
    assert {path.name for path in Path("run/checkpoints").iterdir()} == {"step_00000000", "step_00000002"}
    assert sslgraph("train", "recipe.yaml", "--resume", "run").code == 0
    assert checkpoint.complete(Path("run/checkpoints"))[-1].name == "step_00000004"


@pytest.mark.parametrize("what", WRONG_WORDS)
def test_a_command_with_a_wrong_word(sslgraph: Command, what: str) -> None:
    words, sentence = WRONG_WORDS[what]
    assert_told(sslgraph(*words), sentence)
