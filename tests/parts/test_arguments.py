"""Settings as arguments: what a constructor takes is told in plain words, and so is what it was given."""

from __future__ import annotations

import pytest
from toys import PLUGINS

from sslgraph.errors import Fault
from sslgraph.parts.arguments import constructed, kind_in_words, setting_faults
from sslgraph.parts.registry import signature
from sslgraph.parts.signature import REQUIRED, Setting, Signature
from sslgraph.traits import Traits


@pytest.mark.parametrize(
    ("settings", "at", "problem"),
    [
        ({"outt": 3}, ("outt",), "parts:Dense has no setting 'outt'; did you mean 'out'?"),
        ({"out": 3, "zebra": 1}, ("zebra",), "parts:Dense has no setting 'zebra'; it has: out, dim"),
        ({"out": "3"}, ("out",), "'out' of parts:Dense must be a whole number, not the text '3' (remove the quotes)"),
        ({"out": 3.5}, ("out",), "'out' of parts:Dense must be a whole number, not 3.5"),
        ({"out": True}, ("out",), "'out' of parts:Dense must be a whole number, not true"),
        ({"out": None}, ("out",), "'out' of parts:Dense must be a whole number, not empty"),
        ({}, (), "parts:Dense needs the setting 'out': a whole number"),
        (
            {"out": {"cosine": [1, 2]}},
            ("out",),
            "'out' of parts:Dense is fixed for the whole run, so it can't be a schedule; write a number",
        ),
    ],
)
def test_a_wrong_setting_is_told_in_a_sentence(settings: dict[str, object], at: tuple[str, ...], problem: str) -> None:
    faults = setting_faults(signature("parts:Dense", PLUGINS), settings)
    assert (at, problem) in [(fault.at, fault.problem) for fault in faults]


def test_a_scalar_may_be_a_number_or_a_schedule_and_nothing_else() -> None:
    square = signature("parts:Square", PLUGINS)
    assert setting_faults(square, {"temperature": 1}) == []
    assert setting_faults(square, {"temperature": {"cosine": [1, 0]}}) == []
    (fault,) = setting_faults(square, {"temperature": {"cosine": [1]}})
    told = "is a schedule that can't be read: cosine: [1.0] must name a first and a last value"
    assert fault.problem == f"'temperature' of parts:Square {told}"
    assert setting_faults(square, {"temperature": "warm"}) == [
        Fault(("temperature",), "'temperature' of parts:Square must be a number or a schedule, not the text 'warm'")
    ]


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ("int", "a whole number"),
        ("float | None", "a number or null"),
        ("Optional[bool]", "true or false or null"),
        ("Literal[10, 18, 34]", "10, 18 or 34"),
        ("Literal['mean', 'sum']", "'mean' or 'sum'"),
        ("list[int]", "a list of whole numbers"),
        ("tuple[float, float]", "a list of 2 numbers"),
        ("tuple[int, ...]", "a list of whole numbers"),
        ("dict[str, float]", "a mapping"),
        ("Scalar", "a number or a schedule"),
        ("Sequence", "a list"),
        ("_size_2_t", "_size_2_t"),
        ("Any", "anything"),
    ],
)
def test_an_annotation_in_words(annotation: str, words: str) -> None:
    assert kind_in_words(Setting("own", annotation, None)) == words


@pytest.mark.parametrize(
    ("annotation", "value", "problem"),
    [
        ("Scalar", "0.2", "must be a number or a schedule, not the text '0.2' (remove the quotes)"),
        ("bool", "true", "must be true or false, not the text 'true' (remove the quotes)"),
        ("Literal[10, 18, 34, 50, 101]", 19, "must be 10, 18, 34, 50 or 101, not 19"),
        ("Literal['batch', 'none']", "layer", "must be 'batch' or 'none', not the text 'layer'"),
        ("list[int]", [16, "a"], 'must be a list of whole numbers, not [16, "a"]'),
        ("str", 3, "must be text, not 3"),
        ("int", {"a": 1}, 'must be a whole number, not {"a": 1}'),
    ],
)
def test_a_wrong_value_is_told_beside_what_is_right(annotation: str, value: object, problem: str) -> None:
    (fault,) = setting_faults(own(annotation), {"own": value})
    assert fault == Fault(("own",), f"'own' of own:Part {problem}")


@pytest.mark.parametrize("annotation", ["_size_2_t", "Tensor", "1 +", "print"])
def test_an_annotation_that_only_its_author_knows_takes_any_value(annotation: str) -> None:
    assert setting_faults(own(annotation), {"own": [3, 3]}) == []
    assert constructed(Setting("own", annotation, REQUIRED), [3, 3]) == [3, 3]


def own(annotation: str) -> Signature:
    """The signature of a part with one setting."""
    settings = {"own": Setting("own", annotation, REQUIRED)}
    return Signature("own:Part", "Part", "own", "own.py", "", Traits(source=""), settings, {}, (), {}, False)
