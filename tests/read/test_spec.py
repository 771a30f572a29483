"""The models of what a text may say: frozen, strict, with settings beside the reserved keys."""

from typing import Any

import pytest
from pydantic import ValidationError

from sslgraph.read.spec import Average, Loss, Method, Part, Phase, Recipe, Snapshot, View

METHOD = {"method": "m", "views": {"x": {"augment": "a"}}, "nets": {"f": {"use": "a.b"}}, "export": "f"}
RECIPE = {"recipe": "r", "method": METHOD, "data": {"use": "d", "path": "p"}, "batch": 8, "optimizer": {"use": "sgd"}}


def test_what_is_not_reserved_is_a_setting() -> None:
    assert Part.model_validate({"use": "a.b", "out": 3, "frozen": True}) == Part(
        use="a.b", settings={"out": 3}, frozen=True
    )
    assert View.model_validate({"augment": "a", "crop.scale": [0, 1]}).settings == {"crop.scale": [0, 1]}
    assert Loss.model_validate({"use": "a.b", "where": "m"}).settings == {"where": "m"}
    assert Recipe.model_validate({**RECIPE, "steps": 3}).data.settings == {"path": "p"}


def test_a_text_may_not_write_the_word_settings_itself() -> None:
    with pytest.raises(ValidationError, match="write settings beside use:"):
        Part.model_validate({"use": "a.b", "settings": {"out": 3}}, context="text")


def test_values_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Part(use="a.b").use = "c.d"  # type: ignore[misc]


@pytest.mark.parametrize(
    "model, values",
    [
        (Part, {"use": 3}),
        (Part, {"use": "a", "frozen": 1}),
        (Part, {"use": "a", "freeze": "soon"}),
        (Part, {"use": "a", "freeze": {"last": "soon"}}),
        (Part, {"use": "a", "freeze": 3}),
        (View, {"augment": "a", "copies": 0}),
        (View, {"augment": "a", "copies": True}),
        (View, {"augment": "a", "copies": "2"}),
        (Average, {"ema_of": "f"}),
        (Average, {"ema_of": "f", "momentum": "fast"}),
        (Snapshot, {"snapshot_of": "f"}),
        (Snapshot, {"snapshot_of": "f", "every": "0 steps"}),
        (Snapshot, {"snapshot_of": "f", "from": "1 epoch", "at_most": 2}),
        (Loss, {"use": "a", "weight": {"cosine": 1}}),
        (Loss, {"use": "a", "weight": "0.5"}),
        (Phase, {"name": "a", "every": "often"}),
        (Phase, {"name": "a", "start": "1 epoch"}),
        (Method, {"method": "a"}),
        (Recipe, RECIPE),
        (Recipe, {**RECIPE, "steps": 3, "epochs": 3}),
        (Recipe, {**RECIPE, "steps": 0}),
    ],
)
def test_what_the_language_does_not_know_is_refused(model: Any, values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(values)


@pytest.mark.parametrize(
    "values",
    [
        {"use": "a", "freeze": "1 epoch"},
        {"use": "a", "freeze": {"last": "1 epoch", "mlp.0": "10 %"}},
        {"use": "a", "freeze": {"last": "always"}},
        {"use": "a", "weights": "$tokenizer"},
    ],
)
def test_a_net_may_be_held_still_and_given_weights(values: dict[str, Any]) -> None:
    part = Part.model_validate(values)
    assert part.freeze == values.get("freeze")
    assert (part.weights and part.weights.source) == values.get("weights")
