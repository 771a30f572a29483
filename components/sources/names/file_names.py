"""Classes that the names of files say, as in cat.0.jpg and great_pyrenees_12.jpg: what stands before the number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..tables.labels import numbered
from .arranging import Arranged
from .splits import TRAIN, by_word

NUMBER = re.compile(r"[\W_]+\(?\d+\)?$")
# What cameras and programs write before the number.
CAMERAS = re.compile(
    r"(img|imag|image|dsc[nf_]?|_dsc|dji|pxl|mvc?|p|photo|picture|pict?|frame|screen ?shot|scan|gopr|file)\d*[\W_]*",
    re.IGNORECASE,
)
NAMED = 3  # words that are named


def class_in(name: str) -> str:
    """The class that a file's name says: all before the last number; "" if nothing is."""
    last = name.rpartition("/")[2]
    stem = last.rpartition(".")[0] or last
    word = NUMBER.sub("", stem)
    return (word if word != stem else re.sub(r"\d+$", "", stem)).strip(" ._-")


def by_file_names(found: Arranged, names: Sequence[str]) -> Arranged:
    """The same with the classes that the names say in place of those of folders."""
    labels, classes = numbered([np.array([class_in(name) for name in names], dtype=np.str_)])
    return replace(found, labels=labels, classes=classes)


def advice_on(found: Arranged, names: Sequence[str]) -> list[str]:
    """What is said where folders say no classes, and names seem to: most begin with words that repeat."""
    if found.labels is not None:
        return []
    rows = np.flatnonzero(found.splits == TRAIN).tolist()
    words = Counter(class_in(names[i]) for i in rows)
    without = words.pop("", 0)
    meant = [word for word in words if not CAMERAS.fullmatch(word) and by_word(word) < 0]
    if len(meant) < 2 or len(meant) < len(words) or 10 * without > len(rows) or 2 * len(words) > len(rows):
        return []
    first = ", ".join(sorted(meant)[:NAMED]) + (", ..." if len(meant) > NAMED else "")
    return [f"{len(meant)} words stand before the numbers of the file names ({first}): data.classes: names takes them"]
