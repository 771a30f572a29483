"""The flat text of a run: it reads back as the same method, and says the same when it is written again."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from texts import MOCO, shelf_of_specs  # noqa: F401 - the fixture shelf

from sslgraph.read import catalogue
from sslgraph.read.document import read_text
from sslgraph.read.load import load_method, load_recipe, method_of, recipe_of
from sslgraph.read.resolved import resolved
from sslgraph.read.spec import Method, Part, View

HERE = Path("again.yaml")


@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_every_method_reads_back_as_itself(name: str) -> None:
    method = load_method(name).spec
    text = resolved(method)
    again = method_of(read_text(text, HERE)).spec
    assert again == method
    assert resolved(again) == text


@pytest.mark.parametrize("name", catalogue.names("recipes"))
def test_every_recipe_reads_back_as_itself(name: str) -> None:
    loaded = load_recipe(name)
    text = resolved(loaded.spec)
    again = recipe_of(read_text(text, HERE))
    assert again.spec.method == loaded.spec.method
    assert resolved(again.spec) == text


def test_the_text_is_flat_and_a_node_stands_on_a_line() -> None:
    text = resolved(method_of(read_text(MOCO, HERE)).spec)
    assert text.splitlines()[:6] == [
        "method: MoCo",
        "family: contrastive",
        "views:",
        "  xq: {augment: plain}",
        "  xk: {augment: plain, crop.scale: [0.2, 1]}",
        "nets:",
    ]
    assert "  fk: {ema_of: f, momentum: {cosine: [0.99, 1.0]}}" in text.splitlines()
    assert text.splitlines()[-3:] == ["after_step:", "- queue.push(k)", "export: f"]


def test_a_recipe_holds_its_whole_method(shelf: Path) -> None:
    loaded = load_recipe("small/moco", {"nets.f.depth": 34})
    text = resolved(loaded.spec)
    for file in shelf.rglob("*.yaml"):
        file.unlink()
    again = recipe_of(read_text(text, HERE))
    assert again.spec.method == loaded.spec.method
    assert again.spec.method.nets["f"].settings == {"depth": 34}
    assert again.spec.optimizer == loaded.spec.optimizer
    assert not {"set", "replace", "remove"} & set(read_text(text, HERE).data)


SETTINGS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        [
            "on",
            "1e-4",
            "1:30",
            "no",
            "~",
            "=",
            "2020-01-01",
            "0x1",
            "a: b",
            "- a",
            "'",
            "%",
            "a #b",
            "<<",
            "010",
            "f(x, y)",
        ]
    )
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["on", "a b", "1", "use", "{"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(SETTINGS)
def test_any_setting_survives_being_written_and_read(value: Any) -> None:
    assume("$" not in repr(value))  # those are references
    method = Method(
        method="A", views={"x": View(augment="a")}, nets={"f": Part(use="a.b", settings={"value": value})}, export="f"
    )
    again = method_of(read_text(resolved(method), HERE)).spec
    assert again == method
    assert repr(again.nets["f"].settings) == repr(method.nets["f"].settings)
