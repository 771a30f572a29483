"""Plugins: allowed by name, found beside the text that names them, and told apart from misspelt ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph

from sslgraph.errors import SpecError
from sslgraph.home import config
from sslgraph.method import load as sslgraph_load
from sslgraph.parts import module_text
from sslgraph.pipelines.commands import app
from sslgraph.read.load import load_method, load_recipe
from sslgraph.read.plugins import allowed, folders_of
from sslgraph.read.trusted import is_trusted

HELPER = """
from torch import nn

import NAME_sibling


class Mine(nn.MSELoss): ...
"""
METHOD = """
method: Own
extends: byol
views: {x1: {augment: byol_a, size: 16}, x2: {augment: byol_b, size: 16}}
nets: {f: {use: backbones.resnet, depth: 10, width: 4, stem: small}}
replace:
  losses.one: {use: "NAME:Mine", of: [p1, t2]}
  losses.two: {use: "NAME:Mine", of: [p2, t1]}
"""
RECIPE = """
recipe: own
method: method.yaml
data: {use: sources.shapes, size: 32, images: 16}
steps: 2
batch: 8
optimizer: {use: sgd, lr: 0.1, momentum: 0.9, weight_decay: 1e-4}
plugins: [NAME]
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands are given in another folder, and the import path is as before after each test."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr(sys, "path", list(sys.path))


def folder(tmp_path: Path, name: str, where: str = "specs") -> Path:
    """A folder with a method, a recipe, and beside them a plugin of this name that imports a module beside it."""
    made = tmp_path / where
    made.mkdir(exist_ok=True)
    (made / "method.yaml").write_text(METHOD.lstrip().replace("NAME", name))
    (made / "recipe.yaml").write_text(RECIPE.lstrip().replace("NAME", name))
    (made / f"{name}.py").write_text(HELPER.replace("NAME", name))
    (made / f"{name}_sibling.py").write_text("")
    return made


def test_a_plugin_beside_its_text_is_found_from_any_folder(tmp_path: Path, sslgraph: Command) -> None:
    specs = folder(tmp_path, "beside_one")
    refused = sslgraph("check", str(specs / "method.yaml"))
    assert refused.code == 1 and "allow it with --plugin beside_one" in refused.err
    assert sslgraph("check", str(specs / "method.yaml"), "--plugin", "beside_one").code == 0


def test_what_a_recipe_names_runs_only_when_the_user_has_said_so(tmp_path: Path, sslgraph: Command) -> None:
    """`plugins:` names what a text needs. A folder that was downloaded runs nothing, whatever is done with it."""
    specs = folder(tmp_path, "beside_self")
    mark = tmp_path / "it ran"
    (specs / "beside_self_sibling.py").write_text(f"from pathlib import Path\nPath({str(mark)!r}).touch()\n")
    recipe, path = str(specs / "recipe.yaml"), list(sys.path)
    refused = f"{recipe}:7:11: the plugin 'beside_self' ({specs / 'beside_self.py'}) is code, and a text must not run"
    for command in ("check", "show", "draw", "plan", "views", "train", "verify"):
        said = sslgraph(command, recipe)
        assert said.code == 1 and said.err.startswith(refused), (command, said.err)
    assert "give --plugin beside_self; that is remembered" in said.err
    assert sys.path == path and not mark.exists()
    assert sslgraph("check", recipe, "--plugin", "beside_self").code == 0 and mark.exists()
    for text in (recipe, str(specs / "method.yaml")):  # asked for once
        assert sslgraph("check", text).code == 0


def test_trust_is_in_a_file_and_a_module_and_not_in_a_name(
    tmp_path: Path, sslgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs, other = folder(tmp_path, "beside_trust"), folder(tmp_path, "beside_trust", "downloaded")
    assert sslgraph("check", str(specs / "recipe.yaml"), "--plugin", "beside_trust").code == 0
    monkeypatch.delitem(sys.modules, "beside_trust")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(specs)])
    assert "downloaded/beside_trust.py) is code" in sslgraph("check", str(other / "recipe.yaml")).err
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(other)])
    assert sslgraph("check", str(specs / "recipe.yaml")).code == 0
    assert not is_trusted("beside_trust_sibling", specs / "beside_trust_sibling.py")


def test_a_list_of_the_trusted_that_others_can_write_to_is_not_believed(tmp_path: Path, sslgraph: Command) -> None:
    specs, kept = folder(tmp_path, "beside_list"), config() / "trusted.json"
    assert sslgraph("check", str(specs / "recipe.yaml"), "--plugin", "beside_list").code == 0
    assert kept.stat().st_mode & 0o77 == 0 or kept.parent.stat().st_mode & 0o77 == 0
    kept.chmod(0o666)
    assert sslgraph("check", str(specs / "recipe.yaml")).code == 1
    kept.chmod(0o600)
    assert sslgraph("check", str(specs / "recipe.yaml")).code == 0
    for damaged in ("", "{", "[1]", "[[1]]", "null"):
        kept.write_text(damaged)
        assert sslgraph("check", str(specs / "recipe.yaml")).code == 1


