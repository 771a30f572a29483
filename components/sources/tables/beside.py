"""What texts beside images say of them, where folders do not: classes and splits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from sslgraph.errors import SslgraphError

from ..names.arranging import Arranged
from ..names.splits import NEITHER, SPLITS, TEST, TRAIN, VAL, WORDS, are_split, by_columns, words_in
from ..stores.skipped import Skipped
from ..stores.store import File, Store
from .beside_texts import Beside, Text, texts_among
from .label_column import classes_in, others
from .labels import numbered, of_values
from .tables import ENDINGS, Row

ENOUGH = 0.9  # of the images of a split
PARTITION = re.compile(r"split|partition|set", re.IGNORECASE)
NOT_THERE = "names no image that is there"
NUMBERED = {"0": TRAIN, "1": VAL, "2": TEST}  # of a partition of three; of two, 1 is what the name names first


def with_texts(
    found: Arranged, images: Sequence[File], files: Sequence[File], store: Store, skipped: Skipped, label: str | None
) -> tuple[Arranged, set[str]]:
    """The same with the splits and labels that texts among `files` say where there are none, or in the column `label`.

    Also the names of these texts and of others that name images, all of which are counted in `skipped`.
    """
    is_divided = bool((found.splits > TRAIN).any())
    if label is not None:
        found = replace(found, labels=None)
    if is_divided and found.labels is not None and not _lacking(found):
        return found, set()
    beside = Beside(found, [image.name for image in images], texts_among(files, images), store)
    used = dict[str, list[str]]()
    if not is_divided:
        found = _divided(found, beside.texts, used)
    found = _labelled(found, beside, used, label) if found.labels is None else _completed(found, beside, used)
    for name, uses in used.items():
        skipped.note("text", f"used for {' and '.join(uses)}", name)
    for text in beside.texts:
        if text.name in used and text.left:
            skipped.note("line", f"{NOT_THERE}, in {text.name}", text.left[0], len(text.left))
    unused = [text for text in beside.texts if text.name not in used]
    for text in unused:
        cure = "; for labels in it, give it as the path" if text.name.lower().endswith(ENDINGS) else ", and is not used"
        skipped.note("text file", f"names these images{cure}", text.name)
    there = {file.name for file in files}
    return found, {name if name in there else name.rpartition("/")[0] for name in (*used, *(t.name for t in unused))}


def _lacking(found: Arranged) -> list[int]:
    """The held-out splits whose images have no labels."""
    assert found.labels is not None
    known = found.labels.numpy() >= 0
    its = {split: known[found.splits == split] for split in (VAL, TEST)}
    return [split for split, has_label in its.items() if len(has_label) and not has_label.any()]


def _divided(found: Arranged, texts: Sequence[Text], used: dict[str, list[str]]) -> Arranged:
    """The splits that texts say: a column, or the names of lists of which some say train and others not."""
    groups = dict[str, list[Text]]()
    for text in texts:
        groups.setdefault(text.group, []).append(text)
    for its in (groups[key] for key in sorted(groups, key=len)):  # train.txt before cat_train.txt
        splits = np.full(len(found.splits), NEITHER)
        for text in sorted(its, key=lambda text: text.split):
            marks = _marks(text)
            splits[list(marks)] = list(marks.values())
        if not (splits == TRAIN).any() and 0 < (splits >= 0).mean() < 0.5:  # lists of what is held out
            splits[splits < 0] = TRAIN
        if are_split(splits.tolist()) and (splits >= 0).mean() >= ENOUGH:
            used |= {text.name: ["the splits"] for text in its if _marks(text)}
            return replace(found, splits=splits)
    return found


def _marks(text: Text) -> dict[int, int]:
    marks = {i: by_columns(row) for i, row in text.rows.items()}
    if any(mark >= 0 for mark in marks.values()):
        return {i: mark for i, mark in marks.items() if mark >= 0}
    values = {str(row.get("label", "")) for row in text.rows.values()}
    if PARTITION.search(text.name) and values == set(NUMBERED):
        return {i: NUMBERED[str(row["label"])] for i, row in text.rows.items()}
    words = [WORDS[word.lower()] for word in words_in(text.name) if word.lower() in WORDS]
    if len(set(words)) == 2 and values == {"0", "1"}:
        return {i: words[0] if str(row["label"]) == "1" else words[1] for i, row in text.rows.items()}
    return {} if text.split < 0 else dict.fromkeys(text.rows, text.split)


def _labelled(found: Arranged, beside: Beside, used: dict[str, list[str]], wanted: str | None) -> Arranged:
    """The classes that texts say of images whose folders say none: those of enough of a split's images, the finest."""
    said: dict[tuple[str, str], dict[int, Any]] = {}
    of_said: dict[tuple[str, str], list[str]] = {}
    known = dict[str, None]()
    for text in beside.texts:
        rows = list(text.rows.values())
        known |= dict.fromkeys(there := others(rows, [text.column]))
        there = there if wanted is not None else [one for one in there if not beside.are_images(rows, one)]
        classes = classes_in(rows, there, wanted)
        if classes is None or (PARTITION.search(text.name) and _marks(text)):
            continue
        column, values = classes
        said.setdefault((text.group, column), {}).update(zip(text.rows, values, strict=True))
        of_said.setdefault((text.group, column), []).append(text.name)
    best, most, taken = replace(found, classes=()), 0, ("", "")
    for key, of_image in said.items():
        covered = np.zeros(len(found.splits), dtype=bool)
        covered[list(of_image)] = True
        shares = [covered[found.splits == split].mean() for split in np.unique(found.splits[found.splits >= 0])]
        labels, names = numbered([of_values([of_image.get(i) for i in range(len(found.splits))])])
        kinds = 0 if labels is None else len(labels[labels >= 0].unique())
        if kinds > most and (wanted is not None or (max(shares) >= ENOUGH and 1 < kinds < len(of_image))):
            best, most, taken = replace(found, labels=labels, classes=names), kinds, key
    for name in of_said.get(taken, ()):
        used.setdefault(name, []).append(f"labels ({taken[1]})")
    if wanted is not None and not most:
        raise SslgraphError(
            f"no text beside the images has labels in a column '{wanted}' (data.label); "
            f"there are: {', '.join(known) or 'none'}"
        )
    return best


def _completed(found: Arranged, beside: Beside, used: dict[str, list[str]]) -> Arranged:
    """The labels of held-out images that lie in one folder, while those of training lie in folders of classes."""
    assert found.labels is not None
    labels, number = found.labels.clone(), {name: i for i, name in enumerate(found.classes)}
    for split in _lacking(found):
        its = np.flatnonzero(found.splits == split)
        for text in beside.texts:
            if text.split not in (NEITHER, split):
                continue  # it is of another split, whose images may have the same names
            said = {i: _class_in(row, text.column, number, beside) for i, row in text.rows.items()}
            if sum(said.get(i, -1) >= 0 for i in its.tolist()) >= ENOUGH * len(its):
                labels[torch.from_numpy(its)] = torch.tensor([said.get(i, -1) for i in its.tolist()])
                used.setdefault(text.name, []).append(f"labels of {SPLITS[split]}")
                break
    return replace(found, labels=labels)


def _class_in(row: Row, column: str, number: Mapping[str, int], beside: Beside) -> int:
    """The first word of a row that is a class, or the class that its only number stands for."""
    words = [word for key, value in row.items() if key != column for word in (str(value), *str(value).split())]
    found = next((word for word in words if word in number), None)
    if found is None and len(words) == 2:
        found = beside.class_of_number.get(words[0])
    return -1 if found is None else number[found]
