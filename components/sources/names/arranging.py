"""Items in folders, of files or of shards: which split each belongs to, and the classes that the folders say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from numpy.typing import NDArray
from torch import Tensor

from ..stores.skipped import Skipped
from .splits import NEITHER, TRAIN, are_split, classes_of, copies, division


@dataclass(frozen=True)
class Arranged:
    """The split of each item (see splits), the number of its folder's class or -1, and the classes' names."""

    splits: NDArray[np.int64]
    labels: Int64[Tensor, "items"] | None
    classes: tuple[str, ...]


def arranged(
    folders: Sequence[str], of_item: NDArray[np.int64], skipped: Skipped, files: Sequence[str] = ()
) -> Arranged:
    """What the folders say of the items in them; `of_item` numbers the folder of each, `files` are the items' own."""
    found = division(folders, files)
    by_folder = np.array(found.splits, dtype=np.int64) if found.how != "file" else np.full(len(folders), TRAIN)
    splits = np.array(found.splits, dtype=np.int64) if found.how == "file" else by_folder[of_item]
    counts = np.bincount(of_item, minlength=len(folders))
    for number in np.flatnonzero(by_folder == NEITHER).tolist():
        skipped.note("image", "in none of the splits", folders[number], int(counts[number]))
    copied = np.array(copies(found.rests), dtype=bool)
    if copied.any() and found.how == "":
        by_folder = np.where(copied, NEITHER, by_folder)
        splits = by_folder[of_item]
        why = "in a copy of the folders beside it, not read twice"
        skipped.note("image", why, folders[int(copied.argmax())], int(counts[copied].sum()))
    rests = [rest if split != NEITHER else "" for rest, split in zip(found.rests, by_folder.tolist(), strict=True)]
    class_of, classes, parts = classes_of(rests, by_folder.tolist())
    if parts:
        skipped.note(
            "folder name",
            "no label, for it is a date, or the number or letter of a part",
            parts[0],
            len(parts),
        )
    if not classes:
        return Arranged(splits, None, ())
    if again := _in_each(rests, class_of):
        why = "in each class: if these are the classes, give one of the folders above them as the path"
        skipped.note("folder name", why, again[0], len(again))
    number_of = {name: i for i, name in enumerate(classes)}
    codes = np.array([number_of.get(name, -1) for name in class_of], dtype=np.int64)
    labels = codes[of_item]
    if np.bincount(labels[labels >= 0]).max() < 2:
        skipped.note("folder name", "no label, for each folder holds one image", folders[0], len(folders))
        return Arranged(splits, None, ())
    return Arranged(splits, torch.from_numpy(labels), classes)


def _in_each(rests: Sequence[str], class_of: Sequence[str]) -> list[str]:
    """Folders that lie in each class, as those of the species in colour, grey and segmented."""
    below: dict[str, set[str]] = {}
    for rest, name in zip(rests, class_of, strict=True):
        _, _, inside = f"/{rest}/".partition(f"/{name}/")
        below.setdefault(name, set()).add(inside.partition("/")[0])
    first, *others = [names for name, names in below.items() if name]
    return sorted(first) if len(first) > 1 and all(names == first for names in others) else []


def arranged_files(names: Sequence[str], skipped: Skipped) -> Arranged:
    """The same of files by their paths, whose own names may say the split."""
    return arranged(*by_folder(names), skipped, names)


def said_by_rows(
    marks: Iterable[int], skipped: Skipped, what: str, name: Callable[[int], str]
) -> NDArray[np.int64] | None:
    """The splits that rows say, if they are training and held-out ones; rows that say none are counted."""
    splits = np.fromiter(marks, dtype=np.int64)
    if not are_split(np.unique(splits).tolist()):
        return None
    if len(without := np.flatnonzero(splits == NEITHER)):
        skipped.note(what, "in none of the splits", name(int(without[0])), len(without))
    return splits


def by_folder(paths: Iterable[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The folders of some paths, each once, and the number of each path's."""
    numbers: dict[str, int] = {}
    of_each = [numbers.setdefault(path.rpartition("/")[0], len(numbers)) for path in paths]
    return list(numbers), np.array(of_each, dtype=np.int64)
