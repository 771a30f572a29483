"""The schema accepts every shipped spec, and refuses what one line of a text shows to be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import Command
from command import sslgraph as sslgraph
from wrong_texts import METHOD, RECIPE, WRONG_METHODS, WRONG_RECIPES

from sslgraph import home
from sslgraph.parts import registry
from sslgraph.pipelines.look.json_schema import json_schema
from sslgraph.read.document import read, read_text

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema comes with the extra test")
SEEN = ("component", "key", "optimizer", "port of a loss", "section", "setting", "setting of the data", "source",
        "setting of the optimizer", "value of a setting", "nothing that says what it is")  # fmt: skip
WRONG = {
    "a setting out of its range": ("size: 16}\nflow", "size: 0}\nflow"),
    "frozen: 1": ("depth: 10", "frozen: 1, depth: 10"),
    "a part of another kind": ("use: heads.mlp", "use: losses.info_nce"),
    "an unknown word for a choice": ("stem: cifar", "stem: large"),
    "a flow that is no text": ("q: l2(g(f(xq)))", "q: 3"),
}


@pytest.fixture(scope="module")
def schema() -> Any:
    found = json_schema()
    jsonschema.Draft7Validator.check_schema(found)
    return jsonschema.Draft7Validator(found)


def test_every_shipped_spec_is_accepted(schema: Any) -> None:
    for file in sorted(home.SPECS.rglob("*.yaml")):
        assert [error.message for error in schema.iter_errors(read(file).data)] == [], file


def test_what_one_line_shows_to_be_wrong_is_refused(schema: Any) -> None:
    texts = [(METHOD, WRONG_METHODS[name][:2]) for name in SEEN if name in WRONG_METHODS]
    texts += [(RECIPE, WRONG_RECIPES[name][:2]) for name in SEEN if name in WRONG_RECIPES]
    assert len(texts) == len(SEEN) and all(schema.is_valid(plain(text)) for text in (METHOD, RECIPE))
    texts += [(METHOD, change) for change in WRONG.values()]
    for text, (old, new) in texts:
        assert old in text and not schema.is_valid(plain(text.replace(old, new, 1))), (old, new)


def plain(text: str) -> dict[str, Any]:
    return read_text(text, Path("text.yaml")).data


def test_every_setting_of_a_part_is_in_it_with_its_default_and_what_it_does() -> None:
    found = json_schema()["$defs"]
    temperature = found["Loss.losses.info_nce"]["properties"]["temperature"]
    assert temperature["description"] == "divides the similarities, no unit. (a number above 0 or a schedule)"
    assert temperature["default"] == 0.2 and {"exclusiveMinimum": 0, "type": "number"} in temperature["anyOf"]
    for use in registry.catalogue():
        kind = {"losses": "Loss", "sources": "Data", "augment": "Step"}.get(use.split(".")[0], "Part")
        assert registry.signature(use).settings.keys() <= found[f"{kind}.{use}"]["properties"].keys(), use


def test_the_command_prints_it_or_writes_it_whole(sslgraph: Command, tmp_path: Path) -> None:
    said = sslgraph("schema")
    assert said.code == 0 and json.loads(said.out) == json_schema()
    file = tmp_path / "x.json"
    assert sslgraph("schema", "-o", str(file)).out == f"written: {file}\n" and file.read_text() == said.out
    said = sslgraph("schema", "-o", str(tmp_path / "gone/x.json"))
    assert said.code == 1 and len(said.err.splitlines()) == 1 and "can't be written" in said.err


@pytest.mark.parametrize("method", ["simclr", "cpc"])
def test_init_writes_a_recipe_that_is_right_by_check_and_by_schema(
    method: str, schema: Any, sslgraph: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my photos, 1").mkdir()
    said = sslgraph("init", method, "--data", "my photos, 1")
    assert said.code == 0 and said.out.startswith(f"written: {method}.yaml\n"), said.err
    text = Path(f"{method}.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=sslgraph.schema.json\n")
    assert max(map(len, text.splitlines())) <= 120
    assert sslgraph("check", "--fast", f"{method}.yaml").code == 0
    found = plain(text)
    assert schema.is_valid(found) and found["data"]["path"] == str(tmp_path / "my photos, 1") and found["epochs"] == 100


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("simclrr",), "there is no method 'simclrr'"),
        (("simclr", "-o", "x.txt"), "x.txt: a recipe's file ends in .yaml"),
        (("simclr", "-o", "gone/x.yaml"), "gone/x.yaml can't be written: no such file or directory"),
        (("simclr", "-o", "there.yaml"), "there.yaml is there already; give another name with -o"),
    ],
)
def test_a_recipe_that_can_not_be_written_is_refused_and_nothing_is_left(
    words: tuple[str, ...], message: str, sslgraph: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.yaml").touch()
    said = sslgraph("init", *words)
    assert said.code == 1 and said.err.startswith(message)
    assert [path.name for path in tmp_path.iterdir()] == ["there.yaml"] and not Path("there.yaml").read_text()