def test_nothing_of_the_current_folder_can_be_imported_unless_a_plugin_lies_there(
    tmp_path: Path, sslgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries import what may be installed: `cupy.py` in a downloaded folder must not be that."""
    monkeypatch.chdir(folder(tmp_path, "beside_here"))
    for command in (("list",), ("check", "byol"), ("check", "recipe.yaml")):
        path = sslgraph_path(sslgraph, *command)
        assert str(Path.cwd()) not in path and "" not in path
    assert str(Path.cwd()) in sslgraph_path(sslgraph, "check", "recipe.yaml", "--plugin", "beside_here")


def sslgraph_path(sslgraph: Command, *words: str) -> list[str]:
    """The import path at the end of a command."""
    seen: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        original = app.app

        def watched(**given: str) -> None:
            try:
                original(**given)
            finally:
                seen[:] = sys.path

        patch.setattr(app, "app", watched)
        sslgraph(*words)
    return seen


def test_a_run_finds_its_plugins_again(tmp_path: Path, sslgraph: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = folder(tmp_path, "beside_two")
    said = sslgraph("train", str(specs / "recipe.yaml"), "--out", "run", "--plugin", "beside_two")
    assert said.code == 0, said.err
    for name in ("beside_two", "beside_two_sibling"):
        sys.modules.pop(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(specs)])
    assert not module_text.is_there("beside_two")
    said = sslgraph("evaluate", "elsewhere/run")
    assert said.code == 0, said.err


def test_a_plugin_is_found_beside_the_parent_that_names_it(tmp_path: Path) -> None:
    specs = folder(tmp_path, "beside_three")
    child = tmp_path / "child.yaml"
    child.write_text(f"method: Child\nextends: {specs}/method.yaml\n")
    assert allowed(["beside_three"], load_method(child)) == ("beside_three",)
    assert sys.path[-1] == str(specs) and folders_of(["beside_three", "torch.nn"]) == {"beside_three": str(specs)}


def test_a_method_loaded_in_python_finds_it_too(tmp_path: Path) -> None:
    specs = folder(tmp_path, "beside_ten")
    method = sslgraph_load(specs / "method.yaml", plugins=("beside_ten",))
    assert method.graph.boxes["one"].signature.ports.keys() == {"input", "target"}


def test_what_is_not_allowed_is_not_looked_for(tmp_path: Path) -> None:
    specs, path = folder(tmp_path, "beside_four"), list(sys.path)
    assert allowed((), load_method(specs / "method.yaml")) == ()
    assert sys.path == path


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("besid_five", r"did you mean 'beside_five'\? it is looked for in .*specs, .* and among installed packages"),
        ("zzz", "it is looked for in .*specs, "),
    ],
)
def test_a_misspelt_plugin_is_said_to_be_misspelt(tmp_path: Path, name: str, says: str) -> None:
    specs = folder(tmp_path, "beside_five")
    with pytest.raises(SpecError, match=rf"^--plugin {name}: there is no module '{name}'\n  {says}"):
        allowed([name], load_method(specs / "method.yaml"))


def test_a_misspelt_plugin_of_a_recipe_is_told_at_its_line(tmp_path: Path) -> None:
    specs = folder(tmp_path, "beside_six")
    recipe = specs / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("[beside_six]", "[beside_sx]"))
    with pytest.raises(
        SpecError, match=r"recipe.yaml:7:11: there is no module 'beside_sx'\n  did you mean 'beside_six'"
    ):
        allowed((), load_recipe(recipe))


def test_a_plugin_for_another_text_of_the_same_command_is_no_fault(tmp_path: Path) -> None:
    assert allowed(["beside_seven"], load_method("simclr")) == ("beside_seven",)
    specs = folder(tmp_path, "beside_seven")
    assert allowed(["beside_seven"], load_method("simclr"), load_method(specs / "method.yaml")) == ("beside_seven",)
    assert module_text.is_there("beside_seven")


def test_two_modules_of_one_name_are_refused(tmp_path: Path) -> None:
    first, second = folder(tmp_path, "beside_eight"), folder(tmp_path, "beside_eight", "other")
    allowed(["beside_eight"], load_method(first / "method.yaml"))
    with pytest.raises(SpecError, match=r"two modules are called 'beside_eight': .*specs.*, and .*other.* beside this"):
        allowed(["beside_eight"], load_method(second / "method.yaml"))


def test_a_folder_beside_a_text_does_not_hide_an_installed_package(tmp_path: Path) -> None:
    specs = folder(tmp_path, "beside_nine")
    (specs / "torch").mkdir()
    path = list(sys.path)
    assert allowed(["torch.nn"], load_method(specs / "method.yaml")) == ("torch.nn",)
    assert sys.path == path
