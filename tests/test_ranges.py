"""Settings have ranges: a value that can't be is refused by its type, wherever it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sslgraph.parts import kinds, registry
from sslgraph.parts.arguments import setting_faults

# Numbers that may be anything.
FREE = {
    "clustering.pca_whiten.power": "0 keeps the variances, -0.5 whitens, and both signs mean something",
    "losses.cross_entropy.ignore": "a label like any other, negative by custom",
    "masks.center_square.fill": "a colour after the normalisation of the view",
    "masks.random_square.fill": "a colour after the normalisation of the view",
    **dict.fromkeys(
        (
            f"sources.{name}.range"
            for name in ("arrays", "image_folder", "label_maps", "listed", "parquet", "webdataset")
        ),
        "black and white of any kind of pixel: Hounsfield units begin below 0",
    ),
    "wiring.scale.factor": "a negative factor turns a value round",
    "wiring.scale.shift": "a negative shift takes off",
    "wiring.slice.start": "below 0 it counts from the end",
    "wiring.slice.stop": "below 0 it counts from the end",
}


def numbers() -> dict[str, str]:
    """The annotation of every setting of every shipped part that may be a number."""
    found = {}
    for use in registry.catalogue():
        for setting in registry.signature(use).settings.values():
            if list(number_schemas(kinds.schema(setting.annotation))):
                found[f"{use}.{setting.name}"] = setting.annotation
    return found


def number_schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """The JSON schema of each number, but one of a few, that may stand somewhere in a value."""
    if isinstance(schema, dict) and "enum" not in schema and "const" not in schema:
        if schema.get("type") in ("integer", "number"):
            yield schema
        yield from number_schemas([value for key, value in schema.items() if key != "default"])
    elif isinstance(schema, list):
        yield from (found for item in schema for found in number_schemas(item))


def is_bounded(annotation: str) -> bool:
    """Whether every number in a value has a least or a greatest value, or is one of a few."""
    bounds = {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}
    return all(bounds & number.keys() for number in number_schemas(kinds.schema(annotation)))


def test_every_number_of_every_part_has_a_range_or_a_reason() -> None:
    without = {name for name, annotation in numbers().items() if not is_bounded(annotation)}
    assert without == set(FREE)


def test_every_default_lies_in_its_range() -> None:
    for use in registry.catalogue():
        found = registry.signature(use)
        given = {s.name: s.default for s in found.settings.values() if not s.is_required}
        faults = setting_faults(found, {name: list(v) if isinstance(v, tuple) else v for name, v in given.items()})
        assert [fault for fault in faults if fault.at] == []


@pytest.mark.parametrize(
    ("annotation", "right", "wrong", "told"),
    [
        ("Count", [1, 512], [0, -1, 1.5, True], "a whole number of at least 1"),
        ("Count | None", [None, 1], [0], "a whole number of at least 1 or null"),
        ("list[Count]", [[], [1, 2]], [[0], [4, -1]], "a list of whole numbers of at least 1"),
        ("Odd", [1, 23], [2, -3], "a whole number of at least 1, odd"),
        ("Positive", [1e-9, 3], [0, -0.1, float("inf"), float("nan")], "a number above 0"),
        ("Share | list[Share]", [0, 1, [0.5, 1]], [7, -0.1, [0.5, 2]],
         "a number from 0 to 1 or a list of numbers from 0 to 1"),
        ("LessThanOne", [0, 0.99], [1, -0.1], "a number of at least 0 and below 1"),
        ("Shares", [[0.2, 1], [1, 1]], [[0.2, 5], [0, 1], [0.9, 0.1], [0.2]],
         "a list of 2 numbers above 0 and at most 1, the smaller one first"),
        ("Annotated[float, Field(ge=2, lt=3)]", [2, 2.9], [3, 1], "a number of at least 2 and below 3"),
        ("Annotated[int, Field(ge=2)]", [2], [1], "a whole number of at least 2"),
        ("Scalar", [-1, 0.5, {"cosine": [-1, 5]}], [float("nan"), "x"], "a number or a schedule"),
        (
            "ShareScalar",
            [0, 1, {"cosine": [0.9, 1]}, {"warmup": "1 epoch", "then": 0.5}],
            [99, {"cosine": [0.9, 99]}, {"warmup": "1 epoch", "then": {"steps": [0.1, -1], "at": ["1 epoch"]}}],
            "a number from 0 to 1 or a schedule",
        ),
        (
            "ShareOfEach",
            [0.5, {"linear": [0.1, 0.5]}, {"uniform": [0.1, 0.5]}, {"uniform": [0, 0.5], "p": 0.5}],
            [0, 1, {"uniform": [0.1]}, {"uniform": [0.5, 0.1]}, {"uniform": [0.1, 1]}, {"uniform": [0.1, 0.2], "q": 1},
             {"p": 0.5}, {"uniform": [0.1, 0.2], "p": 0}, {"uniform": ["a", 0.2]}],
            "a number above 0 and below 1 or a schedule or a mapping such as {uniform: [0.1, 0.5], p: 0.5}",
        ),
        ("PositiveScalar", [0.1, {"linear": [0.04, 0.07]}], [0, {"warmup": "1 epoch", "then": 1}],
         "a number above 0 or a schedule"),
    ],
)  # fmt: skip
def test_a_range_takes_what_lies_in_it_and_says_what_that_is(
    annotation: str, right: list[object], wrong: list[object], told: str
) -> None:
    assert kinds.in_words(annotation) == told
    assert [value for value in right if kinds.problem(annotation, value)] == []
    assert [value for value in wrong if f"must be {told}" not in kinds.problem(annotation, value)] == []


def test_a_schedule_that_leaves_the_range_is_told_where() -> None:
    assert kinds.problem("ShareScalar", {"cosine": [0.996, 99]}) == (
        "must be a number from 0 to 1 or a schedule, and its schedule reaches 99"
    )


def test_the_law_of_ranges_can_fail() -> None:
    assert not is_bounded("int | None") and not is_bounded("tuple[float, Share]")
    assert not is_bounded("Scalar")
    assert is_bounded("Count | list[Share]") and is_bounded("Literal[1, 2]") and is_bounded("str")
