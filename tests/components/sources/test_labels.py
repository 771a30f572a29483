"""Labels of every kind become numbers of classes, the same in every file and split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sslgraph.components.sources.tables.labels import advice, as_named, none, numbered, raw


@pytest.mark.parametrize(
    ("values", "codes", "classes"),
    [
        ([0, 1, 1, None], [0, 1, 1, -1], ()),
        ([2**63, 3, 3, 2**63], [0, 1, 1, 0], ("3", str(2**63))),
        ([2**62 + 1, 2**62 + 3], [0, 1], (str(2**62 + 1), str(2**62 + 3))),  # which no fraction can be
        ([True, False, None], [1, 0, -1], ()),
        ([0.0, 1.0, float("nan")], [0, 1, -1], ()),
        (["dog", "cat", "", None], [1, 0, -1, -1], ("cat", "dog")),
        (["10", "9", "9"], [10, 9, 9], ()),
        ([b"dog", b"cat\n"], [1, 0], ("cat", "dog")),
        ([7, 10_000_000, -1], [0, 1, -1], ("7", "10000000")),
        (["1.0", "nan", "0.0", ""], [1, -1, 0, -1], ()),
        (["a", "NaN", "<NA>"], [0, -1, -1], ("a",)),
        ([str(10**19), str(10**19 + 1)], [0, 1], (str(10**19), str(10**19 + 1))),
        (["1_0", "7"], [0, 1], ("1_0", "7")),
        (["caf\u00e9", "cafe\u0301"], [0, 0], ("caf\u00e9",)),
    ],
)
def test_values_become_numbers_of_classes(values: list[Any], codes: list[int], classes: tuple[str, ...]) -> None:
    found = raw(values)
    assert found is not None
    labels, names = numbered([found])
    if 2**63 in values:
        codes = [("3", str(2**63)).index(str(value)) for value in values]
    assert labels is not None and (labels.tolist(), names) == (codes, classes)


@pytest.mark.parametrize("values", [[0.5, 1.0], [[1], [2]], [{"a": 1}]])
def test_fractions_lists_and_mappings_are_no_labels(values: list[Any]) -> None:
    assert raw(values) is None


def test_texts_that_are_fractions_are_no_labels_as_fractions_are_none() -> None:
    assert numbered([np.array(["0.37", "1", "2e-3"])]) == (None, ())


def test_lists_of_names_that_differ_are_compared_by_name() -> None:
    found = [as_named(np.array([0, 1, -1, 5]), names) for names in (("cat", "dog"), ("dog", "cat"))]
    labels, names = numbered(found)
    assert labels is not None and names == ("5", "cat", "dog")
    assert labels.tolist() == [1, 2, -1, 0, 2, 1, -1, 0]


def test_only_none_is_no_labels() -> None:
    assert (
        numbered([np.array([-1, -1])]) == (None, ())
        and numbered([none(3)]) == (None, ())
        and numbered([]) == (None, ())
    )


def test_pieces_without_labels_or_of_another_kind_are_numbered_together() -> None:
    labels, names = numbered([none(2), np.array([1, 0]), np.array(["cat", ""])])
    assert labels is not None and (labels.tolist(), names) == ([-1, -1, 1, 0, 2, -1], ("0", "1", "cat"))


def test_names_keep_whole_numbers_as_they_are() -> None:
    labels, names = numbered([np.array([500, 0])], ["a", "b"])
    assert labels is not None and (labels.tolist(), names) == ([500, 0], ("a", "b"))
    labels, names = numbered([np.array([10**12, 0])], ["a", "b"])  # of which a table of counts would fill the memory
    assert labels is not None and (labels.tolist(), names) == ([1, 0], ("0", "1000000000000"))


def test_what_looks_like_a_label_is_named() -> None:
    said = "no column is called label; there are class_id: choose one with data.label: class_id"
    assert advice(["width", "class_id"], "column") == said and advice([], "column") == ""
    assert advice(["label"], "column").startswith("the column label holds no classes")


def test_several_classes_in_one_text_are_none() -> None:
    codes, names = numbered([np.array(["cat|dog", "cat", "dog", "dog | cat", "mouse"])])
    assert codes is not None and codes.tolist() == [-1, 0, 1, -1, 2] and names == ("cat", "dog", "mouse")
    codes, names = numbered([np.array(["king snake, kingsnake", "cat"])])
    assert codes is not None and codes.tolist() == [1, 0] and names == ("cat", "king snake, kingsnake")
